/* fexecve, execveat(2) and posix_spawn. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <spawn.h>

extern char **environ;
static char *arguments[] = {"name", "@say_hello", NULL};

ROLE(say_hello) {
  say("hello from argv[0] %s\n", argv[0]);
  return 5;
}

/* Run a call that executes something, in a child. */
#define IN_CHILD(call)                                                                             \
  do {                                                                                             \
    pid_t child_of_macro = fork();                                                                 \
    if (child_of_macro == 0) {                                                                     \
      show(call);                                                                                  \
      _exit(99);                                                                                   \
    }                                                                                              \
    expect_exit(child_of_macro, 5);                                                                \
  } while (0)

CASE(fexecve_executes_an_open_file) {
  int fd = must(open(guest_self, O_RDONLY | O_CLOEXEC));

  IN_CHILD(fexecve(fd, arguments, environ));
  fd = must(open(guest_self, O_PATH | O_CLOEXEC));
  IN_CHILD(fexecve(fd, arguments, environ));
  fails(fexecve(99, arguments, environ), EBADF);
}

CASE(execveat_with_AT_EMPTY_PATH_executes_an_open_file) {
  int fd = must(open(guest_self, O_RDONLY));

  IN_CHILD(raw_execveat(fd, "", arguments, environ, AT_EMPTY_PATH));
  fails(raw_execveat(fd, "", arguments, environ, 0), ENOENT);
  fails(raw_execveat(99, "", arguments, environ, AT_EMPTY_PATH), EBADF);
}

CASE(execveat_starts_at_a_directory) {
  int dir, file;

  must(mkdir("d", 0755));
  copy_self("d/prog", 0755);
  dir = must(open("d", O_RDONLY));
  file = must(open("d/prog", O_RDONLY));
  IN_CHILD(raw_execveat(dir, "prog", arguments, environ, 0));
  IN_CHILD(raw_execveat(dir, "../d/prog", arguments, environ, 0));
  IN_CHILD(raw_execveat(AT_FDCWD, "d/prog", arguments, environ, 0));
  IN_CHILD(raw_execveat(99, guest_self, arguments, environ, 0));
  fails(raw_execveat(dir, "missing", arguments, environ, 0), ENOENT);
  fails(raw_execveat(file, "prog", arguments, environ, 0), ENOTDIR);
  fails(raw_execveat(99, "prog", arguments, environ, 0), EBADF);
}

CASE(execveat_AT_SYMLINK_NOFOLLOW_refuses_symlinks) {
  must(symlink(guest_self, "link"));
  copy_self("prog", 0755);
  fails(raw_execveat(AT_FDCWD, "link", arguments, environ, AT_SYMLINK_NOFOLLOW), ELOOP);
  IN_CHILD(raw_execveat(AT_FDCWD, "link", arguments, environ, 0));
  IN_CHILD(raw_execveat(AT_FDCWD, "prog", arguments, environ, AT_SYMLINK_NOFOLLOW));
  fails(raw_execveat(AT_FDCWD, "prog", arguments, environ, 0x40000000), EINVAL);
}

CASE(an_unlinked_program_can_be_executed_by_its_descriptor) {
  int fd;

  copy_self("prog", 0755);
  fd = must(open("prog", O_RDONLY));
  must(unlink("prog"));
  IN_CHILD(raw_execveat(fd, "", arguments, environ, AT_EMPTY_PATH));
}

CASE(a_program_in_memory_can_be_executed) {
  char block[65536];
  int in = must(open(guest_self, O_RDONLY)), fd = must(memfd_create("program", 0));
  ssize_t count;

  while ((count = read(in, block, sizeof(block))) > 0)
    must(write(fd, block, count));
  IN_CHILD(raw_execveat(fd, "", arguments, environ, AT_EMPTY_PATH));
  snprintf(block, 64, "/proc/self/fd/%d", fd);
  in = must(open(block, O_RDONLY));
  must(close(fd));
  IN_CHILD(raw_execveat(in, "", arguments, environ, AT_EMPTY_PATH));
}

CASE(execveat_of_unsuitable_descriptors) {
  int ends[2], fd;

  put_file("f", "nonsense");
  fd = must(open("f", O_RDONLY));
  fails(raw_execveat(fd, "", arguments, environ, AT_EMPTY_PATH), EACCES);
  must(chmod("f", 0755));
  fails(raw_execveat(fd, "", arguments, environ, AT_EMPTY_PATH), ENOEXEC);
  fails(raw_execveat(AT_FDCWD, "", arguments, environ, AT_EMPTY_PATH), EACCES);
  must(pipe(ends));
  fails(raw_execveat(ends[0], "", arguments, environ, AT_EMPTY_PATH), EACCES);
}

