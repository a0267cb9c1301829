/* /proc: who is seen, and what is said of a process. Descriptors: procfs_fd_test.c. */
#include "testsuites/unit/madeup_room.h"

#include "host/calls.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>

TestSuite(procfs, .init = room_make, .fini = room_free);

static const char *of_guest(const char *name) {
  return room_format("/proc/%d/%s", (int)room.view.tgid, name);
}

/* ---- who is seen ---- */

Test(procfs, only_members_are_listed) {
  pid_t first = room_guest(NULL, NULL), second = room_guest(NULL, NULL);
  char *names DZ_FREE = room_list("/proc", 1000);

  cr_assert(room_listed(names, room_format("%d", first)));
  cr_assert(room_listed(names, room_format("%d", second)));
  cr_assert(!room_listed(names, room_format("%d", getpid())), "the test itself is no member");
  cr_assert(!room_listed(names, "1"));
}

Test(procfs, listing_entry_by_entry_gives_the_same_names) {
  static const char *const directories[] = {"/proc",         "/proc/self",     "/proc/self/fd",
                                            "/proc/self/ns", "/proc/self/net", "/proc/sys/kernel"};

  room_guest(NULL, NULL);
  room_guest(NULL, NULL);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(directories); i++) {
    char *whole DZ_FREE = room_list(directories[i], 1000);
    char *pieces DZ_FREE = room_list(directories[i], 1);

    cr_assert_str_eq(whole, pieces, "%s", directories[i]);
    cr_assert_gt(strlen(whole), 2, "%s is empty", directories[i]);
  }
}

Test(procfs, every_listed_name_can_be_looked_up) {
  static const char *const directories[] = {
      "/proc",          "/proc/self",         "/proc/thread-self",
      "/proc/self/fd",  "/proc/self/fdinfo",  "/proc/self/ns",
      "/proc/self/net", "/proc/self/task",    "/proc/sys/kernel",
      "/proc/sys/vm",   "/proc/sys/net/ipv4", "/proc/pressure"};

  room_guest(NULL, NULL);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(directories); i++) {
    char *names DZ_FREE = room_list(directories[i], 1000);

    for (char *rest = names, *name; (name = strtok_r(rest, " ", &rest));) {
      const char *path = room_format("%s/%s", directories[i], name);
      struct stat st;

      cr_assert_eq(room_stat(path, &st), 0, "%s", path);
    }
  }
}

Test(procfs, outsiders_do_not_exist) {
  static const char *const names[] = {"", "/status", "/fd/0", "/environ", "/task"};
  struct stat st;

  room_guest(NULL, NULL);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(names); i++)
    cr_assert_eq(room_stat(room_format("/proc/%d%s", (int)getpid(), names[i]), &st), -ENOENT);
}

Test(procfs, a_node_of_a_process_that_has_ended_gives_ENOENT) {
  struct dz_node directory DZ_NODE = DZ_NODE_NONE, file DZ_NODE = DZ_NODE_NONE;
  struct dz_open_how how = {.flags = O_RDONLY};
  struct dz_node child = DZ_NODE_NONE;
  struct stat st;
  pid_t second;

  room_guest(NULL, NULL);
  second = room_guest(NULL, NULL);
  cr_assert_eq(room_walk(room_format("/proc/%d", second), 0, &directory), 0);
  cr_assert_eq(room_walk(room_format("/proc/%d/status", second), 0, &file), 0);
  close(room.guest_pipes[--room.guest_count]);
  waitpid(second, NULL, 0);
  cr_assert_eq(directory.mount->ops->lookup(&room.view, &directory, "stat", &child), -ENOENT);
  cr_assert_eq(file.mount->ops->open(&room.view, &file, &how), -ENOENT);
  cr_assert_eq(file.mount->ops->stat(&room.view, &file, &st), -ENOENT);
}

Test(procfs, a_thread_of_another_process_is_not_in_task) {
  pid_t first = room_guest(NULL, NULL), second = room_guest(NULL, NULL);
  struct stat st;

  cr_assert_eq(room_stat(room_format("/proc/%d/task/%d", first, first), &st), 0);
  cr_assert_eq(room_stat(room_format("/proc/%d/task/%d", first, second), &st), -ENOENT);
  cr_assert_eq(room_stat(room_format("/proc/%d/task/0%d", first, first), &st), -ENOENT);
}

Test(procfs, self_and_thread_self_name_the_caller) {
  pid_t guest = room_guest(NULL, NULL);
  char text[PATH_MAX];

  cr_assert_gt(room_link("/proc/self", text), 0);
  cr_assert_str_eq(text, room_format("%d", guest));
  cr_assert_gt(room_link("/proc/thread-self", text), 0);
  cr_assert_str_eq(text, room_format("%d/task/%d", guest, guest));
  room.view.tgid = 0; /* not known yet: it is asked for */
  cr_assert_gt(room_link("/proc/self", text), 0);
  cr_assert_str_eq(text, room_format("%d", guest));
}

