/* File locks: flock(2), POSIX locks and open file description locks of fcntl(2). */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <sys/file.h>

static int lock_call(int fd, int command, short type, off_t start, off_t length) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

  return fcntl(fd, command, &lock);
}

/* Who holds a lock that would be in the way of writing this range? */
static void show_holder(int fd, off_t start, off_t length, pid_t expected) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

  must(fcntl(fd, F_GETLK, &lock));
  if (lock.l_type == F_UNLCK)
    say("nobody locks %ld+%ld\n", (long)start, (long)length);
  else
    say("%s lock %ld+%ld by %s\n", lock.l_type == F_RDLCK ? "read" : "write", (long)lock.l_start,
        (long)lock.l_len, lock.l_pid == expected ? "the expected process" : "another");
}

/* Run in a child and give its exit status. */
#define IN_CHILD(statement)                                                                        \
  do {                                                                                             \
    pid_t child_of_macro = fork();                                                                 \
    if (child_of_macro == 0) {                                                                     \
      statement;                                                                                   \
      leave();                                                                                     \
    }                                                                                              \
    expect_exit(child_of_macro, 0);                                                                \
  } while (0)

CASE(a_POSIX_lock_keeps_other_processes_out_and_not_its_own) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 10));
  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 20));
  IN_CHILD({
    fails(lock_call(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
    fails(lock_call(fd, F_SETLK, F_RDLCK, 5, 1), EAGAIN);
    ok(lock_call(fd, F_SETLK, F_WRLCK, 20, 1));
    show_holder(fd, 0, 5, getppid());
  });
  ok(lock_call(fd, F_SETLK, F_UNLCK, 0, 10));
  IN_CHILD(show_holder(fd, 0, 0, getppid()));
}

CASE(POSIX_read_locks_are_shared) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  ok(lock_call(fd, F_SETLK, F_RDLCK, 0, 10));
  IN_CHILD({
    ok(lock_call(fd, F_SETLK, F_RDLCK, 0, 10));
    fails(lock_call(fd, F_SETLK, F_WRLCK, 0, 10), EAGAIN);
  });
  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 10));
}

CASE(POSIX_locks_are_not_inherited_by_fork) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0));
  IN_CHILD(fails(lock_call(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN));
}

CASE(closing_any_descriptor_of_a_file_drops_its_POSIX_locks) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0));
  ok(close(must(open("f", O_RDONLY))));
  IN_CHILD(ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0)));
}

CASE(calls_that_open_and_close_the_file_do_not_drop_its_POSIX_locks) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));
  struct stat st;

  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0));
  must(stat("f", &st));
  must(chmod("f", 0600));
  must(truncate("f", 5));
  must(access("f", R_OK));
  must(link("f", "g"));
  must(rename("g", "h"));
  must(close(must(open("f", O_PATH))));
  IN_CHILD(fails(lock_call(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN));
}

CASE(the_end_of_a_process_drops_its_POSIX_locks) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  IN_CHILD(ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0)));
  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0));
}

CASE(F_SETLKW_waits_for_the_holder) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));
  pid_t child;

  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0));
  child = fork();
  if (child == 0) {
    must(lock_call(fd, F_SETLKW, F_WRLCK, 0, 0));
    say("the child has it\n");
    leave();
  }
  await_sleep(child);
  say("the parent lets go\n");
  must(lock_call(fd, F_SETLK, F_UNLCK, 0, 0));
  expect_exit(child, 0);
}

static void nothing(int number) {
  (void)number;
}

