/* epoll, eventfd, timerfd, inotify. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

static int watch(int epoll, int operation, int fd, uint32_t events, int tag) {
  struct epoll_event event = {.events = events, .data.u32 = tag};

  return epoll_ctl(epoll, operation, fd, &event);
}

CASE(epoll_tells_which_descriptor_is_ready) {
  struct epoll_event events[4];
  int a[2], b[2], epoll = ok(epoll_create1(EPOLL_CLOEXEC));

  must(pipe(a));
  must(pipe(b));
  ok(watch(epoll, EPOLL_CTL_ADD, a[0], EPOLLIN, 1));
  ok(watch(epoll, EPOLL_CTL_ADD, b[0], EPOLLIN, 2));
  is(epoll_wait(epoll, events, 4, 0), 0);
  must(write(b[1], "x", 1));
  is(epoll_wait(epoll, events, 4, 1000), 1);
  is(events[0].data.u32, 2);
  is(events[0].events, EPOLLIN);
  ok(watch(epoll, EPOLL_CTL_DEL, b[0], 0, 0));
  must(close(a[1]));
  is(epoll_wait(epoll, events, 4, 1000), 1);
  is(events[0].events, EPOLLHUP);
}

CASE(epoll_modes_and_errors) {
  struct epoll_event events[4];
  int ends[2], epoll = must(epoll_create1(0)), file;

  must(pipe(ends));
  ok(watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLET, 1));
  must(write(ends[1], "x", 1));
  is(epoll_wait(epoll, events, 4, 1000), 1);
  is(epoll_wait(epoll, events, 4, 0), 0); /* edge triggered: told once */
  ok(watch(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 1));
  is(epoll_wait(epoll, events, 4, 1000), 1);
  is(epoll_wait(epoll, events, 4, 0), 0);
  fails(watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN, 1), EEXIST);
  fails(watch(epoll, EPOLL_CTL_MOD, ends[1], EPOLLIN, 1), ENOENT);
  fails(watch(epoll, EPOLL_CTL_ADD, 99, EPOLLIN, 1), EBADF);
  put_file("f", "");
  file = must(open("f", O_RDONLY));
  fails(watch(epoll, EPOLL_CTL_ADD, file, EPOLLIN, 1), EPERM);
  fails(watch(epoll, EPOLL_CTL_ADD, epoll, EPOLLIN, 1), EINVAL);
  fails(epoll_wait(epoll, events, 0, 0), EINVAL);
}

CASE(an_eventfd_counts) {
  uint64_t value = 5;
  int fd = ok(eventfd(2, EFD_NONBLOCK)), lots;

  is(write(fd, &value, 8), 8);
  is(read(fd, &value, 8), 8);
  is(value, 7);
  fails(read(fd, &value, 8), EAGAIN);
  fails(read(fd, &value, 4), EINVAL);
  lots = ok(eventfd(3, EFD_SEMAPHORE));
  is(read(lots, &value, 8), 8);
  is(value, 1);
}

CASE(an_eventfd_wakes_another_process) {
  uint64_t value = 9;
  int fd = must(eventfd(0, 0));
  pid_t child = fork();

  if (child == 0) {
    is(read(fd, &value, 8), 8);
    is(value, 9);
    leave();
  }
  must(write(fd, &value, 8));
  expect_exit(child, 0);
}

CASE(a_timerfd_expires) {
  struct itimerspec timer = {.it_value.tv_nsec = 20000000}, rest;
  uint64_t count;
  int fd = ok(timerfd_create(CLOCK_MONOTONIC, 0));
  struct pollfd poller = {.fd = fd, .events = POLLIN};

  is(poll(&poller, 1, 0), 0);
  ok(timerfd_settime(fd, 0, &timer, NULL));
  is(read(fd, &count, 8), 8);
  is(count, 1);
  timer.it_value.tv_sec = 100;
  ok(timerfd_settime(fd, 0, &timer, NULL));
  ok(timerfd_gettime(fd, &rest));
  check(rest.it_value.tv_sec >= 99);
  fails(timerfd_create(77, 0), EINVAL);
}

