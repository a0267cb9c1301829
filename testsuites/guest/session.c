/* Process groups, sessions, priorities, scheduling. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sched.h>
#include <sys/resource.h>

CASE(a_case_leads_a_process_group) {
  is(getpgrp() == getpid(), 1);
  is(getpgid(0) == getpid(), 1);
  fails(setsid(), EPERM); /* a leader cannot */
}

CASE(setpgid_makes_and_joins_groups) {
  pid_t child = fork();

  if (child == 0) {
    pid_t parent_group = getpgid(getppid());

    check(getpgid(0) == parent_group);
    ok(setpgid(0, 0));
    check(getpgid(0) == getpid());
    must(setpgid(0, parent_group));
    check(getpgid(0) == parent_group);
    leave();
  }
  expect_exit(child, 0);
}

CASE(setpgid_errors) {
  pid_t child;

  fails(setpgid(0, -1), EINVAL);
  fails(setpgid(0, 999999), EPERM);
  fails(setpgid(999999999, 0), ESRCH);
  fails(getpgid(999999999), ESRCH);
  fails(getsid(999999999), ESRCH);
  child = fork();
  if (child == 0) {
    fails(setpgid(getppid(), 0), ESRCH); /* not a child of the caller */
    leave();
  }
  expect_exit(child, 0);
}

ROLE(wait_for_input) {
  char byte;

  return read(0, &byte, 1) != 0;
}

CASE(setpgid_of_a_child_that_has_executed_fails_with_EACCES) {
  int ends[2], started[2];
  pid_t child;
  char byte;

  must(pipe2(ends, O_CLOEXEC));
  must(pipe2(started, O_CLOEXEC));
  child = fork();
  if (child == 0) {
    must(dup2(ends[0], 0));
    execl(guest_self, guest_self, "@wait_for_input", NULL);
    leave();
  }
  must(close(started[1]));
  is(read(started[0], &byte, 1), 0); /* closed by exec */
  fails(setpgid(child, child), EACCES);
  must(close(ends[1]));
  expect_exit(child, 0);
}

CASE(setsid_makes_a_session_and_a_group) {
  pid_t child = fork();

  if (child == 0) {
    pid_t session = setsid();

    check(session == getpid() && getsid(0) == session && getpgid(0) == session);
    fails(setsid(), EPERM);
    fails(setpgid(0, 0), EPERM); /* a session leader */
    if (fork() == 0) {
      check(getsid(0) == session);
      leave();
    }
    check(wait(NULL) > 0);
    leave();
  }
  expect_exit(child, 0);
}

CASE(nice_lowers_the_priority) {
  is(getpriority(PRIO_PROCESS, 0), 0);
  is(nice(5), 5);
  is(getpriority(PRIO_PROCESS, 0), 5);
  ok(setpriority(PRIO_PROCESS, 0, 10));
  is(getpriority(PRIO_PROCESS, getpid()), 10);
  ok(setpriority(PRIO_PROCESS, 0, 100));
  is(getpriority(PRIO_PROCESS, 0), 19);
  fails(getpriority(77, 0), EINVAL);
  fails(getpriority(PRIO_PROCESS, 999999999), ESRCH);
}

CASE(priorities_are_inherited_and_belong_to_children_too) {
  int ends[2], ready[2];
  pid_t child;

  must(nice(3));
  must(pipe(ends));
  must(pipe(ready));
  child = fork();
  if (child == 0) {
    is(getpriority(PRIO_PROCESS, 0), 3);
    tell(ready[1]);
    hear(ends[0]);
    is(getpriority(PRIO_PROCESS, 0), 7);
    leave();
  }
  hear(ready[0]);
  must(setpriority(PRIO_PROCESS, child, 7));
  tell(ends[1]);
  expect_exit(child, 0);
}

CASE(an_ordinary_user_does_not_raise_its_priority) {
  need_ordinary_user();
  must(nice(5));
  fails(setpriority(PRIO_PROCESS, 0, 0), EACCES);
  fails(nice(-5), EPERM);
}

CASE(sched_affinity_can_be_read_and_narrowed) {
  cpu_set_t all, one, now;
  int first = 0;

  ok(sched_getaffinity(0, sizeof(all), &all));
  check(CPU_COUNT(&all) >= 1);
  while (!CPU_ISSET(first, &all))
    first++;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ok(sched_setaffinity(0, sizeof(one), &one));
  ok(sched_getaffinity(0, sizeof(now), &now));
  check(CPU_EQUAL(&now, &one));
  ok(sched_getaffinity(getpid(), sizeof(now), &now));
  CPU_ZERO(&one);
  fails(sched_setaffinity(0, sizeof(one), &one), EINVAL);
  fails(sched_getaffinity(999999999, sizeof(now), &now), ESRCH);
}

CASE(scheduling_policies) {
  struct sched_param parameters = {0};

  is(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
  ok(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &parameters));
  is(syscall(SYS_sched_getscheduler, getpid()), SCHED_BATCH);
  ok(syscall(SYS_sched_getparam, 0, &parameters));
  is(parameters.sched_priority, 0);
  is(sched_get_priority_max(SCHED_FIFO), 99);
  is(sched_get_priority_min(SCHED_OTHER), 0);
  ok(sched_yield());
  fails(syscall(SYS_sched_setscheduler, 0, 77, &parameters), EINVAL);
  fails(syscall(SYS_sched_getscheduler, 999999999), ESRCH);
}