/* ---- paths ---- */

Test(procfs, paths_of_nodes_are_those_that_led_to_them) {
  pid_t guest = room_guest(NULL, NULL);
  const char *paths[] = {"/proc",
                         "/proc/sys/kernel/random/uuid",
                         "/proc/stat",
                         room_format("/proc/%d", guest),
                         room_format("/proc/%d/fd", guest),
                         room_format("/proc/%d/task/%d/stat", guest, guest),
                         room_format("/proc/%d/task/%d/net/tcp", guest, guest),
                         room_format("/proc/%d/fdinfo/0", guest)};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(paths); i++) {
    struct dz_node node DZ_NODE = DZ_NODE_NONE;
    char text[PATH_MAX];

    cr_assert_eq(room_walk(paths[i], 0, &node), 0, "%s", paths[i]);
    cr_assert_gt(dz_vfs_path(&room.view, &node, text, sizeof text), 0);
    cr_assert_str_eq(text, paths[i]);
  }
}

Test(procfs, dot_dot_goes_back_to_the_root) {
  pid_t guest = room_guest(NULL, NULL);
  const char *path =
      room_format("/proc/%d/task/%d/fd/../../../../sys/kernel/../../..", guest, guest);
  struct dz_node node DZ_NODE = DZ_NODE_NONE;

  cr_assert_eq(room_walk(path, 0, &node), 0);
  cr_assert(dz_node_same(&node, dz_vfs_root(room.vfs)));
}

/* ---- what is handed to a guest ---- */

Test(procfs, a_snapshot_cannot_be_changed) {
  int fd DZ_FD = -1, again DZ_FD = -1;
  char self[DZ_SELF_FD_MAX];
  struct stat st;

  room_guest(NULL, NULL);
  fd = room_open(of_guest("status"), O_RDONLY);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, "x", 1), -1);
  cr_assert_eq(errno, EBADF);
  cr_assert_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  cr_assert_eq(fstat(fd, &st), 0);
  cr_assert_eq(st.st_mode, S_IFREG | 0444);
  again = open(dz_self_fd_path(fd, self), O_RDWR); /* root may open it, nobody may write it */
  cr_assert(again < 0 || (write(again, "x", 1) < 0 && errno == EPERM));
  cr_assert(again < 0 || (ftruncate(again, 0) < 0 && errno == EPERM));
}

Test(procfs, what_is_not_writable_gives_EACCES) {
  static const char *const files[] = {
      "/proc/self/status",         "/proc/self/cmdline", "/proc/sys/kernel/core_pattern",
      "/proc/sys/kernel/hostname", "/proc/meminfo",      "/proc/self/net/tcp",
      "/proc/self/loginuid"};
  struct dz_node node = DZ_NODE_NONE;
  static const struct dz_identity root = {.effective = ~UINT64_C(0), .permitted = ~UINT64_C(0)};

  room_guest(NULL, &root);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    cr_assert_eq(room_open(files[i], O_WRONLY), -EACCES, "%s", files[i]);
    cr_assert_eq(room_open(files[i], O_RDWR), -EACCES, "%s", files[i]);
    cr_assert_eq(room_open(files[i], O_RDONLY | O_TRUNC), -EACCES, "%s", files[i]);
    cr_assert_eq(room_walk(files[i], DZ_WALK_FOLLOW, &node), 0);
    cr_assert_eq(node.mount->ops->access(&room.view, &node, W_OK, 0), -EACCES, "%s", files[i]);
  }
}

Test(procfs, oom_score_adj_and_comm_can_be_written) {
  int fd DZ_FD = -1, comm DZ_FD = -1;
  char *text DZ_FREE = NULL;

  room_guest(NULL, NULL);
  fd = room_open("/proc/self/oom_score_adj", O_WRONLY | O_TRUNC);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, "500", 3), 3);
  text = room_read("/proc/self/oom_score_adj");
  cr_assert_str_eq(text, "500\n");
  comm = room_open("/proc/self/comm", O_RDWR);
  cr_assert_geq(comm, 0);
}

Test(procfs, open_flags_are_minded) {
  room_guest(NULL, NULL);
  cr_assert_eq(room_open("/proc/self/stat", O_RDONLY | O_DIRECTORY), -ENOTDIR);
  cr_assert_eq(room_open("/proc/self/fd", O_RDWR), -EISDIR);
  cr_assert_eq(room_open("/proc", O_WRONLY), -EISDIR);
  cr_assert_eq(room_open("/proc/self/cwd", O_RDONLY | O_NOFOLLOW), -ELOOP);
  cr_assert_eq(room_open("/proc/self/nothing", O_RDONLY), -ENOENT);
}

