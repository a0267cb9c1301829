/* Blocking calls and signals: EINTR, SA_RESTART, and calls that are never interrupted. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/time.h>

static volatile sig_atomic_t caught;

static void count(int number) {
  (void)number;
  caught++;
}

/* SIGALRM in 30 ms, and again and again: on a busy machine the first may come too early. */
static void alarm_soon(int flags) {
  struct itimerval timer = {.it_value.tv_usec = 30000, .it_interval.tv_usec = 100000};

  caught = 0;
  on_signal(SIGALRM, count, flags);
  must(setitimer(ITIMER_REAL, &timer, NULL));
}

static void expect_alarms(void) {
  struct itimerval none = {0};

  must(setitimer(ITIMER_REAL, &none, NULL));
  check(caught > 0);
}

/* A child that sends SIGUSR1 to us when we sleep and afterwards does something. */
static pid_t interrupt_then(void (*action)(int), int argument) {
  pid_t parent = getpid(), child = fork();

  if (child == 0) {
    await_sleep(parent);
    must(kill(parent, SIGUSR1));
    usleep(30000);
    await_sleep(parent);
    action(argument);
    leave();
  }
  return child;
}

CASE(a_read_from_a_pipe_is_interrupted) {
  char byte;
  int ends[2];

  must(pipe(ends));
  alarm_soon(0);
  fails(read(ends[0], &byte, 1), EINTR);
  expect_alarms();
}

CASE(a_read_with_SA_RESTART_goes_on) {
  char byte;
  int ends[2];
  pid_t child;

  must(pipe(ends));
  on_signal(SIGUSR1, count, SA_RESTART);
  child = interrupt_then(tell, ends[1]);
  is(read(ends[0], &byte, 1), 1);
  is(caught, 1);
  expect_exit(child, 0);
}

CASE(a_fifo_open_is_interrupted) {
  must(mkfifo("fifo", 0600));
  alarm_soon(0);
  fails(open("fifo", O_RDONLY), EINTR);
  alarm_soon(0);
  fails(open("fifo", O_WRONLY), EINTR);
  expect_alarms();
}

static void open_writer(int unused) {
  (void)unused;
  must(open("fifo", O_WRONLY));
}

CASE(a_fifo_open_with_SA_RESTART_goes_on) {
  pid_t child;

  must(mkfifo("fifo", 0600));
  on_signal(SIGUSR1, count, SA_RESTART);
  child = interrupt_then(open_writer, 0);
  ok(open("fifo", O_RDONLY));
  is(caught, 1);
  expect_exit(child, 0);
}

CASE(a_handler_runs_while_a_fifo_open_waits) {
  double begin;

  must(mkfifo("fifo", 0600));
  begin = seconds();
  alarm_soon(0);
  fails(open("fifo", O_RDONLY), EINTR);
  check(seconds() - begin < 3);
  expect_alarms();
}

CASE(an_ignored_signal_does_not_interrupt) {
  char byte = 0;
  int ends[2];
  pid_t child;

  must(pipe(ends));
  signal(SIGUSR1, SIG_IGN);
  child = interrupt_then(tell, ends[1]);
  is(read(ends[0], &byte, 1), 1);
  expect_exit(child, 0);
}

CASE(a_blocked_signal_waits_until_it_is_unblocked) {
  sigset_t pending;
  char byte;
  int ends[2];
  pid_t child;

  must(pipe(ends));
  on_signal(SIGUSR1, count, 0);
  mask_signal(SIG_BLOCK, SIGUSR1);
  child = interrupt_then(tell, ends[1]);
  is(read(ends[0], &byte, 1), 1);
  is(caught, 0);
  must(sigpending(&pending));
  is(sigismember(&pending, SIGUSR1), 1);
  mask_signal(SIG_UNBLOCK, SIGUSR1);
  is(caught, 1);
  expect_exit(child, 0);
}

CASE(a_handler_may_make_calls_that_the_interrupted_call_made) {
  must(mkfifo("fifo", 0600));
  alarm_soon(0);
  fails(open("fifo", O_RDONLY), EINTR);
  ok(mkdir("d", 0755));
  expect_alarms();
}

static void make_directory(int number) {
  (void)number;
  check(mkdir("by_the_handler", 0755) == (caught ? -1 : 0));
  check(access("by_the_handler", F_OK) == 0);
  caught++;
}

