/* Landlock, the third wall: what a confined process may execute, read, signal, trace and name. */
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* include/uapi/linux/landlock.h: scopes came with ABI 6 (Linux 6.12) */
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

struct ruleset_with_scopes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

#define FILE_RIGHTS                                                                                \
  (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static int landlock_abi(void) {
  return (int)dz_result(
      syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

static int no_landlock(struct dz_probe_report *report, int err) {
  return dz_probe_lacks(report, err, "landlock_create_ruleset (Linux 5.13): %s", strerror(-err));
}

/* Confine this process: FILE_RIGHTS only beneath allowed (-1: files are left alone), scopes. */
static int confine(int allowed, uint64_t scopes) {
  struct ruleset_with_scopes rules = {.handled_access_fs = FILE_RIGHTS, .scoped = scopes};
  struct landlock_path_beneath_attr beneath = {.allowed_access = FILE_RIGHTS, .parent_fd = allowed};
  size_t size = scopes ? sizeof rules : sizeof rules.handled_access_fs;
  int set DZ_FD = -1;

  if (allowed < 0)
    rules.handled_access_fs = 0;
  set = (int)dz_result(syscall(SYS_landlock_create_ruleset, &rules, size, 0));
  if (set < 0)
    return set;
  if (allowed >= 0 &&
      syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
    return -errno;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int)dz_result(syscall(SYS_landlock_restrict_self, set, 0));
}

/* scratch/{allowed,denied}/{program,file} */
static int make_tree(int scratch) {
  static const char *const directories[] = {"allowed", "denied"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(directories); i++) {
    char path[64];

    if (mkdirat(scratch, directories[i], 0700) < 0)
      return -errno;
    snprintf(path, sizeof path, "%s/file", directories[i]);
    if (dz_probe_write_file(scratch, path, "text\n") < 0)
      return -EIO;
    snprintf(path, sizeof path, "%s/program", directories[i]);
    if (dz_probe_write_program(scratch, path) < 0)
      return -EIO;
  }
  return openat(scratch, "allowed", O_PATH | O_CLOEXEC);
}

/* The status of a program executed by a child, or -errno of its exec. */
static int execute(int directory, const char *path) {
  char *arguments[] = {"program", NULL};
  char *environment[] = {NULL};
  int *error = dz_probe_shared(sizeof *error);
  pid_t child = dz_probe_fork();
  int status;

  if (child == 0) {
    syscall(SYS_execveat, directory, path, arguments, environment, 0);
    *error = -errno;
    _exit(1);
  }
  status = dz_probe_wait(child);
  return *error ? *error : status;
}

static int read_open(int directory, const char *path) {
  int fd DZ_FD = openat(directory, path, O_RDONLY | O_CLOEXEC);

  return fd < 0 ? -errno : 0;
}

/* Executing and reading are denied outside the one allowed directory, and work in it. */
int dz_probe_landlock_files(struct dz_probe_report *report) {
  int abi = landlock_abi();
  int allowed, err;

  if (abi < 0)
    return no_landlock(report, abi);
  allowed = make_tree(report->scratch);
  if (allowed < 0)
    return dz_probe_lacks(report, allowed, "no files to test with: %s", strerror(-allowed));
  if (execute(report->scratch, "denied/program") != DZ_PROBE_PROGRAM_STATUS)
    return dz_probe_lacks(report, -EPROTO, "the program does not run unconfined");
  err = confine(allowed, 0);
  if (err)
    return dz_probe_lacks(report, err, "ABI %d; landlock_restrict_self: %s", abi, strerror(-err));
  if (execute(report->scratch, "allowed/program") != DZ_PROBE_PROGRAM_STATUS ||
      read_open(report->scratch, "allowed/file") != 0)
    return dz_probe_lacks(report, -EPROTO, "ABI %d; what is allowed is denied", abi);
  if (execute(report->scratch, "denied/program") != -EACCES)
    return dz_probe_lacks(report, -EPROTO, "ABI %d; execution is not denied", abi);
  if (read_open(report->scratch, "denied/file") != -EACCES ||
      read_open(report->scratch, "denied") != -EACCES)
    return dz_probe_lacks(report, -EPROTO, "ABI %d; reading is not denied", abi);
  return dz_probe_ok(report, "ABI %d; execution and reading are denied outside", abi);
}

/* A name in the abstract namespace that nobody else uses; returns its length for bind(2). */
static socklen_t abstract_name(struct sockaddr_un *address, pid_t owner) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "denizen-probe-%d", (int)owner);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address->sun_path + 1));
}

