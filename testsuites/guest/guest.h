/*
 * The frame of a guest test program: named cases, each one behaviour.
 *
 *   CASE(rmdir_of_a_file_fails_with_ENOTDIR) { put_file("f", ""); fails(rmdir("f"), ENOTDIR); }
 *
 * A program lists its cases when it is run without arguments, runs one case in the current
 * directory when it is given its name, and runs those that match a pattern, each in a directory
 * of its own below the current one, with --all [PATTERN]. Every case runs in a forked child, the
 * leader of a process group, with the umask 022 and 20 s to live.
 *
 * A case prints what the kernel answered and also says what the manual promises, so that a wrong
 * expectation shows natively. testsuites/guest/run.sh compares the output of a native run with
 * that of a guest, byte for byte. So nothing printed may depend on the run: no process number,
 * time, inode number, address or absolute path of a temporary directory.
 *
 * A program can execute itself: ROLE(name) defines what it does when its first argument is
 * "@name" or the environment variable GUEST_ROLE is "name".
 */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GUEST_SKIPPED = 77, GUEST_SECONDS = 20 };

struct guest_case {
  const char *name;
  void (*function)(void);
  struct guest_case *next;
};

struct guest_role {
  const char *name;
  int (*function)(int argc, char **argv);
  struct guest_role *next;
};

static struct guest_case *guest_cases, **guest_last_case = &guest_cases;
static struct guest_role *guest_roles;
static bool guest_failed;
static const char *guest_self; /* the absolute path of this program */

/* Who runs the cases, for what legitimately differs: "root" is the host's root; "nobody" an
 * ordinary user; "mapped-root" and "mapped-nobody" are numbers in a user namespace that has no
 * others (natively; a guest is told the same word); "plain" is run natively outside of the root
 * filesystem. */
static const char *guest_who;

#define CASE(case_name)                                                                            \
  static void case_name(void);                                                                     \
  __attribute__((constructor)) static void add_##case_name(void) {                                 \
    static struct guest_case entry = {#case_name, case_name, NULL};                                \
    *guest_last_case = &entry;                                                                     \
    guest_last_case = &entry.next;                                                                 \
  }                                                                                                \
  static void case_name(void)

#define ROLE(role_name)                                                                            \
  static int role_name(int argc, char **argv);                                                     \
  __attribute__((constructor)) static void add_##role_name(void) {                                 \
    static struct guest_role entry = {#role_name, role_name, NULL};                                \
    entry.next = guest_roles;                                                                      \
    guest_roles = &entry;                                                                          \
  }                                                                                                \
  static int role_name(int argc __attribute__((unused)), char **argv __attribute__((unused)))

#include "testsuites/guest/show.h"

/* End this case without a verdict. */
__attribute__((noreturn)) static inline void skip(const char *reason) {
  say("skip: %s\n", reason);
  _exit(GUEST_SKIPPED);
}

/* Permissions do not stop the superuser. */
static inline void need_ordinary_user(void) {
  if (geteuid() == 0)
    skip("the superuser is never refused");
}

static inline void need_superuser(void) {
  if (geteuid() != 0)
    skip("only the superuser may");
}

/* In a user namespace with one number, changing to any other is EINVAL, and the superuser has no
 * rights outside of it: nothing to compare with. */
static inline void need_unmapped(void) {
  if (strncmp(guest_who, "mapped", 6) == 0)
    skip("a user namespace with one number natively answers otherwise");
}

/* There must be files of somebody else; only the host's root could make them. */
static inline void need_foreign_files(void) {
  struct stat st;

  if (strcmp(guest_who, "plain") == 0 || stat("/etc/passwd", &st) < 0 || st.st_uid == geteuid())
    skip("all files here belong to this user");
}

/* Leave a forked child; its failures become the parent's through expect_exit. */
__attribute__((noreturn)) static inline void leave(void) {
  _exit(guest_failed ? 1 : 0);
}

static inline void guest_prepare(const char *directory) {
  sigset_t none;

  sigemptyset(&none);
  setpgid(0, 0);
  umask(022);
  if (directory && (mkdir(directory, 0755) < 0 || chdir(directory) < 0)) {
    say("cannot enter a directory of the case's own: %s\n", errno_name(errno));
    _exit(1);
  }
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Wait for the case's process and put its wait status in *status; false when it took too long. */
static inline bool guest_await(pid_t pid, int *status) {
  struct timespec now, end;
  sigset_t chld;

  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += GUEST_SECONDS;
  while (waitpid(pid, status, WNOHANG) == 0) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec >= end.tv_sec)
      return false;
    sigtimedwait(&chld, NULL, &(struct timespec){.tv_sec = end.tv_sec - now.tv_sec});
  }
  return true;
}

static inline bool guest_run(struct guest_case *test, const char *directory) {
  int status = 0;
  pid_t pid;
  bool ended;

  say("== %s\n", test->name);
  pid = fork();
  if (pid == 0) {
    guest_prepare(directory);
    test->function();
    leave();
  }
  setpgid(pid, pid); /* whoever comes first */
  ended = guest_await(pid, &status);
  kill(-pid, SIGKILL);
  if (!ended) {
    waitpid(pid, NULL, 0);
    say("-- no end within %d s\n", GUEST_SECONDS);
    return false;
  }
  if (WIFSIGNALED(status))
    say("-- signal %s\n", signal_name(WTERMSIG(status)));
  else
    say("-- exit %d\n", WEXITSTATUS(status));
  return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == GUEST_SKIPPED);
}

static inline int guest_run_all(const char *pattern) {
  bool good = true;

  for (struct guest_case *test = guest_cases; test; test = test->next)
    if (fnmatch(pattern, test->name, 0) == 0)
      good = guest_run(test, test->name) && good;
  return good ? 0 : 1;
}

static inline int guest_run_role(const char *name, int argc, char **argv) {
  for (struct guest_role *role = guest_roles; role; role = role->next)
    if (strcmp(name, role->name) == 0)
      return role->function(argc, argv);
  say("no role %s\n", name);
  return 1;
}

int main(int argc, char **argv) {
  const char *role = getenv("GUEST_ROLE");
  sigset_t chld;

  if (role || (argc > 1 && argv[1][0] == '@'))
    return guest_run_role(role ? role : argv[1] + 1, argc, argv);
  guest_self = realpath(argv[0], NULL);
  if (!guest_self)
    return 2;
  guest_who = geteuid() == 0 ? "root" : "nobody";
  if (argc > 2 && strcmp(argv[1], "--who") == 0) {
    guest_who = argv[2];
    argv += 2, argc -= 2;
  }
  for (int fd = 3; fd < 256; fd++)
    close(fd);
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_BLOCK, &chld, NULL);
  if (argc > 1 && strcmp(argv[1], "--all") == 0)
    return guest_run_all(argc > 2 ? argv[2] : "*");
  for (struct guest_case *test = guest_cases; test; test = test->next) {
    if (argc == 1)
      say("%s\n", test->name);
    else if (strcmp(argv[1], test->name) == 0)
      return guest_run(test, NULL) ? 0 : 1;
  }
  if (argc == 1)
    return 0;
  say("no case %s\n", argv[1]);
  return 2;
}

#endif
