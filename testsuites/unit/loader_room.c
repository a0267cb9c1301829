#include "testsuites/unit/loader_room.h"
#include "host/calls.h"
#include "loader/directory.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PATIENCE_SECONDS 20 /* for a program that does not end */

static int open_for_execution(void *context, const char *path, int *fd) {
  struct loader_room *room = context;
  int opened DZ_FD = openat(room->fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat stat;

  if (opened < 0)
    return -errno;
  cr_assert_eq(fstat(opened, &stat), 0);
  if (!S_ISREG(stat.st_mode) || faccessat(room->fd, path, X_OK, AT_EACCESS) < 0)
    return -EACCES;
  *fd = dz_steal_fd(&opened);
  return 0;
}

void loader_room_make(struct loader_room *room, uint64_t limit) {
  const char *parent = getenv("TMPDIR");
  struct dz_error error = {0};
  char path[128];

  *room = (struct loader_room){.source = {open_for_execution, room}};
  if (!parent || strlen(parent) > sizeof room->path - 24)
    parent = "/tmp";
  snprintf(room->path, sizeof room->path, "%s/loader-XXXXXX", parent);
  cr_assert_not_null(mkdtemp(room->path));
  room->fd = open(room->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cr_assert_geq(room->fd, 0);
  snprintf(path, sizeof path, "%s/cache", room->path);
  cr_assert_eq(dz_cache_open(path, limit, &room->cache, &error), 0, "%s", error.text);
  snprintf(path, sizeof path, "%s/run", room->path);
  cr_assert_eq(dz_programs_open(path, room->cache, &room->programs, &error), 0, "%s", error.text);
}

void loader_room_remove(struct loader_room *room) {
  dz_programs_remove(room->programs);
  dz_cache_close(room->cache);
  cr_assert_eq(dz_directory_clear(room->fd), 0);
  close(room->fd);
  cr_assert_eq(rmdir(room->path), 0);
}

void loader_room_write(struct loader_room *room, const char *name, const void *bytes, size_t size,
                       mode_t mode) {
  int fd DZ_FD = -1;

  unlinkat(room->fd, name, 0);
  fd = openat(room->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
  cr_assert_eq(dz_write_all(fd, bytes, size), 0);
  cr_assert_eq(fchmod(fd, mode), 0);
}

static _Noreturn void child(int cwd, const char *path, char *const argv[], int report) {
  char *const environment[] = {"A=b", NULL};
  struct rlimit none = {0, 0};
  int null = open("/dev/null", O_RDWR), error = 0;

  if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || fchdir(cwd) < 0 ||
      setrlimit(RLIMIT_CORE, &none) < 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
    _exit(126);
  alarm(PATIENCE_SECONDS);
  execve(path, argv, environment);
  error = -errno;
  if (write(report, &error, sizeof error) != sizeof error)
    _exit(125);
  _exit(0);
}

static void look_at(pid_t pid, struct loader_outcome *outcome) {
  char path[64];
  ssize_t size;

  snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  size = dz_read_file_at(AT_FDCWD, path, outcome->cmdline, sizeof outcome->cmdline);
  outcome->size = size < 0 ? 0 : (size_t)size;
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  cr_assert_geq(dz_read_file_at(AT_FDCWD, path, outcome->comm, sizeof outcome->comm), 0);
}

/* vfork, because this is done thousands of times and fork is slow under AddressSanitizer. */
static pid_t start(int cwd, const char *path, char *const argv[], int report) {
  pid_t pid = vfork();

  if (pid == 0)
    child(cwd, path, argv, report); // NOLINT(clang-analyzer-unix.Vfork): no state is shared
  return pid;
}

void loader_execute(int cwd, const char *path, char *const argv[], struct loader_outcome *outcome) {
  bool looked = false;
  int report[2];
  pid_t pid;

  memset(outcome, 0, sizeof *outcome);
  cr_assert_eq(pipe2(report, O_CLOEXEC), 0);
  pid = start(cwd, path, argv, report[1]);
  cr_assert_geq(pid, 0);
  close(report[1]);
  while (waitpid(pid, &outcome->status, 0) == pid && WIFSTOPPED(outcome->status)) {
    int signal = WSTOPSIG(outcome->status);

    if (!looked && signal == SIGTRAP) {
      look_at(pid, outcome);
      looked = true;
      signal = 0;
    }
    ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)signal);
  }
  if (read(report[0], &outcome->error, sizeof outcome->error) != sizeof outcome->error)
    outcome->error = 0;
  close(report[0]);
}

/* argv as the kernel's script handler would make it. */
static void execute_plan(struct loader_room *room, const struct dz_plan *plan, const char *path,
                         char *const argv[], struct loader_outcome *outcome,
                         struct dz_error *error) {
  struct dz_program_name name;
  char *arguments[64] = {0};
  size_t count = 0, i;

  outcome->error = dz_programs_prepare(room->programs, plan, path, true, &name, error);
  if (outcome->error < 0)
    return;
  for (i = 0; i < plan->prefix_count; i++)
    arguments[count++] = plan->prefix[i];
  for (i = plan->prefix_count > 0 ? 1 : 0; argv[i]; i++)
    arguments[count++] = argv[i];
  cr_assert_lt(count, DZ_ARRAY_SIZE(arguments));
  loader_execute(dz_programs_directory_fd(room->programs), name.path, arguments, outcome);
}

void loader_plan_execute(struct loader_room *room, const char *path, char *const argv[],
                         struct loader_outcome *outcome, struct dz_error *error) {
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  int fd DZ_FD = -1;

  memset(outcome, 0, sizeof *outcome);
  outcome->error = open_for_execution(room, path, &fd);
  if (outcome->error == 0)
    outcome->error = dz_plan_make(&room->source, fd, path, &plan, error);
  if (outcome->error == 0)
    execute_plan(room, &plan, path, argv, outcome, error);
}

static bool same_error(struct loader_room *room, const char *what, const char *path,
                       char *const argv[], struct loader_outcome *native,
                       struct loader_outcome *planned) {
  struct dz_error error = {0};

  loader_execute(room->fd, path, argv, native);
  loader_plan_execute(room, path, argv, planned, &error);
  cr_expect_eq(planned->error, native->error, "%s: %s, natively %s (%s)", what,
               strerror(-planned->error), strerror(-native->error), error.text);
  return planned->error == native->error;
}

void loader_compare_errors(struct loader_room *room, const char *what, const char *path,
                           char *const argv[]) {
  struct loader_outcome native, planned;

  same_error(room, what, path, argv, &native, &planned);
}

void loader_compare(struct loader_room *room, const char *what, const char *path,
                    char *const argv[]) {
  struct loader_outcome native, planned;

  if (!same_error(room, what, path, argv, &native, &planned) || native.error < 0)
    return;
  cr_expect_eq(planned.status, native.status, "%s: status %#x, natively %#x", what, planned.status,
               native.status);
  cr_expect(planned.size == native.size &&
                memcmp(planned.cmdline, native.cmdline, native.size) == 0,
            "%s: the arguments differ", what);
  cr_expect_str_eq(planned.comm, native.comm, "%s", what);
}

int loader_shell(struct loader_room *room, const char *command) {
  char line[1024];
  int status;

  snprintf(line, sizeof line, "cd '%s' && { %s; } >output 2>&1", room->path, command);
  status = system(line);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

size_t loader_count(struct loader_room *room, const char *path, const char *prefix) {
  int fd = openat(room->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fdopendir(fd);
  struct dirent *entry;
  size_t count = 0;

  cr_assert_not_null(stream, "%s", path);
  while ((entry = readdir(stream)))
    if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
      count++;
  closedir(stream);
  return count;
}