enum { REACHED_SIGNAL = 1, REACHED_TRACE = 2, REACHED_SOCKET = 4, REACHED_CHILD_NOT = 8 };

/* In a confined child: what of the outside can be reached? */
static int reach_out(pid_t outsider, const struct sockaddr_un *address, socklen_t length) {
  int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pid_t inner;
  int reached = 0;

  if (kill(outsider, 0) == 0 || errno != EPERM)
    reached |= REACHED_SIGNAL;
  if (connect(connection, (const struct sockaddr *)address, length) == 0 || errno != EPERM)
    reached |= REACHED_SOCKET;
  if (ptrace(PTRACE_SEIZE, outsider, 0, 0) == 0 || errno != EPERM)
    reached |= REACHED_TRACE;
  inner = dz_probe_fork();
  if (inner == 0)
    for (;;)
      pause();
  if (kill(inner, SIGTERM) < 0 || dz_probe_wait(inner) != 128 + SIGTERM)
    reached |= REACHED_CHILD_NOT;
  return reached;
}

/* ABI 6: processes outside can be neither signalled nor traced, abstract sockets not reached. */
int dz_probe_landlock_scopes(struct dz_probe_report *report) {
  int abi = landlock_abi();
  struct sockaddr_un address;
  socklen_t length = abstract_name(&address, getpid());
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pid_t outsider, confined;
  int reached;

  if (abi < 0)
    return no_landlock(report, abi);
  if (abi < 6)
    return dz_probe_lacks(report, -ENOTSUP, "ABI %d; scopes came with 6 (Linux 6.12)", abi);
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4) < 0)
    return dz_probe_lacks(report, -errno, "bind: %s", strerror(errno));
  outsider = dz_probe_fork();
  if (outsider == 0)
    for (;;)
      pause();
  if (kill(outsider, 0) < 0)
    return dz_probe_lacks(report, -errno, "kill unconfined: %s", strerror(errno));
  confined = dz_probe_fork();
  if (confined == 0) {
    int err = confine(-1, LANDLOCK_SCOPE_SIGNAL | LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET);

    _exit(err ? 64 : reach_out(outsider, &address, length));
  }
  reached = dz_probe_wait(confined);
  if (reached != 0)
    return dz_probe_lacks(report, -EPROTO, "ABI %d; %s%s%s%s%s", abi,
                          reached & REACHED_SIGNAL ? "signals go out; " : "",
                          reached & REACHED_TRACE ? "tracing goes out; " : "",
                          reached & REACHED_SOCKET ? "an abstract socket is reached; " : "",
                          reached & REACHED_CHILD_NOT ? "an own child is not reached; " : "",
                          reached >= 64 ? "confining failed" : "");
  return dz_probe_ok(report, "ABI %d; signals, tracing, abstract sockets stay inside", abi);
}

/* Landlock denies neither O_PATH opens nor stat nor sockets by path: it is not the first wall. */
int dz_probe_fact_landlock_names(struct dz_probe_report *report) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "denied/socket"};
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct stat status;
  int abi = landlock_abi();
  int allowed, err;

  if (abi < 0)
    return no_landlock(report, abi);
  allowed = make_tree(report->scratch);
  if (allowed < 0 || fchdir(report->scratch) < 0 ||
      bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4) < 0)
    return dz_probe_lacks(report, -errno, "no files to test with: %s", strerror(errno));
  err = confine(allowed, 0);
  if (err)
    return dz_probe_lacks(report, err, "landlock_restrict_self: %s", strerror(-err));
  if (open("denied/file", O_PATH | O_CLOEXEC) < 0)
    return dz_probe_lacks(report, -EPROTO, "O_PATH is denied");
  if (stat("denied/file", &status) < 0)
    return dz_probe_lacks(report, -EPROTO, "stat is denied");
  if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0)
    return dz_probe_lacks(report, -EPROTO, "a socket by path is denied: %s", strerror(errno));
  return dz_probe_ok(report, "O_PATH, stat and connect by path pass");
}