CASE(a_handler_may_make_emulated_calls_while_one_is_interrupted) {
  must(mkfifo("fifo", 0600));
  on_signal(SIGALRM, make_directory, 0);
  ualarm(30000, 100000);
  fails(open("fifo", O_RDONLY), EINTR);
  expect_alarms();
  show_directory(".");
}

CASE(nanosleep_tells_the_rest_when_interrupted) {
  struct timespec wish = {.tv_sec = 5}, rest = {0};

  alarm_soon(SA_RESTART); /* never restarts sleeping */
  fails(nanosleep(&wish, &rest), EINTR);
  check(rest.tv_sec >= 3 && rest.tv_sec < 5);
}

CASE(poll_select_and_epoll_are_never_restarted) {
  struct pollfd watch = {.fd = -1};
  struct epoll_event event;
  int epoll = must(epoll_create1(0));

  alarm_soon(SA_RESTART);
  fails(poll(&watch, 1, 5000), EINTR);
  alarm_soon(SA_RESTART);
  fails(select(0, NULL, NULL, NULL, &(struct timeval){.tv_sec = 5}), EINTR);
  alarm_soon(SA_RESTART);
  fails(epoll_wait(epoll, &event, 1, 5000), EINTR);
  expect_alarms();
}

CASE(ppoll_lets_a_signal_in_only_while_it_waits) {
  struct timespec limit = {.tv_sec = 5};
  sigset_t none, now;

  sigemptyset(&none);
  on_signal(SIGUSR1, count, 0);
  mask_signal(SIG_BLOCK, SIGUSR1);
  must(raise(SIGUSR1));
  is(caught, 0);
  fails(ppoll(NULL, 0, &limit, &none), EINTR);
  is(caught, 1);
  must(sigprocmask(SIG_BLOCK, NULL, &now));
  is(sigismember(&now, SIGUSR1), 1);
}

CASE(sigsuspend_waits_with_another_mask) {
  sigset_t none;

  sigemptyset(&none);
  on_signal(SIGUSR1, count, 0);
  mask_signal(SIG_BLOCK, SIGUSR1);
  must(kill(getpid(), SIGUSR1));
  fails(sigsuspend(&none), EINTR);
  is(caught, 1);
}

CASE(waitpid_is_interrupted_and_restarted) {
  pid_t child = fork();

  if (child == 0) {
    usleep(500000);
    _exit(7);
  }
  alarm_soon(0);
  fails(waitpid(child, NULL, 0), EINTR);
  alarm_soon(SA_RESTART);
  expect_exit(child, 7);
  expect_alarms();
}

CASE(sigwaitinfo_tells_who_sent_a_signal) {
  siginfo_t information;
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  mask_signal(SIG_BLOCK, SIGUSR2);
  must(kill(getpid(), SIGUSR2));
  is(sigwaitinfo(&set, &information), SIGUSR2);
  is(information.si_code, SI_USER);
  check(information.si_pid == getpid());
}

CASE(handlers_run_on_an_alternate_stack) {
  static char stack[65536];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)}, now;

  ok(sigaltstack(&alternate, NULL));
  on_signal(SIGUSR1, count, SA_ONSTACK);
  must(raise(SIGUSR1));
  must(sigaltstack(NULL, &now));
  check(now.ss_sp == stack && now.ss_flags == 0);
  is(caught, 1);
}

static void *open_and_wait(void *result) {
  *(int *)result = open("fifo", O_RDONLY);
  if (*(int *)result < 0)
    *(int *)result = -errno;
  return NULL;
}

CASE(a_signal_to_one_thread_interrupts_only_that_one) {
  pthread_t thread;
  int result = 0, fd;

  must(mkfifo("fifo", 0600));
  on_signal(SIGUSR1, count, 0);
  must(-pthread_create(&thread, NULL, open_and_wait, &result));
  usleep(50000);
  must(-pthread_kill(thread, SIGUSR1));
  must(-pthread_join(thread, NULL));
  is(result, -EINTR);
  is(caught, 1);
  must(-pthread_create(&thread, NULL, open_and_wait, &result));
  usleep(20000);
  must(raise(SIGUSR1));
  fd = must(open("fifo", O_WRONLY));
  must(-pthread_join(thread, NULL));
  check(result > 0);
  must(close(fd));
}