CASE(F_SETLKW_is_interrupted_by_a_signal) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));
  pid_t child;

  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0));
  child = fork();
  if (child == 0) {
    on_signal(SIGALRM, nothing, 0);
    ualarm(20000, 100000);
    fails(lock_call(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
    leave();
  }
  expect_exit(child, 0);
}

CASE(two_processes_that_wait_for_each_other_get_EDEADLK) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644)), ends[2];
  pid_t child;

  must(pipe(ends));
  ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 1));
  child = fork();
  if (child == 0) {
    must(lock_call(fd, F_SETLK, F_WRLCK, 1, 1));
    tell(ends[1]);
    must(lock_call(fd, F_SETLKW, F_WRLCK, 0, 1));
    leave();
  }
  hear(ends[0]);
  await_sleep(child);
  fails(lock_call(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
  must(lock_call(fd, F_SETLK, F_UNLCK, 0, 1));
  expect_exit(child, 0);
}

CASE(locks_need_the_right_access_mode) {
  int reading, writing;

  put_file("f", "");
  reading = must(open("f", O_RDONLY));
  writing = must(open("f", O_WRONLY));
  ok(lock_call(reading, F_SETLK, F_RDLCK, 0, 0));
  fails(lock_call(reading, F_SETLK, F_WRLCK, 0, 0), EBADF);
  ok(lock_call(writing, F_SETLK, F_WRLCK, 0, 0));
  fails(lock_call(writing, F_SETLK, F_RDLCK, 0, 0), EBADF);
  fails(lock_call(99, F_SETLK, F_RDLCK, 0, 0), EBADF);
  fails(lock_call(reading, F_SETLK, 77, 0, 0), EINVAL);
}

CASE(an_OFD_lock_belongs_to_the_open_file) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644)), other = must(open("f", O_RDWR));

  ok(lock_call(fd, F_OFD_SETLK, F_WRLCK, 0, 0));
  fails(lock_call(other, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
  IN_CHILD({
    ok(lock_call(fd, F_OFD_SETLK, F_WRLCK, 0, 0)); /* inherited */
    show_holder(fd, 0, 0, -1);
  });
  must(close(must(open("f", O_RDONLY))));
  fails(lock_call(other, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
  must(close(fd));
  ok(lock_call(other, F_OFD_SETLK, F_WRLCK, 0, 0));
}

CASE(flock_belongs_to_the_open_file_and_is_inherited) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644)), other = must(open("f", O_RDONLY));

  ok(flock(fd, LOCK_EX));
  fails(flock(other, LOCK_EX | LOCK_NB), EAGAIN);
  fails(flock(other, LOCK_SH | LOCK_NB), EAGAIN);
  IN_CHILD(ok(flock(fd, LOCK_EX | LOCK_NB)));
  ok(flock(fd, LOCK_SH));
  ok(flock(other, LOCK_SH | LOCK_NB));
  IN_CHILD(ok(flock(fd, LOCK_UN))); /* for the parent as well */
  ok(flock(other, LOCK_EX | LOCK_NB));
}

CASE(flock_goes_with_the_last_descriptor) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644)), copy = must(dup(fd));
  int other = must(open("f", O_RDONLY));

  ok(flock(fd, LOCK_EX));
  ok(close(fd));
  fails(flock(other, LOCK_EX | LOCK_NB), EAGAIN);
  ok(close(copy));
  ok(flock(other, LOCK_EX | LOCK_NB));
}

CASE(flock_and_POSIX_locks_do_not_see_each_other) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  ok(flock(fd, LOCK_EX));
  IN_CHILD(ok(lock_call(fd, F_SETLK, F_WRLCK, 0, 0)));
}

CASE(flock_is_interrupted_by_a_signal_and_restarted_if_wished) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));
  pid_t child;

  ok(flock(fd, LOCK_EX));
  child = fork();
  if (child == 0) {
    int other = must(open("f", O_RDONLY));

    on_signal(SIGALRM, nothing, 0);
    ualarm(20000, 100000);
    fails(flock(other, LOCK_EX), EINTR);
    on_signal(SIGALRM, nothing, SA_RESTART);
    ok(flock(other, LOCK_EX));
    ualarm(0, 0);
    leave();
  }
  await_sleep(child);
  usleep(200000);
  must(flock(fd, LOCK_UN));
  expect_exit(child, 0);
}

CASE(flock_errors) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  fails(flock(99, LOCK_EX), EBADF);
  fails(flock(fd, 0), EINVAL);
  fails(flock(fd, 77), EINVAL);
  must(mkdir("d", 0755));
  ok(flock(must(open("d", O_RDONLY)), LOCK_EX));
}
