/* Handles to processes: pidfds, their descriptors, their memory. */
#include "testsuites/kernel/probes.h"

#include "host/calls.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* include/uapi/linux/pidfd.h, 6.9 */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static bool ended(int pidfd, int milliseconds) {
  struct pollfd entry = {.fd = pidfd, .events = POLLIN};

  return poll(&entry, 1, milliseconds) == 1 && (entry.revents & POLLIN);
}

/* A pidfd signals its process and tells its end. */
int dz_probe_pidfd(struct dz_probe_report *report) {
  pid_t child = dz_probe_fork();
  int pidfd;
  int err;

  if (child == 0)
    for (;;)
      pause();
  pidfd = dz_pidfd_open(child, 0);
  if (pidfd < 0)
    return dz_probe_lacks(report, pidfd, "pidfd_open (Linux 5.3): %s", strerror(-pidfd));
  if (ended(pidfd, 0))
    return dz_probe_lacks(report, -EPROTO, "the pidfd of a living process is readable");
  err = dz_pidfd_send_signal(pidfd, SIGTERM, 0);
  if (err < 0)
    return dz_probe_lacks(report, err, "pidfd_send_signal: %s", strerror(-err));
  if (!ended(pidfd, 1000) || dz_probe_wait(child) != 128 + SIGTERM)
    return dz_probe_lacks(report, -EPROTO, "the end was not reported");
  err = dz_pidfd_send_signal(pidfd, 0, 0);
  if (err != -ESRCH)
    return dz_probe_lacks(report, -EPROTO, "a reaped process can be signalled");
  return dz_probe_ok(report, "opened, signalled, its end seen");
}

/* A descriptor that a child opened after fork is fetched, and is the same open file. */
int dz_probe_pidfd_fetch(struct dz_probe_report *report) {
  int tell[2], own[2];
  char text[4] = "";
  pid_t child;
  int pidfd, fetched;

  if (pipe(tell) < 0)
    return dz_probe_lacks(report, -errno, "pipe: %s", strerror(errno));
  child = dz_probe_fork();
  if (child == 0) {
    if (pipe(own) < 0 || write(own[1], "dz\n", 3) != 3)
      _exit(1);
    _exit(write(tell[1], own, sizeof own) == sizeof own ? pause() : 1);
  }
  close(tell[1]);
  if (read(tell[0], own, sizeof own) != sizeof own)
    return dz_probe_lacks(report, -EPROTO, "the child failed");
  pidfd = dz_pidfd_open(child, 0);
  fetched = pidfd < 0 ? pidfd : dz_pidfd_getfd(pidfd, own[0]);
  if (fetched < 0)
    return dz_probe_lacks(report, fetched, "pidfd_getfd (Linux 5.6): %s", strerror(-fetched));
  if (read(fetched, text, sizeof text) != 3 || memcmp(text, "dz\n", 3) != 0)
    return dz_probe_lacks(report, -EPROTO, "another file was fetched");
  return dz_probe_ok(report, "a child's descriptor was fetched and read");
}

struct thread_talk {
  int tid_pipe[2];
  int go_pipe[2];
};

static void *second_thread(void *argument) {
  struct thread_talk *talk = argument;
  pid_t tid = (pid_t)syscall(SYS_gettid);
  char byte;

  if (write(talk->tid_pipe[1], &tid, sizeof tid) == sizeof tid)
    read(talk->go_pipe[0], &byte, 1);
  return NULL;
}

static _Noreturn void thread_child(struct thread_talk *talk) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, second_thread, talk) != 0)
    _exit(1);
  pthread_join(thread, NULL);
  for (;;)
    pause();
}

/* A pidfd for a thread that is not the leader, readable at that thread's end. */
int dz_probe_pidfd_thread(struct dz_probe_report *report) {
  struct thread_talk talk;
  pid_t tid = 0;
  pid_t child;
  int pidfd;

  if (pipe(talk.tid_pipe) < 0 || pipe(talk.go_pipe) < 0)
    return dz_probe_lacks(report, -errno, "pipe: %s", strerror(errno));
  child = dz_probe_fork();
  if (child == 0)
    thread_child(&talk);
  close(talk.tid_pipe[1]);
  if (read(talk.tid_pipe[0], &tid, sizeof tid) != sizeof tid)
    return dz_probe_lacks(report, -EPROTO, "the child made no thread");
  if (dz_pidfd_open(tid, 0) >= 0)
    return dz_probe_lacks(report, -EPROTO, "a thread passes for a process");
  pidfd = dz_pidfd_open(tid, PIDFD_THREAD);
  if (pidfd < 0)
    return dz_probe_lacks(report, pidfd, "pidfd_open(PIDFD_THREAD) (Linux 6.9): %s",
                          strerror(-pidfd));
  if (ended(pidfd, 0))
    return dz_probe_lacks(report, -EPROTO, "the pidfd of a living thread is readable");
  if (write(talk.go_pipe[1], "", 1) != 1 || !ended(pidfd, 1000))
    return dz_probe_lacks(report, -EPROTO, "the thread's end was not reported");
  return dz_probe_ok(report, "a thread's end was seen while its process lives");
}

struct secret {
  int ready[2];
  char text[32];
};

/* process_vm_readv and process_vm_writev reach a child's private memory. */
int dz_probe_memory(struct dz_probe_report *report) {
  struct secret secret = {.text = "before the fork"};
  struct secret copy = {0};
  struct iovec here = {copy.text, sizeof copy.text};
  struct iovec there = {secret.text, sizeof secret.text};
  pid_t child;
  char byte;

  if (pipe(secret.ready) < 0)
    return dz_probe_lacks(report, -errno, "pipe: %s", strerror(errno));
  child = dz_probe_fork();
  if (child == 0) {
    snprintf(secret.text, sizeof secret.text, "the child's own");
    if (write(secret.ready[1], "", 1) != 1)
      _exit(1);
    while (*(volatile char *)secret.text != 'w')
      dz_probe_sleep_us(100);
    _exit(0);
  }
  close(secret.ready[1]);
  if (read(secret.ready[0], &byte, 1) != 1)
    return dz_probe_lacks(report, -EPROTO, "the child failed");
  if (process_vm_readv(child, &here, 1, &there, 1, 0) < 0)
    return dz_probe_lacks(report, -errno, "process_vm_readv: %s", strerror(errno));
  if (strcmp(copy.text, "the child's own") != 0)
    return dz_probe_lacks(report, -EPROTO, "other memory was read");
  snprintf(copy.text, sizeof copy.text, "written");
  if (process_vm_writev(child, &here, 1, &there, 1, 0) < 0)
    return dz_probe_lacks(report, -errno, "process_vm_writev: %s", strerror(errno));
  if (dz_probe_wait(child) != 0)
    return dz_probe_lacks(report, -EPROTO, "the child did not see what was written");
  return dz_probe_ok(report, "a child's memory was read and written");
}
