/* Pipes and FIFOs. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <poll.h>
#include <sys/ioctl.h>

CASE(a_pipe_carries_bytes_and_ends_with_its_writers) {
  char text[16];
  int ends[2];

  ok(pipe(ends));
  say("%d %d\n", ends[0], ends[1]);
  is(write(ends[1], "hello", 5), 5);
  is(read(ends[0], text, 2), 2);
  is(read(ends[0], text, sizeof(text)), 3);
  ok(close(ends[1]));
  is(read(ends[0], text, sizeof(text)), 0);
  fails(write(ends[0], "x", 1), EBADF);
}

CASE(writing_without_a_reader_raises_SIGPIPE) {
  int ends[2];
  pid_t child;

  must(pipe(ends));
  must(close(ends[0]));
  child = fork();
  if (child == 0) {
    must(write(ends[1], "x", 1));
    leave();
  }
  expect_signal(child, SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  fails(write(ends[1], "x", 1), EPIPE);
}

CASE(pipe2_flags) {
  char byte;
  int ends[2];

  ok(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  is(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
  is(fcntl(ends[1], F_GETFL), O_WRONLY | O_NONBLOCK);
  fails(read(ends[0], &byte, 1), EAGAIN);
  fails(pipe2(ends, O_TRUNC), EINVAL);
}

CASE(a_pipe_holds_65536_bytes_unless_told_otherwise) {
  static char block[4096];
  int ends[2], total = 0;

  must(pipe2(ends, O_NONBLOCK));
  is(fcntl(ends[1], F_GETPIPE_SZ), 65536);
  while (write(ends[1], block, sizeof(block)) > 0)
    total += sizeof(block);
  is(total, 65536);
  is(ioctl(ends[0], FIONREAD, &total), 0);
  is(total, 65536);
  is(fcntl(ends[1], F_SETPIPE_SZ, 131072), 131072);
  is(write(ends[1], block, sizeof(block)), 4096);
}

CASE(O_DIRECT_makes_a_pipe_of_packets) {
  char text[16];
  int ends[2];

  ok(pipe2(ends, O_DIRECT));
  is(write(ends[1], "one", 3), 3);
  is(write(ends[1], "two", 3), 3);
  is(read(ends[0], text, sizeof(text)), 3);
  is(read(ends[0], text, 1), 1); /* the rest of the packet is lost */
  fcntl(ends[0], F_SETFL, O_DIRECT | O_NONBLOCK);
  fails(read(ends[0], text, 1), EAGAIN);
}

CASE(opening_a_fifo_waits_for_the_other_end) {
  char text[16];
  pid_t child;
  int fd;

  ok(mkfifo("fifo", 0600));
  child = fork();
  if (child == 0) {
    fd = must(open("fifo", O_WRONLY));
    must(write(fd, "through", 7));
    leave();
  }
  await_sleep(child);
  fd = ok(open("fifo", O_RDONLY));
  is(read(fd, text, sizeof(text)), 7);
  expect_exit(child, 0);
  is(read(fd, text, sizeof(text)), 0);
}

CASE(opening_a_fifo_for_writing_waits_for_a_reader) {
  char text[16];
  pid_t child;
  int fd;

  must(mkfifo("fifo", 0600));
  child = fork();
  if (child == 0) {
    fd = must(open("fifo", O_RDONLY));
    must(read(fd, text, sizeof(text)) == 7 ? 0 : -1);
    leave();
  }
  await_sleep(child);
  fd = ok(open("fifo", O_WRONLY));
  is(write(fd, "through", 7), 7);
  expect_exit(child, 0);
}

