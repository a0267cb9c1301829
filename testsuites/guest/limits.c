/* Resource limits: getrlimit, setrlimit, prlimit(2), and what they do. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/resource.h>

CASE(limits_can_be_read_lowered_and_raised_again) {
  struct rlimit limit, now;

  must(getrlimit(RLIMIT_NOFILE, &limit));
  check(limit.rlim_cur <= limit.rlim_max);
  now = (struct rlimit){100, limit.rlim_max};
  ok(setrlimit(RLIMIT_NOFILE, &now));
  must(getrlimit(RLIMIT_NOFILE, &now));
  is(now.rlim_cur, 100);
  check(now.rlim_max == limit.rlim_max);
  ok(setrlimit(RLIMIT_NOFILE, &limit));
}

CASE(every_limit_can_be_read) {
  struct rlimit limit;
  int fine = 0;

  for (int resource = 0; resource < RLIM_NLIMITS; resource++)
    fine += getrlimit(resource, &limit) == 0;
  is(fine, 16);
  fails(getrlimit(16, &limit), EINVAL);
  fails(getrlimit(-1, &limit), EINVAL);
  fails(syscall(SYS_getrlimit, RLIMIT_NOFILE, bad_pointer), EFAULT);
}

CASE(the_limit_of_locks_can_be_set_and_read) {
  struct rlimit limit = {10, 20}, now;

  ok(setrlimit(RLIMIT_LOCKS, &limit));
  ok(getrlimit(RLIMIT_LOCKS, &now));
  is(now.rlim_cur, 10);
  is(now.rlim_max, 20);
}

CASE(the_limit_of_locks_is_inherited) {
  struct rlimit limit = {11, 20}, now;
  pid_t child;

  must(setrlimit(RLIMIT_LOCKS, &limit));
  child = fork();
  if (child == 0) {
    must(getrlimit(RLIMIT_LOCKS, &now));
    is(now.rlim_cur, 11);
    leave();
  }
  expect_exit(child, 0);
}

CASE(prlimit_reads_and_writes_in_one_step) {
  struct rlimit wish = {50, 60}, old;

  ok(prlimit(0, RLIMIT_NOFILE, NULL, &old));
  ok(prlimit(getpid(), RLIMIT_NOFILE, &wish, &old));
  check(old.rlim_max >= 60);
  ok(prlimit(0, RLIMIT_NOFILE, NULL, &old));
  is(old.rlim_cur, 50);
  is(old.rlim_max, 60);
  fails(prlimit(0, 77, NULL, &old), EINVAL);
  fails(prlimit(999999999, RLIMIT_NOFILE, NULL, &old), ESRCH);
}

CASE(prlimit_of_a_child) {
  struct rlimit wish = {50, 60}, old;
  int ends[2];
  pid_t child;

  must(pipe(ends));
  child = fork();
  if (child == 0) {
    hear(ends[0]);
    must(getrlimit(RLIMIT_NOFILE, &old));
    is(old.rlim_cur, 50);
    leave();
  }
  must(prlimit(child, RLIMIT_NOFILE, &wish, &old));
  tell(ends[1]);
  expect_exit(child, 0);
}

CASE(a_soft_limit_above_the_hard_one_fails_with_EINVAL) {
  struct rlimit wish = {20, 10};

  fails(setrlimit(RLIMIT_NOFILE, &wish), EINVAL);
  fails(setrlimit(77, &wish), EINVAL);
}

CASE(an_ordinary_user_does_not_raise_a_hard_limit) {
  struct rlimit lower = {10, 20}, higher = {10, 30};

  need_ordinary_user();
  ok(setrlimit(RLIMIT_NPROC, &lower));
  fails(setrlimit(RLIMIT_NPROC, &higher), EPERM);
  ok(setrlimit(RLIMIT_LOCKS, &lower));
  fails(setrlimit(RLIMIT_LOCKS, &higher), EPERM);
}

CASE(RLIMIT_NOFILE_bounds_the_numbers_of_descriptors) {
  struct rlimit limit = {10, 10};
  int fd = must(open("/dev/null", O_RDONLY)), count = 0;

  ok(setrlimit(RLIMIT_NOFILE, &limit));
  fails(dup2(fd, 10), EBADF);
  ok(dup2(fd, 9));
  fails(fcntl(fd, F_DUPFD, 10), EINVAL);
  while (dup(fd) >= 0)
    count++;
  is(count, 5);
  is(errno, EMFILE);
  fails(pipe((int[2]){0}), EMFILE);
  is(getdtablesize(), 10);
}

CASE(RLIMIT_AS_bounds_memory) {
  pid_t child = fork();

  if (child == 0) {
    struct rlimit limit = {256 << 20, 256 << 20};
    void *large;

    must(setrlimit(RLIMIT_AS, &limit));
    large = mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(large == MAP_FAILED && errno == ENOMEM);
    ok(mkdir("d", 0755));
    leave();
  }
  expect_exit(child, 0);
}

CASE(RLIMIT_STACK_is_kept_over_exec) {
  pid_t child = fork();

  if (child == 0) {
    struct rlimit limit;

    must(getrlimit(RLIMIT_STACK, &limit));
    limit.rlim_cur = 1 << 20;
    must(setrlimit(RLIMIT_STACK, &limit));
    execl(guest_self, guest_self, "@show_stack", NULL);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(show_stack) {
  struct rlimit limit;

  must(getrlimit(RLIMIT_STACK, &limit));
  is(limit.rlim_cur, 1 << 20);
  return 0;
}
