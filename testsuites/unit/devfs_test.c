/* /dev: devices and pseudo-terminals. */
#include "testsuites/unit/madeup_room.h"

#include "host/calls.h"
#include "vfs/devfs.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

TestSuite(devfs, .init = room_make, .fini = room_free);

Test(devfs, devices_have_their_numbers_and_modes) {
  static const struct {
    const char *path;
    unsigned major, minor;
  } devices[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                 {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
                 {"/dev/ptmx", 5, 2}};
  struct stat st;

  for (size_t i = 0; i < DZ_ARRAY_SIZE(devices); i++) {
    cr_assert_eq(room_stat(devices[i].path, &st), 0, "%s", devices[i].path);
    cr_assert_eq(st.st_mode, S_IFCHR | 0666, "%s", devices[i].path);
    cr_assert_eq(st.st_rdev, makedev(devices[i].major, devices[i].minor), "%s", devices[i].path);
    cr_assert_eq(st.st_uid, 0);
  }
}

Test(devfs, a_devices_stat_and_the_fstat_of_its_descriptor_agree) {
  struct stat named, opened;
  int fd DZ_FD = room_open("/dev/null", O_RDWR);

  cr_assert_eq(room_stat("/dev/null", &named), 0);
  cr_assert_eq(fstat(fd, &opened), 0);
  cr_assert_eq(named.st_ino, opened.st_ino);
  cr_assert_eq(named.st_dev, opened.st_dev);
}

Test(devfs, devices_work) {
  int null DZ_FD = room_open("/dev/null", O_WRONLY | O_TRUNC);
  int zero DZ_FD = room_open("/dev/zero", O_RDONLY);
  int full DZ_FD = room_open("/dev/full", O_WRONLY);
  int random DZ_FD = room_open("/dev/urandom", O_RDONLY);
  char bytes[16];

  memset(bytes, 1, sizeof bytes);
  cr_assert_eq(write(null, bytes, sizeof bytes), sizeof bytes);
  cr_assert_eq(read(zero, bytes, sizeof bytes), sizeof bytes);
  cr_assert_eq(bytes[0] | bytes[15], 0);
  cr_assert(write(full, "x", 1) < 0 && errno == ENOSPC);
  cr_assert_eq(read(random, bytes, sizeof bytes), sizeof bytes);
  cr_assert_eq(fcntl(zero, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
}

Test(devfs, the_directory_holds_what_it_should) {
  static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty",   "ptmx",
                                      "pts",  "shm",  "fd",   "stdin",  "stdout",  "stderr"};
  char *whole DZ_FREE = room_list("/dev", 100), *pieces DZ_FREE = room_list("/dev", 1);

  for (size_t i = 0; i < DZ_ARRAY_SIZE(names); i++)
    cr_assert(room_listed(whole, names[i]), "%s", names[i]);
  cr_assert_str_eq(whole, pieces);
  cr_assert(!room_listed(whole, "mem"));
}

Test(devfs, host_devices_that_are_not_listed_do_not_exist) {
  static const char *const names[] = {"mem",     "kmsg", "sda",   "vda",    "fuse",     "kvm",
                                      "console", "tty0", "ttyS0", "mqueue", "hugepages"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(names); i++)
    cr_assert_eq(room_open(room_format("/dev/%s", names[i]), O_RDONLY), -ENOENT, "%s", names[i]);
}

Test(devfs, nothing_can_be_made) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;

  cr_assert_eq(room_walk("/dev", 0, &node), 0);
  cr_assert(!node.mount->ops->create && !node.mount->ops->mknod && !node.mount->ops->unlink);
}

/* ---- pseudo-terminals ---- */

/* A pair as openpty(3) makes it; returns the number. */
static unsigned open_pair(int *master, int *slave) {
  unsigned number = 0;
  int unlocked = 0;

  *master = room_open("/dev/ptmx", O_RDWR | O_NOCTTY);
  cr_assert_geq(*master, 0);
  cr_assert_eq(ioctl(*master, TIOCGPTN, &number) | ioctl(*master, TIOCSPTLCK, &unlocked), 0);
  *slave = room_open(room_format("/dev/pts/%u", number), O_RDWR | O_NOCTTY);
  cr_assert_geq(*slave, 0, "%d", *slave);
  return number;
}

Test(devfs, a_pair_is_connected) {
  int master DZ_FD = -1, slave DZ_FD = -1;
  char bytes[8] = "";

  open_pair(&master, &slave);
  cr_assert_eq(write(slave, "word\n", 5), 5);
  cr_assert_eq(read(master, bytes, sizeof bytes - 1), 6);
  cr_assert_str_eq(bytes, "word\r\n");
}

Test(devfs, a_slave_is_locked_until_it_is_unlocked) {
  int master DZ_FD = room_open("/dev/ptmx", O_RDWR | O_NOCTTY);
  unsigned number;

  cr_assert_eq(ioctl(master, TIOCGPTN, &number), 0);
  cr_assert_eq(room_open(room_format("/dev/pts/%u", number), O_RDWR | O_NOCTTY), -EIO);
}

Test(devfs, pts_lists_the_silos_pairs_only) {
  int master DZ_FD = -1, slave DZ_FD = -1;
  int outside DZ_FD = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  unsigned own, other;
  char *names DZ_FREE = NULL;

  cr_assert_eq(ioctl(outside, TIOCGPTN, &other), 0);
  own = open_pair(&master, &slave);
  names = room_list("/dev/pts", 100);
  cr_assert_str_eq(names, room_format(" ptmx %u ", own));
  cr_assert_eq(room_open(room_format("/dev/pts/%u", other), O_RDWR), -ENOENT);
}

Test(devfs, a_pair_that_is_gone_is_gone) {
  int master = -1, slave DZ_FD = -1, outside DZ_FD = -1;
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  struct dz_open_how how = {.flags = O_RDWR};
  unsigned own = open_pair(&master, &slave), other;
  char *names DZ_FREE = NULL;

  cr_assert_eq(room_walk(room_format("/dev/pts/%u", own), 0, &node), 0);
  close(master);
  close(dz_steal_fd(&slave));
  outside = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC); /* the host uses the number again */
  cr_assert_eq(ioctl(outside, TIOCGPTN, &other), 0);
  cr_assert(grantpt(outside) == 0 && unlockpt(outside) == 0);
  cr_assert_eq(room_open(room_format("/dev/pts/%u", own), O_RDWR), -ENOENT);
  cr_assert_eq(node.mount->ops->open(&room.view, &node, &how), -ENOENT);
  names = room_list("/dev/pts", 100);
  cr_assert_str_eq(names, " ptmx ");
  if (own != other)
    cr_log_warn("the host did not use number %u again: reuse was not tried", own);
}

