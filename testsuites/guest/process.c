/* fork, exit and wait. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>

CASE(exit_statuses_reach_the_parent) {
  static const int codes[] = {0, 1, 42, 127, 255, 256 + 7, -1};

  for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
    pid_t child = fork();

    if (child == 0)
      _exit(codes[i]);
    expect_exit(child, codes[i] & 255);
  }
}

CASE(deaths_by_signals_reach_the_parent) {
  static const int numbers[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGUSR1, SIGPIPE, SIGHUP};

  for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
    pid_t child = fork();

    if (child == 0) {
      struct rlimit none = {0, 0};

      setrlimit(RLIMIT_CORE, &none);
      kill(getpid(), numbers[i]);
      leave();
    }
    expect_signal(child, numbers[i]);
  }
}

CASE(faults_kill_with_their_signals) {
  struct rlimit none = {0, 0};
  pid_t child;

  must(setrlimit(RLIMIT_CORE, &none));
  child = fork();
  if (child == 0) {
    *(volatile char *)bad_pointer = 1;
    leave();
  }
  expect_signal(child, SIGSEGV);
  child = fork();
  if (child == 0) {
    __builtin_trap();
    leave();
  }
  expect_signal(child, SIGILL);
  child = fork();
  if (child == 0) {
    abort();
    leave();
  }
  expect_signal(child, SIGABRT);
}

CASE(fork_copies_memory) {
  static volatile int value = 1;
  pid_t child = fork();

  if (child == 0) {
    value = 2;
    is(value, 2);
    leave();
  }
  expect_exit(child, 0);
  is(value, 1);
}

CASE(getpid_and_getppid_are_consistent) {
  pid_t parent = getpid(), child = fork();

  if (child == 0) {
    check(getppid() == parent && getpid() != parent && getpid() == gettid());
    check(getsid(0) == getsid(parent) && getpgid(0) == getpgid(parent));
    leave();
  }
  check(child > 0);
  expect_exit(child, 0);
}

CASE(an_orphan_gets_another_parent) {
  int ends[2];
  pid_t child;

  must(pipe(ends));
  child = fork();
  if (child == 0) {
    pid_t parent = getpid();

    if (fork() == 0) {
      must(close(ends[0]));
      await(getppid() != parent);
      tell(ends[1]);
      _exit(0);
    }
    _exit(3);
  }
  expect_exit(child, 3);
  must(close(ends[1]));
  hear(ends[0]);
  say("heard of the orphan\n");
  fails(wait(NULL), ECHILD);
}

CASE(an_orphan_goes_on_working) {
  int ends[2];
  pid_t child;

  must(pipe(ends));
  child = fork();
  if (child == 0) {
    pid_t parent = getpid();

    if (fork() == 0) {
      await(getppid() != parent);
      umask(027);
      must(mkdir("by_the_orphan", 0777));
      must(chdir("by_the_orphan"));
      put_file("f", "text");
      tell(ends[1]);
      _exit(0);
    }
    _exit(0);
  }
  expect_exit(child, 0);
  hear(ends[0]);
  show_stat("by_the_orphan");
  show_file("by_the_orphan/f");
}

CASE(a_subreaper_inherits_orphans) {
  pid_t child;
  int status;

  ok(prctl(PR_SET_CHILD_SUBREAPER, 1));
  child = fork();
  if (child == 0) {
    pid_t reaper = getppid(), parent = getpid();

    if (fork() == 0) {
      await(getppid() != parent);
      _exit(getppid() == reaper ? 9 : 8);
    }
    _exit(0);
  }
  expect_exit(child, 0);
  check(waitpid(-1, &status, 0) > 0);
  show_wait_status("orphan", status);
  is(WEXITSTATUS(status), 9);
}

CASE(a_child_hears_of_its_parents_death_if_it_wishes) {
  int ends[2];
  pid_t child;
  char byte;

  must(pipe(ends));
  child = fork();
  if (child == 0) {
    int ready[2];

    must(pipe(ready));
    if (fork() == 0) {
      must(prctl(PR_SET_PDEATHSIG, SIGKILL));
      tell(ready[1]);
      pause();
    }
    hear(ready[0]);
    _exit(0);
  }
  must(close(ends[1]));
  expect_exit(child, 0);
  is(read(ends[0], &byte, 1), 0); /* the grandchild held the other end until it died */
}

CASE(wait_errors) {
  fails(wait(NULL), ECHILD);
  fails(waitpid(-1, NULL, WNOHANG), ECHILD);
  fails(waitpid(getppid(), NULL, 0), ECHILD);
  fails(waitpid(-1, NULL, 0x100), EINVAL);
}

CASE(waitpid_WNOHANG_tells_that_nothing_happened_yet) {
  int ends[2];
  pid_t child;

  must(pipe(ends));
  child = fork();
  if (child == 0) {
    hear(ends[0]);
    _exit(3);
  }
  is(waitpid(child, NULL, WNOHANG), 0);
  tell(ends[1]);
  expect_exit(child, 3);
  fails(waitpid(child, NULL, WNOHANG), ECHILD);
}

