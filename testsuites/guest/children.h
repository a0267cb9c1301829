/* Child processes of a case, and signal handlers. */
#ifndef GUEST_CHILDREN_H
#define GUEST_CHILDREN_H

#include "testsuites/guest/guest.h"

static inline void show_wait_status(const char *label, int status) {
  if (WIFEXITED(status))
    say("%s: exited %d\n", label, WEXITSTATUS(status));
  else if (WIFSIGNALED(status))
    say("%s: killed by %s\n", label, signal_name(WTERMSIG(status)));
  else if (WIFSTOPPED(status))
    say("%s: stopped by %s\n", label, signal_name(WSTOPSIG(status)));
  else if (WIFCONTINUED(status))
    say("%s: continued\n", label);
}

static inline int guest_reap(pid_t pid) {
  int status = -1;

  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

/* The child must end by itself with this status. */
#define expect_exit(pid, code) guest_expect_exit(GUEST_HERE, pid, code)
static inline void guest_expect_exit(struct guest_place place, pid_t pid, int code) {
  int status = guest_reap(pid);

  show_wait_status("child", status);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
    guest_failure(place, "the child ended otherwise");
}

#define expect_signal(pid, number) guest_expect_signal(GUEST_HERE, pid, number)
static inline void guest_expect_signal(struct guest_place place, pid_t pid, int number) {
  int status = guest_reap(pid);

  show_wait_status("child", status);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != number)
    guest_failure(place, "the child ended otherwise");
}

static inline void on_signal(int number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

  must(sigaction(number, &action, NULL));
}

static inline void mask_signal(int how, int number) {
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, number);
  must(sigprocmask(how, &set, NULL));
}

/* The state letter of /proc/PID/stat: S for a process that sleeps. */
static inline char process_state(pid_t pid) {
  char path[64], text[512];
  const char *end;
  int fd;
  ssize_t count;

  snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return '?';
  count = read(fd, text, sizeof(text) - 1);
  close(fd);
  text[count > 0 ? count : 0] = 0;
  end = strrchr(text, ')');
  return end && end[1] ? end[2] : '?';
}

/* Wait until a process sleeps and goes on sleeping: in a call that waits for somebody else. A call
 * that is answered by a supervisor may show as D. */
static inline void await_sleep(pid_t pid) {
  int seen = 0;

  for (int tries = 0; tries < 5000 && seen < 10; tries++) {
    char state = process_state(pid);

    seen = state == 'S' || state == 'D' ? seen + 1 : 0;
    usleep(2000);
  }
  check(seen == 10);
}

/* One-byte messages between related processes. */
static inline void tell(int fd) {
  must(write(fd, "x", 1) == 1 ? 0 : -1);
}

static inline void hear(int fd) {
  char byte;
  ssize_t count;

  while ((count = read(fd, &byte, 1)) < 0 && errno == EINTR)
    ;
  must(count == 1 ? 0 : -1);
}

static inline double seconds(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

#endif
