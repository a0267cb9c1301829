/* truncate(2), ftruncate(2), and sizes in general. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <sys/resource.h>

CASE(truncate_shortens_and_lengthens_with_zeros) {
  put_file("f", "0123456789");
  ok(truncate("f", 4));
  show_file("f");
  ok(truncate("f", 8));
  show_file("f");
  ok(truncate("f", 0));
  show_file("f");
}

CASE(truncate_follows_symlinks) {
  put_file("f", "0123456789");
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  ok(truncate("link", 3));
  show_file("f");
  fails(truncate("dangling", 3), ENOENT);
}

CASE(truncate_errors) {
  must(mkdir("d", 0755));
  put_file("f", "");
  must(mkfifo("fifo", 0644));
  fails(truncate("d", 0), EISDIR);
  fails(truncate("missing", 0), ENOENT);
  fails(truncate("f/x", 0), ENOTDIR);
  fails(truncate("f", -1), EINVAL);
  fails(truncate("fifo", 0), EINVAL);
}

CASE(truncate_needs_write_permission) {
  need_ordinary_user();
  put_file("f", "text");
  must(chmod("f", 0400));
  fails(truncate("f", 0), EACCES);
}

CASE(ftruncate_keeps_the_position) {
  int fd;

  put_file("f", "0123456789");
  fd = must(open("f", O_RDWR));
  is(lseek(fd, 8, SEEK_SET), 8);
  ok(ftruncate(fd, 2));
  is(lseek(fd, 0, SEEK_CUR), 8);
  is(write(fd, "X", 1), 1);
  show_file("f");
  fails(ftruncate(fd, -1), EINVAL);
  fails(ftruncate(99, 0), EBADF);
}

CASE(holes_are_found_with_SEEK_DATA_and_SEEK_HOLE) {
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  is(pwrite(fd, "x", 1, 1 << 20), 1);
  is(lseek(fd, 0, SEEK_DATA), 1 << 20);
  is(lseek(fd, 0, SEEK_HOLE), 0);
  is(lseek(fd, 0, SEEK_END), (1 << 20) + 1);
  fails(lseek(fd, 1 << 21, SEEK_DATA), ENXIO);
}

CASE(sizes_beyond_four_gigabytes) {
  struct stat st;

  put_file("f", "text");
  ok(truncate("f", 5L << 30));
  must(stat("f", &st));
  is(st.st_size, 5L << 30);
  ok(unlink("f"));
}

CASE(RLIMIT_FSIZE_stops_truncate_and_write) {
  struct rlimit limit = {.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_WRONLY));
  must(getrlimit(RLIMIT_FSIZE, &limit));
  limit.rlim_cur = 100;
  signal(SIGXFSZ, SIG_IGN);
  /* Output may go to a file: from here on it is longer than allowed. */
  pid_t child = fork();
  if (child == 0) {
    int result;

    setrlimit(RLIMIT_FSIZE, &limit);
    result = ftruncate(fd, 1000) == -1 && errno == EFBIG;
    result += pwrite(fd, "0123456789", 10, 95) == 5;
    result += pwrite(fd, "0123456789", 10, 100) == -1 && errno == EFBIG;
    _exit(result);
  }
  expect_exit(child, 3);
}

CASE(RLIMIT_FSIZE_stops_truncate_by_path_too) {
  struct rlimit limit;
  pid_t child;

  put_file("f", "text");
  must(getrlimit(RLIMIT_FSIZE, &limit));
  limit.rlim_cur = 100;
  child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(truncate("f", 1000) == -1 && errno == EFBIG ? 3 : 4);
  }
  expect_exit(child, 3);
  child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_FSIZE, &limit);
    truncate("f", 1000);
    _exit(0);
  }
  expect_signal(child, SIGXFSZ);
  show_stat("f");
}

CASE(fallocate_reserves_and_punches) {
  struct stat st;
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  ok(fallocate(fd, 0, 0, 100000));
  must(fstat(fd, &st));
  is(st.st_size, 100000);
  ok(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 8192));
  ok(fallocate(fd, FALLOC_FL_KEEP_SIZE, 200000, 10));
  must(fstat(fd, &st));
  is(st.st_size, 100000);
  fails(fallocate(fd, 0, 0, 0), EINVAL);
}
