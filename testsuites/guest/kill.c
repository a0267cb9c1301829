/* Sending signals and receiving them. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t caught;
static siginfo_t seen;

static void remember(int number, siginfo_t *information, void *context) {
  (void)context;
  seen = *information;
  caught = number;
}

static void catch_with_information(int number) {
  struct sigaction action = {.sa_sigaction = remember, .sa_flags = SA_SIGINFO};

  must(sigaction(number, &action, NULL));
}

CASE(signal_zero_asks_whether_a_process_exists) {
  pid_t child = fork();

  if (child == 0) {
    pause();
    leave();
  }
  must(kill(child, 0));
  must(kill(getpid(), 0));
  must(kill(getppid(), 0));
  must(kill(child, SIGKILL));
  await(process_state(child) == 'Z');
  must(kill(child, 0)); /* a zombie exists */
  expect_signal(child, SIGKILL);
  fails(kill(child, 0), ESRCH);
  fails(kill(getpid(), 65), EINVAL);
  fails(kill(getpid(), -1), EINVAL);
}

CASE(kill_of_oneself_is_handled_before_it_returns) {
  catch_with_information(SIGUSR1);
  is(kill(getpid(), SIGUSR1), 0);
  is(caught, SIGUSR1);
  is(seen.si_code, SI_USER);
  check(seen.si_pid == getpid());
}

CASE(siginfo_names_the_user_as_the_process_knows_it) {
  siginfo_t information = {0};
  pid_t child;

  catch_with_information(SIGUSR1);
  must(kill(getpid(), SIGUSR1));
  check(seen.si_uid == getuid());
  must(sigqueue(getpid(), SIGUSR1, (union sigval){0}));
  check(seen.si_uid == getuid());
  child = fork();
  if (child == 0)
    _exit(0);
  must(waitid(P_PID, child, &information, WEXITED));
  check(information.si_uid == getuid());
}

CASE(raise_and_tgkill_say_SI_TKILL) {
  catch_with_information(SIGUSR1);
  ok(raise(SIGUSR1));
  is(seen.si_code, SI_TKILL);
  check(seen.si_pid == getpid());
  caught = 0;
  ok(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
  is(caught, SIGUSR1);
  is(seen.si_code, SI_TKILL);
  ok(syscall(SYS_tkill, gettid(), SIGUSR1));
  fails(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
  fails(syscall(SYS_tgkill, getppid(), gettid(), 0), ESRCH);
}

CASE(a_parent_signals_its_child_and_is_named_as_sender) {
  int ends[2];
  pid_t child;

  must(pipe(ends));
  child = fork();
  if (child == 0) {
    catch_with_information(SIGUSR2);
    mask_signal(SIG_BLOCK, SIGUSR2);
    tell(ends[1]);
    sigset_t none;
    sigemptyset(&none);
    sigsuspend(&none);
    is(caught, SIGUSR2);
    is(seen.si_code, SI_USER);
    check(seen.si_pid == getppid());
    leave();
  }
  hear(ends[0]);
  must(kill(child, SIGUSR2));
  expect_exit(child, 0);
}

CASE(sigqueue_carries_a_value) {
  union sigval value = {.sival_int = 123456};
  pid_t child;

  catch_with_information(SIGRTMIN + 1);
  ok(sigqueue(getpid(), SIGRTMIN + 1, value));
  is(seen.si_code, SI_QUEUE);
  is(seen.si_value.sival_int, 123456);
  check(seen.si_pid == getpid());
  mask_signal(SIG_BLOCK, SIGRTMIN + 1);
  child = fork();
  if (child == 0) {
    siginfo_t information;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    while (sigwaitinfo(&set, &information) < 0)
      ;
    is(information.si_value.sival_int, 77);
    is(information.si_code, SI_QUEUE);
    check(information.si_pid == getppid());
    leave();
  }
  value.sival_int = 77;
  must(sigqueue(child, SIGRTMIN + 1, value));
  expect_exit(child, 0);
}

CASE(nobody_forges_the_kernels_signals_to_others) {
  siginfo_t forged = {.si_signo = SIGUSR1, .si_code = SI_USER};
  pid_t child = fork();

  if (child == 0) {
    pause();
    leave();
  }
  fails(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &forged), EPERM);
  forged.si_code = SI_QUEUE;
  must(syscall(SYS_rt_sigqueueinfo, child, SIGTERM, &forged));
  expect_signal(child, SIGTERM);
}

static int queued[8], queued_count;

static void note(int number, siginfo_t *information, void *context) {
  (void)number, (void)context;
  if (queued_count < 8)
    queued[queued_count++] = information->si_value.sival_int;
}

CASE(real_time_signals_queue_in_order_and_others_do_not) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

  must(sigaction(SIGRTMIN + 2, &action, NULL));
  must(sigaction(SIGUSR1, &action, NULL));
  mask_signal(SIG_BLOCK, SIGRTMIN + 2);
  mask_signal(SIG_BLOCK, SIGUSR1);
  for (int i = 1; i <= 3; i++) {
    must(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i}));
    must(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 10 * i}));
  }
  mask_signal(SIG_UNBLOCK, SIGRTMIN + 2);
  is(queued_count, 3);
  say("%d %d %d\n", queued[0], queued[1], queued[2]);
  mask_signal(SIG_UNBLOCK, SIGUSR1);
  is(queued_count, 4);
  is(queued[3], 10);
}

