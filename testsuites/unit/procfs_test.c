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

/* ---- status, stat, limits ---- */

static const struct dz_identity somebody = {.ruid = 10,
                                            .euid = 11,
                                            .suid = 12,
                                            .fsuid = 13,
                                            .rgid = 20,
                                            .egid = 21,
                                            .sgid = 22,
                                            .fsgid = 23,
                                            .effective = 0x5,
                                            .permitted = 0x7,
                                            .bounding = 0xff,
                                            .group_count = 2,
                                            .groups = {30, 31}};

Test(procfs, status_tells_the_guests_identity) {
  static const char *const lines[] = {"Umask:\t0027",
                                      "PPid:\t0",
                                      "TracerPid:\t0",
                                      "Uid:\t10\t11\t12\t13",
                                      "Gid:\t20\t21\t22\t23",
                                      "Groups:\t30 31 ",
                                      "CapInh:\t0000000000000000",
                                      "CapPrm:\t0000000000000007",
                                      "CapEff:\t0000000000000005",
                                      "CapBnd:\t00000000000000ff",
                                      "NoNewPrivs:\t0",
                                      "Seccomp:\t0",
                                      "Seccomp_filters:\t0"};
  char *text DZ_FREE = NULL, line[512];

  room_guest(NULL, &somebody);
  text = room_read(of_guest("status"));
  for (size_t i = 0; i < DZ_ARRAY_SIZE(lines); i++)
    cr_assert_not_null(strstr(text, room_format("\n%s\n", lines[i])), "%s", lines[i]);
  cr_assert_str_eq(room_line(text, "Pid:", line), room_format("Pid:\t%d", room.view.tid));
}

static void be_without_privileges(void) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

Test(procfs, status_hides_no_new_privs) {
  char *text DZ_FREE = NULL, line[512];

  room_guest(be_without_privileges, NULL);
  text = room_read(of_guest("status"));
  cr_assert_str_eq(room_line(text, "NoNewPrivs:", line), "NoNewPrivs:\t0");
}

/* The host's line of /proc/PID/stat. */
static void host_stat(pid_t pid, char text[1024]) {
  char path[64];

  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  cr_assert_gt(dz_read_file_at(AT_FDCWD, path, text, 1024), 0);
}

static const char *field(const char *stat, int number) {
  const char *at = strrchr(stat, ')');

  for (int i = 2; i < number; i++)
    at = strchr(at + 1, ' ');
  return at + 1;
}

static void be_named_oddly(void) {
  prctl(PR_SET_NAME, "a) R 1 (b", 0, 0, 0);
}

Test(procfs, stat_is_the_hosts_but_for_its_relations) {
  pid_t guest = room_guest(be_named_oddly, NULL);
  char *text DZ_FREE = room_read(of_guest("stat"));
  char host[1024];

  host_stat(guest, host);
  cr_assert_eq(strncmp(text, room_format("%d (a) R 1 (b) ", guest), 10), 0, "%s", text);
  cr_assert_eq(atoi(field(text, 4)), 0, "the first process has no parent");
  cr_assert_eq(atoi(field(host, 4)), getpid(), "the test must show a difference");
  cr_assert_eq(atoll(field(text, 22)), atoll(field(host, 22)), "start time");
  cr_assert_str_eq(strchr(field(text, 38), ' '), strchr(field(host, 38), ' '));
}

Test(procfs, parents_are_members_or_1) {
  char *first DZ_FREE = NULL, *second DZ_FREE = NULL;

  room_guest(NULL, NULL);
  first = room_read(room_format("/proc/%d/stat", room_guest(NULL, NULL)));
  cr_assert_eq(atoi(field(first, 4)), 1, "a child of the supervisor is an orphan");
  room_adopt(getpid(), NULL, "/bin/program");
  second = room_read(room_format("/proc/%d/status", room.guests[1]));
  cr_assert_not_null(strstr(second, room_format("\nPPid:\t%d\n", getpid())));
}

Test(procfs, groups_led_from_outside_are_0) {
  char *text DZ_FREE = NULL;
  char host[1024];

  room_guest(NULL, NULL);
  text = room_read(of_guest("stat"));
  host_stat(room.view.tid, host);
  cr_assert_neq(atoi(field(host, 6)), 0, "the test must run in a session");
  cr_assert_eq(atoi(field(text, 6)), 0);
}

static void be_a_leader(void) {
  setsid();
}

Test(procfs, the_silos_own_session_is_shown) {
  pid_t guest = room_guest(be_a_leader, NULL);
  char *text DZ_FREE = room_read(of_guest("stat"));

  cr_assert_eq(atoi(field(text, 5)), guest);
  cr_assert_eq(atoi(field(text, 6)), guest);
}

Test(procfs, limits_hide_the_state_tag) {
  char *text DZ_FREE = NULL, *plain DZ_FREE = malloc(8192), line[512], host[512];
  uint64_t tag;

  room_guest(NULL, NULL);
  text = room_read(of_guest("limits"));
  cr_assert_eq(dz_tag_read(room.view.tid, &tag), 0);
  cr_assert_null(strstr(text, room_format("%llu", (unsigned long long)tag)));
  cr_assert_gt(dz_read_file_at(AT_FDCWD, "/proc/self/limits", plain, 8192), 0);
  cr_assert_str_eq(room_line(text, "Max file locks", line),
                   room_line(plain, "Max file locks", host));
}

