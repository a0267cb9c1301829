/* The devices that every program expects. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <sys/ioctl.h>

CASE(dev_null_swallows_and_gives_nothing) {
  char byte;
  int fd = ok(open("/dev/null", O_RDWR));

  is(write(fd, "text", 4), 4);
  is(read(fd, &byte, 1), 0);
  is(lseek(fd, 10, SEEK_SET), 0);
  ok(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666));
  fails(open("/dev/null", O_CREAT | O_EXCL | O_WRONLY, 0666), EEXIST);
  fails(open("/dev/null/x", O_RDONLY), ENOTDIR);
}

CASE(dev_zero_gives_zeros) {
  char text[4] = "abc", *page;
  int fd = ok(open("/dev/zero", O_RDWR));

  is(read(fd, text, 4), 4);
  show_bytes("read", text, 4);
  is(write(fd, "text", 4), 4);
  page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  check(page != MAP_FAILED && page[17] == 0);
}

CASE(dev_full_is_full) {
  char text[4] = "abc";
  int fd = ok(open("/dev/full", O_RDWR));

  fails(write(fd, "x", 1), ENOSPC);
  is(read(fd, text, 4), 4);
  show_bytes("read", text, 4);
}

CASE(dev_random_and_urandom_differ_every_time) {
  char a[32], b[32];
  int fd = ok(open("/dev/urandom", O_RDONLY));

  is(read(fd, a, 32), 32);
  is(read(fd, b, 32), 32);
  check(memcmp(a, b, 32) != 0);
  fd = ok(open("/dev/random", O_RDONLY));
  is(read(fd, b, 32), 32);
  check(memcmp(a, b, 32) != 0);
}

CASE(dev_tty_without_a_terminal_fails_with_ENXIO) {
  pid_t child = fork();

  if (child == 0) {
    must(setsid());
    fails(open("/dev/tty", O_RDWR), ENXIO);
    leave();
  }
  expect_exit(child, 0);
}

CASE(a_pseudo_terminal_can_be_opened_and_used) {
  char text[64];
  int leader = ok(open("/dev/ptmx", O_RDWR | O_NOCTTY)), follower;

  ok(grantpt(leader));
  ok(unlockpt(leader));
  check(ptsname_r(leader, text, sizeof(text)) == 0 && strncmp(text, "/dev/pts/", 9) == 0);
  follower = ok(open(text, O_RDWR | O_NOCTTY));
  is(isatty(follower), 1);
  is(write(leader, "line\n", 5), 5);
  is(read(follower, text, sizeof(text)), 5);
  show_bytes("followed", text, 5);
  is(write(follower, "answer\n", 7), 7);
  for (int got = 0; got < 14;)
    got += must(read(leader, text + got, sizeof(text) - got));
  show_bytes("led", text, 14);
  ok(close(follower));
  fails(read(leader, text, sizeof(text)), EIO);
}

CASE(devices_are_not_terminals) {
  int fd = must(open("/dev/null", O_RDONLY));

  is(isatty(fd), 0);
  is(errno, ENOTTY);
  fails(ioctl(fd, TIOCGWINSZ, &(struct winsize){0}), ENOTTY);
}

CASE(the_memory_filesystem_of_dev_works) {
  char name[64];

  snprintf(name, sizeof(name), "/dev/shm/guest-%d", (int)getpid());
  put_file(name, "text");
  check(access(name, R_OK) == 0);
  check(unlink(name) == 0);
}