CASE(waitpid_sees_stops_and_continuations) {
  int status;
  pid_t child = fork();

  if (child == 0) {
    pause();
    leave();
  }
  must(kill(child, SIGSTOP));
  check(waitpid(child, &status, WUNTRACED) == child);
  show_wait_status("child", status);
  check(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  must(kill(child, SIGCONT));
  check(waitpid(child, &status, WCONTINUED) == child);
  show_wait_status("child", status);
  check(WIFCONTINUED(status));
  must(kill(child, SIGTERM));
  expect_signal(child, SIGTERM);
}

CASE(waitid_tells_who_and_how) {
  siginfo_t information = {0};
  pid_t child = fork();

  if (child == 0)
    _exit(300);
  ok(waitid(P_PID, child, &information, WEXITED | WNOWAIT));
  check(information.si_pid == child);
  is(information.si_code, CLD_EXITED);
  is(information.si_status, 300 & 255);
  is(information.si_signo, SIGCHLD);
  ok(waitid(P_ALL, 0, &information, WEXITED));
  fails(waitid(P_PID, child, &information, WEXITED), ECHILD);
  fails(waitid(P_ALL, 0, &information, 0), EINVAL);
  child = fork();
  if (child == 0)
    raise(SIGKILL);
  ok(waitid(P_PID, child, &information, WEXITED));
  is(information.si_code, CLD_KILLED);
  is(information.si_status, SIGKILL);
}

CASE(a_pidfd_waits_for_and_signals_a_child) {
  siginfo_t information = {0};
  pid_t child = fork();
  int fd;

  if (child == 0) {
    pause();
    leave();
  }
  fd = must(raw_pidfd_open(child, 0));
  is(fcntl(fd, F_GETFD), FD_CLOEXEC);
  ok(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
  ok(waitid(3 /* P_PIDFD */, fd, &information, WEXITED));
  is(information.si_status, SIGTERM);
  fails(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}

CASE(wait4_tells_the_resources_used) {
  struct rusage usage;
  pid_t child = fork();
  int status;

  if (child == 0) {
    volatile unsigned sum = 0;

    while (clock() < CLOCKS_PER_SEC / 50)
      sum++;
    _exit(0);
  }
  check(wait4(child, &status, 0, &usage) == child);
  check(usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 10000);
  must(getrusage(RUSAGE_CHILDREN, &usage));
  check(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 10000);
}

CASE(times_counts_the_children_waited_for) {
  struct tms before, after;
  pid_t child;

  check(times(&before) != (clock_t)-1);
  child = fork();
  if (child == 0) {
    while (clock() < CLOCKS_PER_SEC / 20)
      ;
    _exit(0);
  }
  expect_exit(child, 0);
  check(times(&after) != (clock_t)-1);
  check(after.tms_cutime + after.tms_cstime >= before.tms_cutime + before.tms_cstime + 4);
}

CASE(ignoring_SIGCHLD_leaves_no_zombies) {
  pid_t child;

  signal(SIGCHLD, SIG_IGN);
  child = fork();
  if (child == 0)
    _exit(3);
  fails(waitpid(child, NULL, 0), ECHILD);
  fails(kill(child, 0), ESRCH);
}

CASE(atexit_and_buffers_run_once) {
  pid_t child = fork();

  if (child == 0) {
    dup2(must(open("out", O_CREAT | O_WRONLY, 0644)), 1);
    printf("buffered ");
    if (fork() == 0)
      _exit(0);
    wait(NULL);
    exit(0);
  }
  expect_exit(child, 0);
  show_file("out");
}

CASE(a_tree_of_processes) {
  int ends[2], count = 0;
  char byte;

  must(pipe(ends));
  if (fork() == 0) {
    must(close(ends[0]));
    for (int i = 0; i < 5; i++)
      fork(); /* 32 processes */
    tell(ends[1]);
    while (wait(NULL) > 0)
      ;
    _exit(0);
  }
  must(close(ends[1]));
  while (read(ends[0], &byte, 1) == 1)
    count++;
  is(count, 32);
  check(wait(NULL) > 0);
}

CASE(clone_with_a_stack_of_its_own) {
  pid_t child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

  if (child == 0) {
    must(mkdir("made_by_the_clone", 0755));
    _exit(6);
  }
  expect_exit(child, 6);
  show_directory(".");
}

static int open_null(void *unused) {
  (void)unused;
  return open("/dev/null", O_RDONLY);
}

CASE(processes_cloned_with_CLONE_FILES_share_descriptors) {
  static char stack[65536];
  pid_t child = must(clone(open_null, stack + sizeof(stack), CLONE_FILES | SIGCHLD, NULL));

  expect_exit(child, 3);
  is(fcntl(3, F_GETFD), 0);
}
