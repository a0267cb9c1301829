/*
 * The frame of an attack: a guest program that tries to break one promise of SECURITY.md. It
 * prints what it got, and ends with 0 if the promise held, 1 if it was broken, 77 with a reason
 * where the host lacks what the attack needs.
 *
 *   static void attack(void) {
 *     if (open(given("SECRET"), O_RDONLY) >= 0)
 *       broke("a file of the host was opened");
 *   }
 *
 * Its first comment tells testsuites/security/run.sh how to run it, in lines of the form
 *
 *   run: OPTIONS        options of denizen run; $names as in run.sh
 *   without: NAMES      the defences (host/defence.h) without which the attack must succeed
 *   without: - REASON   there is nothing to switch off
 *   users: root         (or nobody) when only that user can be attacked so; both when not given
 *   limit: SECONDS      how long it may take (20)
 *   ends: no            without its defences denizen may not end by itself
 *   input: FILE         its standard input, a path of the host
 *   beside: COMMAND     what runs on the host meanwhile
 *
 * What it may aim at, which the host watches, is in its environment: OUTSIDER, the number of a
 * process of the same user; SECRET, HOST_PROGRAM, HOST_DIRECTORY, HOST_STREAM and HOST_DGRAM, paths
 * of the host; HOST_ABSTRACT, the name of an abstract socket.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
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

#define ATTACK_SKIPPED 77
#define ATTACK_UNUSED __attribute__((unused))

static bool attack_broken;

static void attack(void);

/* Written by one write: stdio would make calls that the supervisor has to answer, and an attack may
 * be killed, or the supervisor frozen, at any time. */
static void attack_line(const char *prefix, const char *format, va_list arguments) {
  char text[1024];
  size_t length = strlen(prefix);
  int more;

  memcpy(text, prefix, length);
  more = vsnprintf(text + length, sizeof text - length - 1, format, arguments);
  length += (size_t)more < sizeof text - length - 1 ? (size_t)more : sizeof text - length - 2;
  text[length++] = '\n';
  (void)!write(STDOUT_FILENO, text, length);
}

/* What an attack got. */
__attribute__((format(printf, 1, 2))) ATTACK_UNUSED static void got(const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  attack_line("", format, arguments);
  va_end(arguments);
}

/* The attack has succeeded. */
__attribute__((format(printf, 1, 2))) ATTACK_UNUSED static void broke(const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  attack_line("BROKEN: ", format, arguments);
  va_end(arguments);
  attack_broken = true;
}

/* A call that must not succeed. */
ATTACK_UNUSED static bool must_fail(const char *what, long result) {
  int error = errno;

  if (result >= 0) {
    broke("%s succeeded (%ld)", what, result);
    return false;
  }
  got("%s: %s", what, strerror(error));
  return true;
}

__attribute__((noreturn)) ATTACK_UNUSED static void skip(const char *reason) {
  got("SKIP: %s", reason);
  _exit(ATTACK_SKIPPED);
}

/* A variable that run.sh gives. */
ATTACK_UNUSED static const char *given(const char *name) {
  const char *value = getenv(name);

  if (!value) {
    got("BROKEN: the test itself: %s is not set", name);
    _exit(1);
  }
  return value;
}

ATTACK_UNUSED static pid_t given_pid(const char *name) {
  return atoi(given(name));
}

ATTACK_UNUSED static double seconds(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

ATTACK_UNUSED static void pause_for(double time) {
  struct timespec left = {.tv_sec = (time_t)time,
                          .tv_nsec = (long)((time - (double)(time_t)time) * 1e9)};

  while (nanosleep(&left, &left) < 0 && errno == EINTR)
    continue;
}

ATTACK_UNUSED static void start_thread(void *(*run)(void *), void *argument) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, run, argument) == 0)
    pthread_detach(thread);
}

/* Shared with processes that are forked. */
ATTACK_UNUSED static void *shared_memory(size_t size) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  return at == MAP_FAILED ? abort(), NULL : at;
}

/* Does a process that has nothing to do with the attack get its answers within a second? It waits
 * for them by calls that are the kernel's own. */
ATTACK_UNUSED static bool others_go_on(void) {
  pid_t child = fork();
  int status;

  if (child == 0) {
    struct stat st;

    for (int i = 0; i < 10; i++)
      if (stat("/etc/hostname", &st))
        _exit(2);
    _exit(0);
  }
  for (double end = seconds() + 1; seconds() < end; pause_for(0.01))
    if (waitpid(child, &status, WNOHANG) == child)
      return true;
  return false;
}

/* Has the file the text "top secret"? */
ATTACK_UNUSED static bool tells_secret(int fd) {
  char text[64] = "";
  ssize_t length = read(fd, text, sizeof text - 1);

  return length >= 10 && memcmp(text, "top secret", 10) == 0;
}

int main(int argc ATTACK_UNUSED, char **argv ATTACK_UNUSED) {
  attack();
  if (!attack_broken)
    got("held");
  _exit(attack_broken);
}

#endif
