/*
 * Pseudo-terminals: pty(7), ioctl_tty(2). The host makes the pairs; what the silo may
 * reach of its devpts are those that the silo opened, and its own terminal.
 */
#include "vfs/devfs_internal.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41) /* asm-generic/ioctls.h, Linux 4.13 */
#endif

/* When the master is closed the kernel takes the slave's name away (devpts_pty_kill()). */
static bool is_alive(int slave) {
  struct stat st;

  return fstat(slave, &st) == 0 && st.st_nlink > 0;
}

static void drop_dead(struct dz_devfs *fs) {
  size_t kept = 0;

  for (size_t i = 0; i < fs->pty_count; i++)
    if (is_alive(fs->ptys[i].slave))
      fs->ptys[kept++] = fs->ptys[i];
    else
      close(fs->ptys[i].slave);
  fs->pty_count = kept;
}

static int add(struct dz_devfs *fs, unsigned number, int slave) {
  drop_dead(fs);
  if (fs->pty_count == fs->pty_room) {
    size_t room = fs->pty_room ? 2 * fs->pty_room : 16;
    struct dz_devfs_pty *grown = realloc(fs->ptys, room * sizeof *grown);

    if (!grown)
      return -ENOMEM;
    fs->ptys = grown;
    fs->pty_room = room;
  }
  fs->ptys[fs->pty_count++] = (struct dz_devfs_pty){.number = number, .slave = slave};
  return 0;
}

int dz_devfs_ptmx(struct dz_devfs *fs, int ptmx, int flags) {
  int master DZ_FD = dz_reopen(ptmx, flags | O_NOCTTY), slave DZ_FD = -1;
  unsigned number;
  int err;

  if (master < 0)
    return master;
  if (ioctl(master, TIOCGPTN, &number))
    return -errno;
  /* The slave itself, by way of the master and not of any name. O_PATH does not open the device,
   * which is still locked. */
  slave = (int)dz_result(ioctl(master, TIOCGPTPEER, O_PATH | O_NOCTTY | O_CLOEXEC));
  if (slave < 0)
    return slave;
  pthread_mutex_lock(&fs->lock);
  err = add(fs, number, slave);
  pthread_mutex_unlock(&fs->lock);
  if (err)
    return err;
  dz_steal_fd(&slave);
  return dz_steal_fd(&master);
}

static bool is_terminal(const struct dz_devfs *fs, unsigned number) {
  struct stat st;

  return fs->proc->terminal >= 0 && fstat(fs->proc->terminal, &st) == 0 && st.st_nlink > 0 &&
         S_ISCHR(st.st_mode) && major(st.st_rdev) >= UNIX98_PTY_SLAVE_MAJOR &&
         major(st.st_rdev) < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT &&
         minor(st.st_rdev) == number;
}

static struct dz_devfs_pty *find(struct dz_devfs *fs, unsigned number) {
  for (size_t i = 0; i < fs->pty_count; i++)
    if (fs->ptys[i].number == number && is_alive(fs->ptys[i].slave))
      return &fs->ptys[i];
  return NULL;
}

int dz_devfs_pts(struct dz_devfs *fs, unsigned number, struct dz_devfs_pty *pty) {
  const struct dz_devfs_pty *found;
  int err = -ENOENT;

  pthread_mutex_lock(&fs->lock);
  found = find(fs, number);
  if (found) {
    *pty = *found;
    pty->slave = fcntl(found->slave, F_DUPFD_CLOEXEC, 0);
    err = pty->slave < 0 ? -errno : 0;
  } else if (is_terminal(fs, number)) {
    *pty = (struct dz_devfs_pty){.number = number,
                                 .slave = fcntl(fs->proc->terminal, F_DUPFD_CLOEXEC, 0)};
    err = pty->slave < 0 ? -errno : 0;
  }
  pthread_mutex_unlock(&fs->lock);
  return err;
}

int dz_devfs_pts_chown(struct dz_devfs *fs, unsigned number, uid_t uid, gid_t gid) {
  struct dz_devfs_pty *found;
  int err = -EPERM;

  pthread_mutex_lock(&fs->lock);
  found = find(fs, number);
  if (found) {
    struct stat st = {0};

    err = fstat(found->slave, &st) ? -errno : 0;
    if (!found->owned) {
      found->uid = dz_proc_show_uid(fs->proc, st.st_uid);
      found->gid = dz_proc_show_gid(fs->proc, st.st_gid);
    }
    found->owned = true;
    found->uid = uid == (uid_t)-1 ? found->uid : uid;
    found->gid = gid == (gid_t)-1 ? found->gid : gid;
  }
  pthread_mutex_unlock(&fs->lock);
  return err;
}

static int compare_numbers(const void *a, const void *b) {
  unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

  return left < right ? -1 : left > right;
}

int dz_devfs_pts_list(struct dz_devfs *fs, unsigned **numbers, size_t *count) {
  struct stat st;
  int err = 0;

  *count = 0;
  pthread_mutex_lock(&fs->lock);
  drop_dead(fs);
  *numbers = malloc((fs->pty_count + 1) * sizeof **numbers);
  if (*numbers) {
    for (size_t i = 0; i < fs->pty_count; i++)
      (*numbers)[(*count)++] = fs->ptys[i].number;
    if (fs->proc->terminal >= 0 && fstat(fs->proc->terminal, &st) == 0 &&
        is_terminal(fs, minor(st.st_rdev)) && !find(fs, minor(st.st_rdev)))
      (*numbers)[(*count)++] = minor(st.st_rdev);
    qsort(*numbers, *count, sizeof **numbers, compare_numbers);
  } else {
    err = -ENOMEM;
  }
  pthread_mutex_unlock(&fs->lock);
  return err;
}

/* tty_nr, the seventh field of /proc/PID/stat: new_encode_dev() of linux/kdev_t.h. */
static int controlling_terminal(const struct dz_devfs *fs, pid_t tid, dev_t *terminal) {
  struct dz_text stat DZ_TEXT = {0};
  const char *name_end;
  char path[32];
  unsigned number;
  int err;

  snprintf(path, sizeof path, "%d/stat", (int)tid);
  err = dz_text_read(&stat, fs->proc->proc_fd, path);
  name_end = !err && stat.data ? strrchr(stat.data, ')') : NULL;
  if (!name_end || sscanf(name_end, ") %*c %*d %*d %*d %u", &number) != 1)
    return -ENXIO;
  *terminal = makedev(number >> 8 & 0xfff, (number & 0xff) | (number >> 12 & 0xfff00));
  return number ? 0 : -ENXIO;
}

int dz_devfs_tty(struct dz_devfs *fs, const struct dz_view *view, int flags) {
  struct dz_devfs_pty pty = {.slave = -1};
  dev_t terminal;
  int err = view->tid > 0 ? controlling_terminal(fs, view->tid, &terminal) : -ENXIO, fd;

  if (err)
    return err;
  if (major(terminal) < UNIX98_PTY_SLAVE_MAJOR ||
      major(terminal) >= UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT ||
      dz_devfs_pts(fs, minor(terminal), &pty))
    return -ENXIO;
  fd = dz_made_reopen(view, pty.slave, flags);
  close(pty.slave);
  return fd;
}