CASE(kill_reaches_a_whole_process_group) {
  pid_t first, children[3];

  first = 0;
  for (int i = 0; i < 3; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      setpgid(0, first);
      pause();
      leave();
    }
    if (i == 0)
      first = children[0];
    setpgid(children[i], first);
  }
  must(kill(-first, 0));
  must(kill(-first, SIGTERM));
  for (int i = 0; i < 3; i++)
    expect_signal(children[i], SIGTERM);
  fails(kill(-first, 0), ESRCH);
}

CASE(kill_of_group_zero_reaches_the_own_group) {
  pid_t child = fork();

  if (child == 0) {
    pid_t member;

    must(setpgid(0, 0));
    member = fork();
    if (member == 0) {
      pause();
      leave();
    }
    signal(SIGTERM, SIG_IGN);
    must(kill(0, SIGTERM));
    show_wait_status("member", guest_reap(member));
    leave();
  }
  expect_exit(child, 0);
}

CASE(SIGCHLD_tells_of_exits_stops_and_continuations) {
  sigset_t set;
  siginfo_t information;
  int ends[2];
  pid_t child;

  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  mask_signal(SIG_BLOCK, SIGCHLD);
  must(pipe(ends));
  child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    hear(ends[0]);
    _exit(5);
  }
  is(sigwaitinfo(&set, &information), SIGCHLD);
  is(information.si_code, CLD_STOPPED);
  is(information.si_status, SIGSTOP);
  check(information.si_pid == child);
  must(kill(child, SIGCONT));
  is(sigwaitinfo(&set, &information), SIGCHLD);
  is(information.si_code, CLD_CONTINUED);
  tell(ends[1]);
  is(sigwaitinfo(&set, &information), SIGCHLD);
  is(information.si_code, CLD_EXITED);
  is(information.si_status, 5);
  expect_exit(child, 5);
}

static void *wait_in_thread(void *thread_id) {
  siginfo_t information;
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  *(volatile pid_t *)thread_id = gettid();
  return (void *)(intptr_t)sigwaitinfo(&set, &information);
}

CASE(tgkill_reaches_one_thread) {
  volatile pid_t thread_id = 0;
  pthread_t thread;
  sigset_t pending;
  void *result;

  mask_signal(SIG_BLOCK, SIGUSR1);
  must(-pthread_create(&thread, NULL, wait_in_thread, (void *)&thread_id));
  await(thread_id != 0);
  ok(syscall(SYS_tgkill, getpid(), thread_id, SIGUSR1));
  must(-pthread_join(thread, &result));
  is((intptr_t)result, SIGUSR1);
  must(sigpending(&pending));
  is(sigismember(&pending, SIGUSR1), 0);
  fails(syscall(SYS_tgkill, getpid(), thread_id, SIGUSR1), ESRCH);
}

