/* Signals that a process sends to its whole group, itself included, and stops of whole processes.
 */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <pthread.h>

static int ready[2];

/* Should a signal fail to come, nobody is left over for long. */
static void wait_for_the_end(void) {
  alarm(10);
  for (;;)
    pause();
}

/* A child that leads a group of its own, has members in it with higher numbers, and sends SIGKILL
 * to a target as seen by it. Nobody may be left who holds the pipe's other end. */
static void kill_own_group(pid_t (*target)(void)) {
  char byte;
  int ends[2];
  pid_t child;

  must(pipe(ends));
  child = must(fork());
  if (child == 0) {
    must(setpgid(0, 0));
    for (int i = 0; i < 4; i++)
      if (must(fork()) == 0)
        wait_for_the_end();
    kill(target(), SIGKILL);
    _exit(9);
  }
  must(close(ends[1]));
  expect_signal(child, SIGKILL);
  is(read(ends[0], &byte, 1), 0);
}

static pid_t by_zero(void) {
  return 0;
}

static pid_t by_number(void) {
  return -getpgrp();
}

CASE(kill_0_SIGKILL_ends_the_caller_and_all_members_of_its_group) {
  double start = seconds();

  kill_own_group(by_zero);
  check(seconds() - start < 8); /* by the signal, not by the members' alarm */
}

CASE(SIGKILL_to_the_own_group_by_its_number_ends_the_caller_and_all_members) {
  double start = seconds();

  kill_own_group(by_number);
  check(seconds() - start < 8);
}

/* The same from within: a member that is neither the first nor the last. */
CASE(kill_0_SIGKILL_of_a_member_ends_the_leader_too) {
  double start = seconds();
  char byte;
  int ends[2];
  pid_t child;

  must(pipe(ends));
  must(pipe(ready));
  child = must(fork());
  if (child == 0) {
    must(setpgid(0, 0));
    for (int i = 0; i < 4; i++)
      if (must(fork()) == 0) {
        if (i != 2)
          wait_for_the_end();
        hear(ready[0]); /* that all are there */
        kill(0, SIGKILL);
        _exit(9);
      }
    tell(ready[1]);
    wait_for_the_end();
  }
  must(close(ends[1]));
  expect_signal(child, SIGKILL);
  is(read(ends[0], &byte, 1), 0);
  check(seconds() - start < 8);
}

static void *open_fifo(void *path) {
  tell(ready[1]);
  open(path, O_RDONLY);
  return NULL;
}

CASE(a_process_of_which_one_thread_waits_for_a_fifo_can_be_stopped_and_continued) {
  int status = 0;
  pid_t child;

  must(mkfifo("fifo", 0600));
  must(pipe(ready));
  child = must(fork());
  if (child == 0) {
    pthread_t thread;

    must(-pthread_create(&thread, NULL, open_fifo, "fifo"));
    wait_for_the_end();
  }
  hear(ready[0]);
  usleep(200000); /* the thread is in open(2) by then */
  ok(kill(child, SIGSTOP));
  is(waitpid(child, &status, WUNTRACED) == child, 1);
  show_wait_status("child", status);
  check(process_state(child) == 'T');
  ok(kill(child, SIGCONT));
  is(waitpid(child, &status, WCONTINUED) == child, 1);
  show_wait_status("child", status);
  ok(kill(child, SIGKILL));
  expect_signal(child, SIGKILL);
}