Test(procfs, a_directory_is_a_placeholder_that_is_known_again) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE, back DZ_NODE = DZ_NODE_NONE;
  int fd DZ_FD = -1;

  room_guest(NULL, NULL);
  cr_assert_eq(room_walk("/proc/self/fd", DZ_WALK_FOLLOW, &node), 0);
  fd = room_open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
  cr_assert_geq(fd, 0);
  cr_assert_eq(dz_vfs_node_of(&room.view, dz_reopen(fd, O_PATH), &back), 0);
  cr_assert(dz_node_same(&node, &back));
}

Test(procfs, on_the_receiver_maps_is_put_off) {
  room_guest(NULL, NULL);
  room.view.may_block = false;
  cr_assert_eq(room_open("/proc/self/maps", O_RDONLY), -DZ_EBLOCK);
  cr_assert_geq(room_open("/proc/self/stat", O_RDONLY), 0);
}

Test(procfs, nothing_can_be_made_or_removed) {
  struct dz_node proc DZ_NODE = DZ_NODE_NONE;
  struct dz_open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 0644};

  cr_assert_eq(room_walk("/proc", 0, &proc), 0);
  cr_assert_eq(proc.mount->ops->create(&room.view, &proc, "new", &how), -ENOENT);
  cr_assert_eq(proc.mount->ops->mkdir(&proc, "new", 0755), -ENOENT);
  cr_assert_null(proc.mount->ops->unlink);
  cr_assert_null(proc.mount->ops->rename);
}

/* ---- the root and sys ---- */

Test(procfs, sys_has_the_hosts_values_and_the_silos_names) {
  char *name DZ_FREE = NULL, *release DZ_FREE = NULL, *first DZ_FREE = NULL, *second DZ_FREE = NULL;
  struct utsname host;

  room_guest(NULL, NULL);
  uname(&host);
  name = room_read("/proc/sys/kernel/hostname");
  release = room_read("/proc/sys/kernel/osrelease");
  first = room_read("/proc/sys/kernel/random/uuid");
  second = room_read("/proc/sys/kernel/random/uuid");
  cr_assert_str_eq(name, "guesthost\n");
  cr_assert_str_eq(release, room_format("%s\n", host.release));
  cr_assert_eq(strlen(first), 37);
  cr_assert_str_neq(first, second);
}

Test(procfs, live_files_stay_live) {
  char before[64] = "", after[64] = "";
  int fd DZ_FD = -1;

  room_guest(NULL, NULL);
  fd = room_open("/proc/uptime", O_RDONLY);
  cr_assert_gt(pread(fd, before, sizeof before - 1, 0), 0);
  usleep(30000);
  cr_assert_gt(pread(fd, after, sizeof after - 1, 0), 0);
  cr_assert_str_neq(before, after);
}

Test(procfs, what_shows_others_is_left_out) {
  static const char *const names[] = {
      "kcore",      "kmsg",       "keys",    "kallsyms", "sysrq-trigger",
      "timer_list", "interrupts", "sysvipc", "fs",       "bus"};
  struct stat st;

  room_guest(NULL, NULL);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(names); i++)
    cr_assert_eq(room_stat(room_format("/proc/%s", names[i]), &st), -ENOENT, "%s", names[i]);
}

static void lock_a_file(void) {
  int fd = open(room_format("%s/etc/locked", room.root), O_CREAT | O_RDWR, 0600);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

  if (fcntl(fd, F_SETLK, &lock))
    _exit(1);
}

Test(procfs, locks_are_those_of_members) {
  char *text DZ_FREE = NULL;
  int fd DZ_FD = open(room_format("%s/other", room.scratch), O_CREAT | O_RDWR, 0600);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  pid_t guest = room_guest(lock_a_file, NULL);

  cr_assert_eq(fcntl(fd, F_SETLK, &lock), 0);
  text = room_read("/proc/locks");
  cr_assert_not_null(strstr(text, room_format(" %d ", guest)));
  cr_assert_null(strstr(text, room_format(" %d ", getpid())));
}

Test(procfs, mountinfo_has_the_guests_mounts) {
  char *text DZ_FREE = NULL, *mounts DZ_FREE = NULL, *filesystems DZ_FREE = NULL;
  int id, parent, lines = 0;

  room_guest(NULL, NULL);
  text = room_read("/proc/self/mountinfo");
  for (const char *line = text; *line; line = strchr(line, '\n') + 1, lines++) {
    char where[64], type[32];

    cr_assert_eq(sscanf(line, "%d %d %*u:%*u / %63s %*s - %31s", &id, &parent, where, type), 4,
                 "%s", line);
    cr_assert_eq(parent, 1);
    cr_assert(strcmp(where, "/proc") != 0 || strcmp(type, "proc") == 0);
  }
  cr_assert_eq(lines, 4);
  cr_assert_null(strstr(text, room.scratch), "a host directory is told:\n%s", text);
  mounts = room_read("/proc/mounts");
  cr_assert_not_null(strstr(mounts, "\nproc /proc proc rw,relatime 0 0\n"));
  filesystems = room_read("/proc/filesystems");
  cr_assert_not_null(strstr(filesystems, "nodev\tproc\n"));
}