CASE(SIGKILL_and_SIGSTOP_cannot_be_caught_blocked_or_ignored) {
  struct sigaction action = {.sa_handler = SIG_IGN};
  sigset_t set;

  fails(sigaction(SIGKILL, &action, NULL), EINVAL);
  fails(sigaction(SIGSTOP, &action, NULL), EINVAL);
  sigfillset(&set);
  must(sigprocmask(SIG_SETMASK, &set, NULL));
  must(sigprocmask(SIG_SETMASK, NULL, &set));
  is(sigismember(&set, SIGKILL), 0);
  is(sigismember(&set, SIGSTOP), 0);
}

static sigjmp_buf back;

static void jump_back(int number, siginfo_t *information, void *context) {
  (void)number, (void)context;
  seen = *information;
  siglongjmp(back, 1);
}

CASE(a_fault_tells_its_address_and_can_be_survived) {
  struct sigaction action = {.sa_sigaction = jump_back, .sa_flags = SA_SIGINFO};
  char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  must(sigaction(SIGSEGV, &action, NULL));
  if (sigsetjmp(back, 1) == 0)
    *(volatile char *)(page + 123) = 1;
  is(seen.si_signo, SIGSEGV);
  is(seen.si_code, SEGV_ACCERR);
  check(seen.si_addr == page + 123);
  if (sigsetjmp(back, 1) == 0)
    *(volatile char *)bad_pointer = 1;
  is(seen.si_code, SEGV_MAPERR);
  check(seen.si_addr == bad_pointer);
}

static void change_register(int number, siginfo_t *information, void *context) {
  ucontext_t *frame = context;

  (void)number, (void)information;
  frame->uc_mcontext.gregs[REG_RAX] = 4321;
}

CASE(a_handler_may_change_the_registers) {
  struct sigaction action = {.sa_sigaction = change_register, .sa_flags = SA_SIGINFO};
  long result = 1;

  must(sigaction(SIGTRAP, &action, NULL));
  __asm__ volatile("int3" : "+a"(result)::"memory");
  is(result, 4321);
}

CASE(SA_RESETHAND_and_SA_NODEFER) {
  struct sigaction action = {.sa_sigaction = remember, .sa_flags = SA_SIGINFO | SA_RESETHAND};
  pid_t child;

  must(sigaction(SIGUSR1, &action, NULL));
  must(raise(SIGUSR1));
  is(caught, SIGUSR1);
  must(sigaction(SIGUSR1, NULL, &action));
  check(action.sa_handler == SIG_DFL);
  child = fork();
  if (child == 0) {
    raise(SIGUSR1);
    leave();
  }
  expect_signal(child, SIGUSR1);
}

CASE(signalfd_reads_signals) {
  struct signalfd_siginfo information;
  sigset_t set;
  int fd;

  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  mask_signal(SIG_BLOCK, SIGUSR1);
  fd = ok(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  fails(read(fd, &information, sizeof(information)), EAGAIN);
  must(kill(getpid(), SIGUSR1));
  is(read(fd, &information, sizeof(information)), sizeof(information));
  is(information.ssi_signo, SIGUSR1);
  is(information.ssi_code, SI_USER);
  check(information.ssi_pid == (unsigned)getpid());
}

CASE(interval_timers_repeat) {
  struct itimerval timer = {.it_value.tv_usec = 5000, .it_interval.tv_usec = 5000};
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  mask_signal(SIG_BLOCK, SIGALRM);
  must(setitimer(ITIMER_REAL, &timer, NULL));
  for (int i = 0; i < 3; i++)
    is(sigwaitinfo(&set, &seen), SIGALRM);
  is(seen.si_code, SI_KERNEL);
  timer = (struct itimerval){0};
  must(setitimer(ITIMER_REAL, &timer, NULL));
}

CASE(a_process_of_another_user_cannot_be_signalled) {
  need_ordinary_user();
  /* the first process of the system or silo is the superuser's, or does not exist for us */
  check(kill(1, 0) == 0 || errno == EPERM || errno == ESRCH);
  fails(kill(999999999, 0), ESRCH);
}
