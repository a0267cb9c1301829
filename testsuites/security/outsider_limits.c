/*
 * Limits, priorities and processors of a process outside, by its number. In an earlier draft
 * prlimit of an outsider succeeded.
 *
 * without: membership
 */
#include "testsuites/security/attack.h"

#include <sys/resource.h>

#define RESOURCE_NOFILE 7

static void attack(void) {
  pid_t outsider = given_pid("OUTSIDER");
  struct rlimit limit = {3, 3};
  unsigned long mask[16] = {1}, nodes[2] = {1};
  int policy = 0;
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t rest[3];
  } attributes = {.size = 48};
  struct timespec time;
  void *page[1] = {&policy};
  int node[1] = {0}, status[1];

  must_fail("prlimit, to read", syscall(SYS_prlimit64, outsider, RESOURCE_NOFILE, NULL, &limit));
  limit = (struct rlimit){64, 64};
  must_fail("prlimit, to set", syscall(SYS_prlimit64, outsider, RESOURCE_NOFILE, &limit, NULL));
  must_fail("sched_getaffinity", syscall(SYS_sched_getaffinity, outsider, sizeof mask, mask));
  must_fail("sched_setaffinity", syscall(SYS_sched_setaffinity, outsider, 8L, mask));
  must_fail("sched_getscheduler", syscall(SYS_sched_getscheduler, outsider));
  must_fail("sched_setscheduler",
            syscall(SYS_sched_setscheduler, outsider, 3 /* batch */, &policy));
  must_fail("sched_getparam", syscall(SYS_sched_getparam, outsider, &policy));
  must_fail("sched_setparam", syscall(SYS_sched_setparam, outsider, &policy));
  must_fail("sched_getattr", syscall(SYS_sched_getattr, outsider, &attributes, 48, 0));
  must_fail("sched_setattr", syscall(SYS_sched_setattr, outsider, &attributes, 0));
  must_fail("sched_rr_get_interval", syscall(SYS_sched_rr_get_interval, outsider, &time));
  must_fail("getpriority", syscall(SYS_getpriority, PRIO_PROCESS, outsider));
  must_fail("setpriority", syscall(SYS_setpriority, PRIO_PROCESS, outsider, 5));
  must_fail("getpriority, group", syscall(SYS_getpriority, PRIO_PGRP, outsider));
  must_fail("setpriority, group", syscall(SYS_setpriority, PRIO_PGRP, outsider, 5));
  must_fail("ioprio_get", syscall(SYS_ioprio_get, 1, outsider));
  must_fail("ioprio_set", syscall(SYS_ioprio_set, 1, outsider, 2 << 13 | 7));
  must_fail("ioprio_set, group", syscall(SYS_ioprio_set, 2, outsider, 2 << 13 | 7));
  must_fail("migrate_pages", syscall(SYS_migrate_pages, outsider, 64, nodes, nodes));
  must_fail("move_pages", syscall(SYS_move_pages, outsider, 1, page, node, status, 0));
  must_fail("clock_gettime of its CPU time",
            syscall(SYS_clock_gettime, (int)(~(unsigned)outsider << 3 | 2), &time));
  must_fail("getpgid", syscall(SYS_getpgid, outsider));
  must_fail("getsid", syscall(SYS_getsid, outsider));
  must_fail("setpgid", syscall(SYS_setpgid, outsider, 0));
  must_fail("setpgid into its group", syscall(SYS_setpgid, 0, outsider));
  /* all of the user's: those of the silo are meant, and only they */
  syscall(SYS_setpriority, PRIO_USER, 0, 7);
  syscall(SYS_ioprio_set, 3, 0, 2 << 13 | 7);
}