/* Print the events that are there. */
static void show_events(int fd) {
  static const struct {
    uint32_t bit;
    const char *name;
  } names[] = {
      {IN_ACCESS, "access"},           {IN_MODIFY, "modify"},           {IN_ATTRIB, "attrib"},
      {IN_CLOSE_WRITE, "close-write"}, {IN_CLOSE_NOWRITE, "close"},     {IN_OPEN, "open"},
      {IN_MOVED_FROM, "moved-from"},   {IN_MOVED_TO, "moved-to"},       {IN_CREATE, "create"},
      {IN_DELETE, "delete"},           {IN_DELETE_SELF, "delete-self"}, {IN_MOVE_SELF, "move-self"},
      {IN_ISDIR, "directory"},         {IN_IGNORED, "ignored"}};
  char buffer[4096] __attribute__((aligned(8)));
  ssize_t size = read(fd, buffer, sizeof(buffer));

  for (char *at = buffer; at < buffer + size;) {
    struct inotify_event *event = (struct inotify_event *)at;

    say("watch %d:", event->wd);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
      if (event->mask & names[i].bit)
        say(" %s", names[i].name);
    say(" \"%s\"%s\n", event->len ? event->name : "", event->cookie ? " with a cookie" : "");
    at += sizeof(*event) + event->len;
  }
  if (size < 0)
    say("no event: %s\n", errno_name(errno));
}

CASE(inotify_tells_of_what_is_made_moved_and_removed_in_a_directory) {
  int fd = ok(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));

  must(mkdir("d", 0755));
  is(inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MOVE | IN_DELETE_SELF), 1);
  show_events(fd);
  put_file("d/f", "");
  must(mkdir("d/sub", 0755));
  must(symlink("x", "d/link"));
  must(mkfifo("d/fifo", 0600));
  must(rename("d/f", "d/g"));
  must(link("d/g", "d/h"));
  show_events(fd);
  must(unlink("d/g"));
  must(rmdir("d/sub"));
  must(rename("d/link", "outside"));
  must(unlink("d/h"));
  must(unlink("d/fifo"));
  must(rmdir("d"));
  show_events(fd);
}

CASE(inotify_tells_of_what_happens_to_a_file) {
  char byte;
  int fd = must(inotify_init1(IN_NONBLOCK)), file;

  put_file("f", "text");
  is(inotify_add_watch(fd, "f", IN_ALL_EVENTS), 1);
  file = must(open("f", O_RDWR));
  must(read(file, &byte, 1));
  must(write(file, "x", 1));
  must(close(file));
  show_events(fd);
  must(chmod("f", 0600));
  must(truncate("f", 1));
  show_events(fd);
  must(rename("f", "g"));
  must(unlink("g"));
  show_events(fd);
}

CASE(calls_that_only_look_raise_no_events) {
  struct stat st;
  char text[16];
  int fd = must(inotify_init1(IN_NONBLOCK));

  put_file("f", "text");
  must(symlink("f", "link"));
  must(inotify_add_watch(fd, "f", IN_ALL_EVENTS));
  must(inotify_add_watch(fd, ".", IN_ALL_EVENTS));
  must(stat("f", &st));
  must(lstat("link", &st));
  must(access("f", R_OK));
  must(readlink("link", text, sizeof(text)));
  must(open("f", O_PATH));
  show_events(fd);
}

CASE(inotify_watches_can_be_changed_and_removed) {
  int fd = must(inotify_init1(IN_NONBLOCK));

  put_file("f", "");
  is(inotify_add_watch(fd, "f", IN_ATTRIB), 1);
  is(inotify_add_watch(fd, "f", IN_MODIFY), 1);
  must(chmod("f", 0600));
  show_events(fd);
  must(mkdir("d", 0755));
  is(inotify_add_watch(fd, "d", IN_CREATE), 2);
  ok(inotify_rm_watch(fd, 1));
  show_events(fd);
  fails(inotify_rm_watch(fd, 1), EINVAL);
  fails(inotify_add_watch(fd, "missing", IN_CREATE), ENOENT);
  fails(inotify_add_watch(fd, "f", IN_CREATE | IN_ONLYDIR), ENOTDIR);
  fails(inotify_add_watch(fd, "f", 0), EINVAL);
  fails(inotify_add_watch(0, "f", IN_CREATE), EINVAL);
  fails(inotify_add_watch(99, "f", IN_CREATE), EBADF);
}

CASE(inotify_hears_of_other_processes_doings) {
  struct pollfd poller = {.fd = must(inotify_init1(IN_NONBLOCK)), .events = POLLIN};
  pid_t child;

  must(inotify_add_watch(poller.fd, ".", IN_CREATE));
  child = fork();
  if (child == 0) {
    must(mkdir("made_by_the_child", 0755));
    leave();
  }
  is(poll(&poller, 1, 5000), 1);
  show_events(poller.fd);
  expect_exit(child, 0);
}

CASE(fanotify_is_not_for_ordinary_users) {
  need_ordinary_user();
  fails(syscall(SYS_fanotify_init, 0, O_RDONLY), EPERM);
}