CASE(a_fifo_does_not_wait_with_O_NONBLOCK_or_O_RDWR) {
  char text[16];
  int reader, both;

  must(mkfifo("fifo", 0600));
  fails(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
  reader = ok(open("fifo", O_RDONLY | O_NONBLOCK));
  is(read(reader, text, sizeof(text)), 0);
  ok(open("fifo", O_WRONLY | O_NONBLOCK));
  fails(read(reader, text, sizeof(text)), EAGAIN);
  both = ok(open("fifo", O_RDWR));
  is(write(both, "x", 1), 1);
  is(read(reader, text, sizeof(text)), 1);
}

CASE(one_process_waiting_on_a_fifo_does_not_stop_others) {
  struct stat st;
  pid_t child;

  must(mkfifo("fifo", 0600));
  child = fork();
  if (child == 0) {
    must(open("fifo", O_RDONLY));
    leave();
  }
  await_sleep(child);
  for (int i = 0; i < 50; i++)
    must(stat("fifo", &st));
  ok(mkdir("d", 0755));
  ok(rename("fifo", "d/fifo"));
  ok(open("d/fifo", O_WRONLY));
  expect_exit(child, 0);
}

CASE(many_processes_waiting_on_fifos_all_go_on) {
  pid_t children[20];
  char name[16];
  int fine = 0;

  for (int i = 0; i < 20; i++) {
    snprintf(name, sizeof(name), "fifo%d", i);
    must(mkfifo(name, 0600));
    children[i] = fork();
    if (children[i] == 0) {
      must(open(name, i % 2 ? O_RDONLY : O_WRONLY));
      leave();
    }
  }
  for (int i = 0; i < 20; i++)
    await_sleep(children[i]);
  for (int i = 19; i >= 0; i--) {
    snprintf(name, sizeof(name), "fifo%d", i);
    must(open(name, i % 2 ? O_WRONLY : O_RDONLY));
    fine += guest_reap(children[i]) == 0;
  }
  is(fine, 20);
}

CASE(a_process_waiting_on_a_fifo_can_be_killed) {
  pid_t child;

  must(mkfifo("fifo", 0600));
  child = fork();
  if (child == 0) {
    must(open("fifo", O_RDONLY));
    leave();
  }
  await_sleep(child);
  must(kill(child, SIGTERM));
  expect_signal(child, SIGTERM);
  /* A supervisor that opened for the dead one may take a moment to let go. */
  await(open("fifo", O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
}

CASE(mknod_makes_fifos_files_and_sockets) {
  ok(mknod("fifo", S_IFIFO | 0640, 0));
  ok(mknod("f", S_IFREG | 0640, 0));
  ok(mknod("typeless", 0640, 0));
  ok(mknod("socket", S_IFSOCK | 0640, 0));
  ok(mknodat(AT_FDCWD, "at", S_IFIFO | 0600, 0));
  show_stat("fifo");
  show_stat("f");
  show_stat("typeless");
  show_stat("socket");
  show_stat("at");
  fails(mknod("fifo", S_IFIFO | 0600, 0), EEXIST);
  fails(mknod("d", S_IFDIR | 0755, 0), EPERM);
  fails(mknod("link", S_IFLNK | 0777, 0), EINVAL);
  fails(mknod("strange", 0030000 | 0644, 0), EINVAL);
  fails(mkfifo("missing/fifo", 0600), ENOENT);
}

CASE(an_ordinary_user_makes_no_devices) {
  need_ordinary_user();
  fails(mknod("null", S_IFCHR | 0666, 0x103), EPERM);
  fails(mknod("disk", S_IFBLK | 0666, 0x801), EPERM);
}

CASE(poll_tells_the_state_of_a_pipe) {
  int ends[2];
  struct pollfd watch[2];

  must(pipe(ends));
  watch[0] = (struct pollfd){.fd = ends[0], .events = POLLIN};
  watch[1] = (struct pollfd){.fd = ends[1], .events = POLLOUT};
  is(poll(watch, 2, 0), 1);
  is(watch[1].revents, POLLOUT);
  must(write(ends[1], "x", 1));
  is(poll(watch, 1, 0), 1);
  is(watch[0].revents, POLLIN);
  must(close(ends[1]));
  is(poll(watch, 1, 0), 1);
  is(watch[0].revents, POLLIN | POLLHUP);
}

CASE(a_shell_pipeline_of_processes) {
  char text[64];
  int first[2], second[2];
  pid_t a, b;

  must(pipe2(first, O_CLOEXEC));
  must(pipe2(second, O_CLOEXEC));
  a = fork();
  if (a == 0) {
    must(write(first[1], "abc", 3));
    leave();
  }
  b = fork();
  if (b == 0) {
    must(close(first[1]));
    must(read(first[0], text, 3));
    for (int i = 0; i < 3; i++)
      text[i] -= 32;
    must(write(second[1], text, 3));
    leave();
  }
  close(first[0]), close(first[1]), close(second[1]);
  is(read(second[0], text, sizeof(text)), 3);
  show_bytes("result", text, 3);
  expect_exit(a, 0);
  expect_exit(b, 0);
  is(read(second[0], text, sizeof(text)), 0);
}
