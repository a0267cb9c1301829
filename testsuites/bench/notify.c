#include "testsuites/bench/notify.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* include/uapi/linux/seccomp.h, Linux 6.6 */
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static int install(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof program[0], program};

  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                      &filter);
}

/* The child: tell the listener's number, wait for the start, call, tell the time. */
static _Noreturn void caller(int to_parent, int from_parent, long count) {
  struct timespec from, to;
  int listener = install();
  double elapsed;
  char start;

  if (write(to_parent, &listener, sizeof listener) != sizeof listener ||
      read(from_parent, &start, 1) != 1)
    _exit(1);
  close(listener);
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (long i = 0; i < count; i++)
    syscall(SYS_getppid);
  clock_gettime(CLOCK_MONOTONIC, &to);
  elapsed = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
  _exit(write(to_parent, &elapsed, sizeof elapsed) != sizeof elapsed);
}

/* Answer count calls. The buffers have room for a newer kernel's larger structures. */
static int answer(int listener, long count) {
  union {
    struct seccomp_notif request;
    char room[512];
  } received;
  union {
    struct seccomp_notif_resp response;
    char room[512];
  } sent;

  ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  while (count-- > 0) {
    memset(&received, 0, sizeof received);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &received) != 0)
      return -1;
    memset(&sent, 0, sizeof sent);
    sent.response.id = received.request.id;
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &sent) != 0)
      return -1;
  }
  return 0;
}

double bench_notify_round_trip(long count) {
  int up[2], down[2], theirs = -1, listener = -1, pidfd;
  double elapsed = -1;
  pid_t child;

  if (pipe(up) != 0)
    return -1;
  if (pipe(down) != 0) {
    close(up[0]);
    close(up[1]);
    return -1;
  }
  child = fork();
  if (child == 0)
    caller(up[1], down[0], count);
  pidfd = (int)syscall(SYS_pidfd_open, child, 0);
  if (read(up[0], &theirs, sizeof theirs) == sizeof theirs && theirs >= 0)
    listener = (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
  if (listener >= 0 && write(down[1], "s", 1) == 1 && answer(listener, count) == 0 &&
      read(up[0], &elapsed, sizeof elapsed) == sizeof elapsed)
    elapsed /= (double)count;
  else
    elapsed = -1;
  for (int end = 0; end < 2; end++) {
    close(up[end]);
    close(down[end]);
  }
  close(listener);
  close(pidfd);
  waitpid(child, NULL, 0);
  return elapsed;
}