/* ---- links ---- */

Test(procfs, cwd_root_and_exe_are_the_records) {
  static const char *const links[][2] = {{"cwd", "/work"}, {"root", "/"}, {"exe", "/bin/program"}};

  room_guest(NULL, NULL);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(links); i++) {
    struct dz_node node DZ_NODE = DZ_NODE_NONE, own DZ_NODE = DZ_NODE_NONE;
    char text[PATH_MAX];

    cr_assert_gt(room_link(of_guest(links[i][0]), text), 0);
    cr_assert_str_eq(text, links[i][1]);
    cr_assert_eq(room_walk(of_guest(links[i][0]), DZ_WALK_FOLLOW, &node), 0);
    cr_assert_eq(room_walk(links[i][1], 0, &own), 0);
    cr_assert(dz_node_same(&node, &own));
  }
}

Test(procfs, a_process_that_has_ended_has_no_exe) {
  struct dz_node node = DZ_NODE_NONE;
  siginfo_t info;
  pid_t second;
  char text[PATH_MAX];

  room_guest(NULL, NULL);
  second = room_guest(NULL, NULL);
  close(room.guest_pipes[1]);
  room.guest_pipes[1] = -1;
  cr_assert_eq(waitid(P_PID, (id_t)second, &info, WEXITED | WNOWAIT), 0);
  cr_assert_eq(room_link(room_format("/proc/%d/exe", second), text), -ENOENT);
  cr_assert_eq(room_walk(room_format("/proc/%d/cwd", second), DZ_WALK_FOLLOW, &node), -ENOENT);
  free(room_read(room_format("/proc/%d/stat", second)));
}

Test(procfs, namespaces_can_be_compared_but_not_opened) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  char text[PATH_MAX], host[PATH_MAX] = "";
  struct stat st;

  room_guest(NULL, NULL);
  cr_assert_gt(room_link(of_guest("ns/pid"), text), 0);
  cr_assert_gt(readlink("/proc/self/ns/pid", host, sizeof host - 1), 0);
  cr_assert_str_eq(text, host);
  cr_assert_eq(room_walk(of_guest("ns/pid"), DZ_WALK_FOLLOW, &node), 0);
  cr_assert_eq(node.mount->ops->stat(&room.view, &node, &st), 0);
  cr_assert(strstr(text, room_format("[%lu]", (unsigned long)st.st_ino)));
  cr_assert_eq(room_open(of_guest("ns/pid"), O_RDONLY), -EACCES);
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

/* ---- who may look ---- */

static const struct dz_identity alice = {.ruid = 1000,
                                         .euid = 1000,
                                         .suid = 1000,
                                         .fsuid = 1000,
                                         .rgid = 1000,
                                         .egid = 1000,
                                         .sgid = 1000,
                                         .fsgid = 1000};

Test(procfs, another_users_private_files_give_EACCES) {
  static const char *const files[] = {"environ", "maps", "mem",      "io", "auxv",
                                      "fd",      "fd/0", "fdinfo/0", "exe"};
  char text[PATH_MAX];
  pid_t other;

  room_guest(NULL, &alice);
  other = room_guest(NULL, NULL);
  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++)
    cr_assert_eq(room_open(room_format("/proc/%d/%s", other, files[i]), O_RDONLY), -EACCES, "%s",
                 files[i]);
  cr_assert_eq(room_link(room_format("/proc/%d/cwd", other), text), -EACCES);
  free(room_read(room_format("/proc/%d/stat", other)));
  free(room_read(room_format("/proc/%d/cmdline", other)));
  free(room_read("/proc/self/environ"));
}

Test(procfs, the_same_users_private_files_can_be_read) {
  char *text DZ_FREE = NULL;
  pid_t other;

  room_guest(NULL, &alice);
  other = room_guest(NULL, &alice);
  free(room_read(room_format("/proc/%d/environ", other)));
  text = room_list(room_format("/proc/%d/fd", other), 100);
  cr_assert(room_listed(text, "0"));
}

Test(procfs, files_belong_to_the_processs_user) {
  static const struct {
    const char *name;
    mode_t mode;
  } files[] = {{"", S_IFDIR | 0555},      {"/stat", S_IFREG | 0444}, {"/environ", S_IFREG | 0400},
               {"/fd", S_IFDIR | 0500},   {"/exe", S_IFLNK | 0777},  {"/comm", S_IFREG | 0644},
               {"/task", S_IFDIR | 0555}, {"/ns", S_IFDIR | 0511}};
  pid_t guest = room_guest(NULL, &alice);
  struct stat st;

  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    cr_assert_eq(room_stat(room_format("/proc/%d%s", guest, files[i].name), &st), 0);
    cr_assert_eq(st.st_mode, files[i].mode, "%s: %o", files[i].name, st.st_mode);
    cr_assert_eq(st.st_uid, 1000, "%s", files[i].name);
    cr_assert_eq(major(st.st_dev), 0);
  }
  cr_assert_eq(room_stat("/proc/stat", &st), 0);
  cr_assert_eq(st.st_uid, 0);
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
  mounts = room_read("/proc/mounts");
  cr_assert_not_null(strstr(mounts, "\nproc /proc proc rw,relatime 0 0\n"));
  filesystems = room_read("/proc/filesystems");
  cr_assert_not_null(strstr(filesystems, "nodev\tproc\n"));
}