CASE(a_script_executed_by_descriptor_sees_dev_fd) {
  char text[PATH_MAX];
  int fd;

  snprintf(text, sizeof(text), "#!%s @show_script\n", guest_self);
  put_file("script", text);
  must(chmod("script", 0755));
  fd = must(open("script", O_RDONLY));
  IN_CHILD(raw_execveat(fd, "", arguments, environ, AT_EMPTY_PATH));
  must(fcntl(fd, F_SETFD, FD_CLOEXEC)); /* the interpreter could not open it */
  fails(raw_execveat(fd, "", arguments, environ, AT_EMPTY_PATH), ENOENT);
}

ROLE(show_script) {
  say("argv[2] %s\n", argv[2]);
  ok(open(argv[2], O_RDONLY));
  return 5;
}

CASE(posix_spawn_starts_a_program) {
  pid_t child;

  must(-posix_spawn(&child, guest_self, NULL, NULL, arguments, environ));
  expect_exit(child, 5);
  must(setenv("PATH", "/nowhere", 1));
  copy_self("prog", 0755);
  must(-posix_spawnp(&child, "./prog", NULL, NULL, arguments, environ));
  expect_exit(child, 5);
}

CASE(posix_spawn_reports_that_exec_failed) {
  pid_t child;

  put_file("f", "");
  returns(posix_spawn(&child, "missing", NULL, NULL, arguments, environ), ENOENT);
  returns(posix_spawn(&child, "f", NULL, NULL, arguments, environ), EACCES);
  returns(posix_spawn(&child, "f/x", NULL, NULL, arguments, environ), ENOTDIR);
  must(chmod("f", 0755));
  returns(posix_spawn(&child, "f", NULL, NULL, arguments, environ), ENOEXEC);
  fails(wait(NULL), ECHILD);
}

CASE(posix_spawn_file_actions) {
  posix_spawn_file_actions_t actions;
  char text[64];
  pid_t child;

  must(-posix_spawn_file_actions_init(&actions));
  must(-posix_spawn_file_actions_addopen(&actions, 1, "out", O_CREAT | O_WRONLY, 0600));
  must(-posix_spawn_file_actions_adddup2(&actions, 1, 2));
  must(-posix_spawn_file_actions_addclose(&actions, 0));
  returns(posix_spawn(&child, guest_self, &actions, NULL, arguments, environ), 0);
  expect_exit(child, 5);
  show_bytes("out", text, get_file("out", text, sizeof(text)));
  show_stat("out");
  must(-posix_spawn_file_actions_addopen(&actions, 5, "missing", O_RDONLY, 0));
  returns(posix_spawn(&child, guest_self, &actions, NULL, arguments, environ), ENOENT);
}

CASE(posix_spawn_attributes) {
  posix_spawnattr_t attributes;
  sigset_t set;
  pid_t child;

  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  must(-posix_spawnattr_init(&attributes));
  must(-posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF));
  must(-posix_spawnattr_setpgroup(&attributes, 0));
  must(-posix_spawnattr_setsigmask(&attributes, &set));
  must(-posix_spawnattr_setsigdefault(&attributes, &set));
  signal(SIGUSR1, SIG_IGN);
  arguments[1] = "@show_attributes";
  must(-posix_spawn(&child, guest_self, NULL, &attributes, arguments, environ));
  expect_exit(child, 5);
}

ROLE(show_attributes) {
  struct sigaction action;
  sigset_t mask;

  sigprocmask(SIG_BLOCK, NULL, &mask);
  sigaction(SIGUSR1, NULL, &action);
  say("leader %s, blocked %d, default %s\n", getpgid(0) == getpid() ? "yes" : "no",
      sigismember(&mask, SIGUSR1), action.sa_handler == SIG_DFL ? "yes" : "no");
  return 5;
}

CASE(popen_runs_a_shell) {
  char line[64] = "";
  FILE *stream = popen("echo from the shell; exit 4", "r");

  check(stream && fgets(line, sizeof(line), stream));
  say("%s", line);
  is(pclose(stream), 4 << 8);
}