Test(devfs, a_slaves_stat_and_the_fstat_of_its_descriptor_agree) {
  int master DZ_FD = -1, slave DZ_FD = -1;
  unsigned number = open_pair(&master, &slave);
  struct stat named, opened;

  cr_assert_eq(room_stat(room_format("/dev/pts/%u", number), &named), 0);
  cr_assert_eq(fstat(slave, &opened), 0);
  cr_assert_eq(named.st_ino, opened.st_ino);
  cr_assert_eq(named.st_dev, opened.st_dev);
  cr_assert_eq(named.st_rdev, opened.st_rdev);
  cr_assert_eq(named.st_uid, 0, "the user of the silo shows as its root");
}

Test(devfs, a_slaves_owner_and_mode_can_be_changed) {
  int master DZ_FD = -1, slave DZ_FD = -1;
  const char *path = room_format("/dev/pts/%u", open_pair(&master, &slave));
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  struct stat st;

  cr_assert_eq(room_walk(path, 0, &node), 0);
  cr_assert_eq(node.mount->ops->chown(&node, 1000, (gid_t)-1), 0);
  cr_assert_eq(node.mount->ops->chmod(&node, 0600), 0);
  cr_assert_eq(room_stat(path, &st), 0);
  cr_assert_eq(st.st_uid, 1000);
  cr_assert_eq(st.st_mode, S_IFCHR | 0600);
}

static int terminal_master = -1;

static void take_the_terminal(void) {
  int slave;

  setsid();
  slave = ioctl(terminal_master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
  if (slave < 0 || ioctl(slave, TIOCSCTTY, 0))
    _exit(1);
}

static void make_terminal(void) {
  int unlocked = 0;

  terminal_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  cr_assert_eq(ioctl(terminal_master, TIOCSPTLCK, &unlocked), 0);
  room.proc.terminal = ioctl(terminal_master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  cr_assert_geq(room.proc.terminal, 0);
}

Test(devfs, tty_is_the_silos_terminal) {
  int tty DZ_FD = -1;
  struct stat st, terminal;
  char *names DZ_FREE = NULL;

  make_terminal();
  room_guest(take_the_terminal, NULL);
  tty = room_open("/dev/tty", O_RDWR);
  cr_assert_geq(tty, 0, "%s", strerror(-tty));
  cr_assert_eq(fstat(tty, &st) | fstat(room.proc.terminal, &terminal), 0);
  cr_assert_eq(st.st_rdev, terminal.st_rdev);
  names = room_list("/dev/pts", 100);
  cr_assert(room_listed(names, room_format("%u", minor(terminal.st_rdev))));
}

static void have_no_terminal(void) {
  setsid();
}

Test(devfs, tty_without_a_controlling_terminal_gives_ENXIO) {
  make_terminal();
  room_guest(have_no_terminal, NULL);
  cr_assert_eq(room_open("/dev/tty", O_RDWR), -ENXIO);
}

Test(devfs, tty_is_a_pair_that_the_silo_opened) {
  int slave DZ_FD = -1, tty DZ_FD = -1;
  struct stat st, expected;

  open_pair(&terminal_master, &slave);
  room_guest(take_the_terminal, NULL);
  tty = room_open("/dev/tty", O_RDWR);
  cr_assert_geq(tty, 0, "%s", strerror(-tty));
  cr_assert_eq(fstat(tty, &st) | fstat(slave, &expected), 0);
  cr_assert_eq(st.st_rdev, expected.st_rdev);
}

Test(devfs, another_terminal_of_the_host_is_not_opened) {
  make_terminal();
  close(room.proc.terminal);
  room.proc.terminal = -1; /* the guest's controlling terminal is none of the silo's */
  room_guest(take_the_terminal, NULL);
  cr_assert_eq(room_open("/dev/tty", O_RDWR), -ENXIO);
}

/* ---- shm ---- */

Test(devfs, shm_is_a_directory_for_everybody) {
  struct dz_error error = {0};
  int parent DZ_FD = open(room.scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd DZ_FD = -1;
  struct stat st;

  umask(077);
  fd = dz_devfs_make_shm(parent, &error);
  cr_assert_geq(fd, 0, "%s", error.text);
  cr_assert_eq(fstat(fd, &st), 0);
  cr_assert_eq(st.st_mode, S_IFDIR | S_ISVTX | 0777);
  cr_assert_eq(room_stat("/dev/shm", &st), 0);
  cr_assert_eq(st.st_mode, S_IFDIR | S_ISVTX | 0777);
}
