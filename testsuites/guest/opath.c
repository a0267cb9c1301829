/* O_PATH descriptors: what can be done with one, and what cannot. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

CASE(an_O_PATH_descriptor_moves_no_bytes) {
  char byte;
  int fd;

  put_file("f", "text");
  fd = ok(open("f", O_PATH));
  fails(read(fd, &byte, 1), EBADF);
  fails(write(fd, "x", 1), EBADF);
  fails(lseek(fd, 0, SEEK_SET), EBADF);
  fails(ftruncate(fd, 0), EBADF);
  fails(syscall(SYS_fchmod, fd, 0600), EBADF); /* musl's own would go by /proc */
  fails(syscall(SYS_fchown, fd, -1, -1), EBADF);
  fails(ioctl(fd, FIONREAD, &byte), EBADF);
  fails(fsetxattr(fd, "user.x", "", 0, 0), EBADF);
  check(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EBADF);
  show_file("f");
}

CASE(fstat_of_an_O_PATH_descriptor_works) {
  struct statfs fs;
  int fd;

  put_file("f", "text");
  fd = ok(open("f", O_PATH));
  show_fstat("fd", fd);
  is(fstatfs(fd, &fs), 0);
  is(fcntl(fd, F_GETFL), O_PATH);
  ok(close(fd));
  fails(close(fd), EBADF);
}

CASE(O_PATH_ignores_other_flags_but_three) {
  int fd;

  put_file("f", "text");
  fd = ok(open("f", O_PATH | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC));
  is(fcntl(fd, F_GETFL), O_PATH);
  is(fcntl(fd, F_GETFD), FD_CLOEXEC);
  show_file("f");
  fails(open("missing", O_PATH | O_CREAT, 0644), ENOENT);
  fails(open("f", O_PATH | O_DIRECTORY), ENOTDIR);
  ok(open(".", O_PATH | O_DIRECTORY));
}

CASE(O_PATH_with_O_NOFOLLOW_opens_the_symlink_itself) {
  char target[64];
  ssize_t length;
  int fd;

  must(symlink("nowhere at all", "link"));
  fails(open("link", O_PATH), ENOENT);
  fd = ok(open("link", O_PATH | O_NOFOLLOW));
  show_fstat("fd", fd);
  length = readlinkat(fd, "", target, sizeof(target));
  show_bytes("readlinkat of the descriptor", target, length);
  fails(open("link", O_PATH | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
}

CASE(readlinkat_of_a_descriptor_that_is_no_symlink) {
  char target[64];
  int fd;

  put_file("f", "");
  fd = ok(open("f", O_PATH));
  fails(readlinkat(fd, "", target, sizeof(target)), ENOENT);
}

CASE(an_O_PATH_directory_serves_as_a_starting_point) {
  int fd;

  must(mkdir("d", 0755));
  put_file("d/f", "below");
  fd = ok(open("d", O_PATH));
  ok(openat(fd, "f", O_RDONLY));
  ok(openat(fd, "../d/f", O_RDONLY));
  ok(mkdirat(fd, "sub", 0755));
  ok(unlinkat(fd, "f", 0));
  ok(fchdir(fd));
  show_directory(".");
}

CASE(an_O_PATH_file_is_no_starting_point) {
  int fd;

  put_file("f", "");
  fd = ok(open("f", O_PATH));
  fails(openat(fd, "x", O_RDONLY), ENOTDIR);
  fails(fchdir(fd), ENOTDIR);
  fails(openat(fd, "", O_RDONLY), ENOENT);
  ok(openat(fd, "/", O_RDONLY));
}

CASE(an_O_PATH_directory_cannot_be_listed) {
  char entries[512];
  int fd = ok(open(".", O_PATH | O_DIRECTORY));

  fails(syscall(SYS_getdents64, fd, entries, sizeof(entries)), EBADF);
  fails(fsync(fd), EBADF);
}

CASE(an_O_PATH_file_is_opened_anew_by_proc_self_fd) {
  char path[64];
  int fd, again;

  put_file("f", "text");
  fd = ok(open("f", O_PATH));
  must(rename("f", "g"));
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  again = ok(open(path, O_RDWR));
  is(write(again, "T", 1), 1);
  show_file("g");
  fails(open(path, O_RDWR | O_NOFOLLOW), ELOOP);
}

CASE(O_PATH_descriptors_are_numbered_duplicated_and_inherited) {
  pid_t child;
  int fd;

  must(symlink("x", "link"));
  fd = is(open("link", O_PATH | O_NOFOLLOW), 3) ? 3 : -1;
  is(dup(fd), 4);
  is(dup2(fd, 9), 9);
  is(fcntl(9, F_DUPFD_CLOEXEC, 20), 20);
  is(open("link", O_PATH | O_NOFOLLOW), 5);
  child = fork();
  if (child == 0) {
    show_fstat("in the child", 9);
    leave();
  }
  expect_exit(child, 0);
}

CASE(O_PATH_of_a_fifo_or_socket_does_not_wait) {
  int fd;

  must(mkfifo("fifo", 0600));
  fd = ok(open("fifo", O_PATH));
  show_fstat("fd", fd);
  must(mknod("socket", S_IFSOCK | 0600, 0));
  fd = ok(open("socket", O_PATH));
  show_fstat("fd", fd);
  fails(open("socket", O_RDWR), ENXIO);
}

CASE(O_PATH_needs_no_permission_of_the_file) {
  need_ordinary_user();
  put_file("f", "");
  must(chmod("f", 0));
  fails(open("f", O_RDONLY), EACCES);
  ok(open("f", O_PATH));
}

CASE(AT_EMPTY_PATH_works_on_an_O_PATH_descriptor) {
  struct stat st;
  int fd;

  put_file("f", "text");
  fd = ok(open("f", O_PATH));
  is(fstatat(fd, "", &st, AT_EMPTY_PATH), 0);
  is(st.st_size, 4);
  is(raw_faccessat2(fd, "", R_OK, AT_EMPTY_PATH), 0);
  ok(raw_fchmodat2(fd, "", 0600, AT_EMPTY_PATH));
  ok(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
  show_stat("f");
}

CASE(an_O_PATH_descriptor_keeps_a_removed_file) {
  int fd;

  put_file("f", "text");
  fd = ok(open("f", O_PATH));
  ok(unlink("f"));
  show_fstat("fd", fd);
}
