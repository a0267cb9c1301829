/* A process's directory in /proc: what it says, where its links lead, who may look. */
#include "testsuites/unit/madeup_room.h"

#include "host/calls.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

TestSuite(procfs_process, .init = room_make, .fini = room_free);

static const char *of_guest(const char *name) {
  return room_format("/proc/%d/%s", (int)room.view.tgid, name);
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

Test(procfs_process, status_tells_the_guests_identity) {
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

Test(procfs_process, status_hides_no_new_privs) {
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

Test(procfs_process, the_reader_of_its_own_state_runs) {
  char *own DZ_FREE = NULL, *other DZ_FREE = NULL, *status DZ_FREE = NULL;
  char host[1024];

  room_guest(NULL, NULL);
  do /* until it waits for its end */
    host_stat(room.view.tid, host);
  while (*field(host, 3) != 'S');
  own = room_read("/proc/self/stat");
  status = room_read("/proc/self/status");
  room.view.tid = room.view.tgid = room_guest(NULL, NULL);
  other = room_read(room_format("/proc/%d/stat", room.guests[0]));
  cr_assert_eq(*field(own, 3), 'R');
  cr_assert_not_null(strstr(status, "\nState:\tR (running)\n"));
  cr_assert_eq(*field(other, 3), 'S');
}

static void have_a_child(void) {
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pause();
    _exit(0);
  }
}

Test(procfs_process, children_are_members) {
  pid_t guest = room_guest(have_a_child, NULL), child;
  const char *path = room_format("/proc/%d/task/%d/children", guest, guest);
  char *before DZ_FREE = NULL, *after DZ_FREE = NULL, host[64] = "";

  if (access(path, F_OK)) {
    cr_log_warn("this host has no children files (CONFIG_PROC_CHILDREN): not tried");
    return;
  }
  before = room_read(path);
  cr_assert_str_eq(before, "", "a child that carries no tag is none");
  cr_assert_gt(dz_read_file_at(AT_FDCWD, path, host, sizeof host), 0);
  child = atoi(host);
  room_adopt(child, NULL, "/bin/program");
  after = room_read(path);
  cr_assert_str_eq(after, room_format("%d ", child));
}

static void be_named_oddly(void) {
  prctl(PR_SET_NAME, "a) R 1 (b", 0, 0, 0);
}

Test(procfs_process, stat_is_the_hosts_but_for_its_relations) {
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

Test(procfs_process, parents_are_members_or_1) {
  char *first DZ_FREE = NULL, *second DZ_FREE = NULL;

  room_guest(NULL, NULL);
  first = room_read(room_format("/proc/%d/stat", room_guest(NULL, NULL)));
  cr_assert_eq(atoi(field(first, 4)), 1, "a child of the supervisor is an orphan");
  room_adopt(getpid(), NULL, "/bin/program");
  second = room_read(room_format("/proc/%d/status", room.guests[1]));
  cr_assert_not_null(strstr(second, room_format("\nPPid:\t%d\n", getpid())));
}

Test(procfs_process, groups_led_from_outside_are_0) {
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

Test(procfs_process, the_silos_own_session_is_shown) {
  pid_t guest = room_guest(be_a_leader, NULL);
  char *text DZ_FREE = room_read(of_guest("stat"));

  cr_assert_eq(atoi(field(text, 5)), guest);
  cr_assert_eq(atoi(field(text, 6)), guest);
}

Test(procfs_process, limits_hide_the_state_tag) {
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

Test(procfs_process, cwd_root_and_exe_are_the_records) {
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

Test(procfs_process, a_process_that_has_ended_has_no_exe) {
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

Test(procfs_process, namespaces_can_be_compared_but_not_opened) {
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

/* ---- who may look ---- */

static const struct dz_identity alice = {.ruid = 1000,
                                         .euid = 1000,
                                         .suid = 1000,
                                         .fsuid = 1000,
                                         .rgid = 1000,
                                         .egid = 1000,
                                         .sgid = 1000,
                                         .fsgid = 1000};

Test(procfs_process, another_users_private_files_give_EACCES) {
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

Test(procfs_process, the_same_users_private_files_can_be_read) {
  char *text DZ_FREE = NULL;
  pid_t other;

  room_guest(NULL, &alice);
  other = room_guest(NULL, &alice);
  free(room_read(room_format("/proc/%d/environ", other)));
  text = room_list(room_format("/proc/%d/fd", other), 100);
  cr_assert(room_listed(text, "0"));
}

Test(procfs_process, files_belong_to_the_processs_user) {
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
