/* The state tag: a number carried in the soft value of RLIMIT_LOCKS. */
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define TAG ((1ULL << 62) + 12345)
#define OTHER_TAG ((1ULL << 62) + 54321)

static uint64_t tag_of(pid_t pid) {
  struct rlimit limit;

  return prlimit(pid, RLIMIT_LOCKS, NULL, &limit) < 0 ? 0 : limit.rlim_cur;
}

/* /proc/PID/comm tells that the program has been executed. */
static bool has_name(pid_t pid, const char *name) {
  char path[64], text[32] = "";
  FILE *file;

  snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
  file = fopen(path, "re");
  if (!file)
    return false;
  if (!fgets(text, sizeof text, file))
    text[0] = '\0';
  fclose(file);
  text[strcspn(text, "\n")] = '\0';
  return strcmp(text, name) == 0;
}

struct talk {
  int go[2];
  volatile pid_t grandchild;
};

/* Forks when told, and the child of the child executes a program. */
static _Noreturn void carrier(struct talk *talk, int scratch) {
  char *arguments[] = {"tagged", "wait", NULL};
  char byte;
  pid_t grandchild;

  if (read(talk->go[0], &byte, 1) != 1)
    _exit(1);
  grandchild = dz_probe_fork();
  if (grandchild == 0) {
    if (read(talk->go[0], &byte, 1) == 1 && fchdir(scratch) == 0)
      execv("tagged", arguments);
    _exit(1);
  }
  talk->grandchild = grandchild;
  for (;;)
    pause();
}

static bool step(struct talk *talk) {
  return write(talk->go[1], "", 1) == 1;
}

static double cost_of_reading(pid_t pid) {
  double start = dz_probe_now();

  for (int i = 0; i < 1000; i++)
    tag_of(pid);
  return (dz_probe_now() - start) / 1000;
}

/* Hard limit infinite; soft value of any size set and read from outside, copied by fork, kept by
 * exec, changed for one process only. */
int dz_probe_state_tag(struct dz_probe_report *report) {
  struct talk *talk = dz_probe_shared(sizeof *talk);
  struct rlimit limit = {.rlim_cur = TAG, .rlim_max = RLIM_INFINITY};
  struct rlimit own;
  pid_t child;

  if (getrlimit(RLIMIT_LOCKS, &own) < 0 || pipe(talk->go) < 0)
    return dz_probe_lacks(report, -errno, "getrlimit: %s", strerror(errno));
  if (own.rlim_max != RLIM_INFINITY)
    return dz_probe_lacks(report, -EPERM, "the hard limit is %llu, not infinite (ulimit -x)",
                          (unsigned long long)own.rlim_max);
  if (dz_probe_write_program(report->scratch, "tagged") < 0)
    return dz_probe_lacks(report, -EIO, "no program could be written");
  child = dz_probe_fork();
  if (child == 0)
    carrier(talk, report->scratch);
  if (prlimit(child, RLIMIT_LOCKS, &limit, NULL) < 0)
    return dz_probe_lacks(report, -errno, "prlimit of a child: %s", strerror(errno));
  if (tag_of(child) != TAG)
    return dz_probe_lacks(report, -EPROTO, "the value read is not the value set");

  step(talk);
  while (!talk->grandchild)
    dz_probe_sleep_us(100);
  if (tag_of(talk->grandchild) != TAG)
    return dz_probe_lacks(report, -EPROTO, "fork did not copy it");
  limit.rlim_cur = OTHER_TAG;
  if (prlimit(talk->grandchild, RLIMIT_LOCKS, &limit, NULL) < 0 || tag_of(child) != TAG)
    return dz_probe_lacks(report, -EPROTO, "the child's changed with the grandchild's");
  step(talk);
  for (int i = 0; i < 5000 && !has_name(talk->grandchild, "tagged"); i++)
    dz_probe_sleep_us(200);
  if (tag_of(talk->grandchild) != OTHER_TAG)
    return dz_probe_lacks(report, -EPROTO, "exec did not keep it");
  return dz_probe_ok(report, "hard limit infinite; 2^62 set outside, forked, kept; read in %.2f us",
                     cost_of_reading(child));
}
