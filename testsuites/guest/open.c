/* open(2), creat(2): flags, and what the descriptor is good for afterwards. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <sys/resource.h>

CASE(open_of_a_missing_file_fails_with_ENOENT) {
  fails(open("missing", O_RDONLY), ENOENT);
  fails(open("missing", O_RDWR | O_TRUNC), ENOENT);
  fails(open("missing/below", O_CREAT | O_WRONLY, 0644), ENOENT);
}

CASE(O_CREAT_gives_the_mode_less_the_umask) {
  is(open("a", O_CREAT | O_WRONLY, 0666), 3);
  umask(077);
  is(open("b", O_CREAT | O_WRONLY, 0777), 4);
  umask(0);
  is(open("c", O_CREAT | O_WRONLY, 04731), 5);
  show_stat("a");
  show_stat("b");
  show_stat("c");
}

CASE(O_CREAT_of_an_existing_file_keeps_its_mode_and_content) {
  put_file("f", "content");
  must(chmod("f", 0600));
  ok(open("f", O_CREAT | O_WRONLY, 0777));
  show_stat("f");
  show_file("f");
}

CASE(a_descriptor_of_a_file_created_read_only_can_write) {
  int fd = ok(open("f", O_CREAT | O_RDWR, 0400));

  is(write(fd, "abc", 3), 3);
  show_file("f");
}

CASE(O_EXCL_of_anything_that_exists_fails_with_EEXIST) {
  put_file("f", "");
  must(mkdir("d", 0755));
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  fails(open("f", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
  fails(open("d", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
  fails(open("link", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
  fails(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
  fails(open("nowhere", O_RDONLY), ENOENT);
  ok(open("new", O_CREAT | O_EXCL | O_WRONLY, 0644));
}

CASE(O_CREAT_through_a_dangling_symlink_creates_its_target) {
  must(mkdir("d", 0755));
  must(symlink("d/made", "link"));
  ok(open("link", O_CREAT | O_WRONLY, 0644));
  show_stat("d/made");
  show_stat("link");
}

CASE(directories_open_for_reading_only) {
  char byte;
  int fd;

  must(mkdir("d", 0755));
  fails(open("d", O_WRONLY), EISDIR);
  fails(open("d", O_RDWR), EISDIR);
  fails(open("d", O_RDONLY | O_CREAT, 0644), EISDIR);
  fails(open("d", O_RDONLY | O_TRUNC), EISDIR);
  fd = ok(open("d", O_RDONLY));
  fails(read(fd, &byte, 1), EISDIR);
  fails(write(fd, "x", 1), EBADF);
}

CASE(O_DIRECTORY_opens_directories_only) {
  put_file("f", "");
  must(mkdir("d", 0755));
  must(symlink("d", "to_d"));
  must(symlink("f", "to_f"));
  ok(open("d", O_RDONLY | O_DIRECTORY));
  ok(open("to_d", O_RDONLY | O_DIRECTORY));
  fails(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
  fails(open("to_f", O_RDONLY | O_DIRECTORY), ENOTDIR);
  fails(open("missing", O_RDONLY | O_DIRECTORY), ENOENT);
}

CASE(O_DIRECTORY_with_O_CREAT_makes_nothing_new) {
  show(open("x", O_RDONLY | O_CREAT | O_DIRECTORY, 0755)); /* EINVAL since Linux 6.4 */
  show_stat("x");
}

CASE(O_NOFOLLOW_refuses_a_symlink_as_last_component_only) {
  must(mkdir("d", 0755));
  put_file("d/f", "text");
  must(symlink("d", "link"));
  must(symlink("d/f", "to_f"));
  fails(open("to_f", O_RDONLY | O_NOFOLLOW), ELOOP);
  fails(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
  fails(open("link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
  ok(open("link/f", O_RDONLY | O_NOFOLLOW));
  ok(open("d/f", O_RDONLY | O_NOFOLLOW));
  fails(open("to_f", O_CREAT | O_WRONLY | O_NOFOLLOW, 0644), ELOOP);
}

CASE(O_TRUNC_empties_the_file_also_through_a_symlink) {
  put_file("f", "some text");
  must(symlink("f", "link"));
  ok(open("link", O_WRONLY | O_TRUNC));
  show_stat("f");
  put_file("f", "more");
  ok(creat("f", 0600));
  show_stat("f");
}

CASE(O_APPEND_writes_at_the_end_whatever_the_position) {
  int a, b;

  put_file("f", "0123");
  a = ok(open("f", O_RDWR | O_APPEND));
  b = ok(open("f", O_WRONLY | O_APPEND));
  is(lseek(a, 1, SEEK_SET), 1);
  is(write(a, "a", 1), 1);
  is(lseek(a, 0, SEEK_CUR), 5);
  is(write(b, "b", 1), 1);
  is(write(a, "c", 1), 1);
  is(pwrite(a, "d", 1, 0), 1); /* appends too: BUGS in pwrite(2) */
  show_file("f");
}

CASE(O_APPEND_can_be_switched_off_and_on) {
  int fd;

  put_file("f", "0123");
  fd = ok(open("f", O_WRONLY | O_APPEND));
  ok(fcntl(fd, F_SETFL, 0));
  is(write(fd, "A", 1), 1);
  ok(fcntl(fd, F_SETFL, O_APPEND));
  is(write(fd, "B", 1), 1);
  show_file("f");
}

CASE(O_TMPFILE_makes_a_file_without_a_name) {
  struct stat st;
  int fd = ok(open(".", O_TMPFILE | O_RDWR, 0640));

  is(write(fd, "text", 4), 4);
  must(fstat(fd, &st));
  is(st.st_nlink, 0);
  is(st.st_mode & 07777, 0640);
  is(st.st_size, 4);
  show_directory(".");
}

CASE(O_TMPFILE_can_be_linked_unless_O_EXCL) {
  char path[64];
  int fd = ok(open(".", O_TMPFILE | O_WRONLY, 0644));
  int hidden = ok(open(".", O_TMPFILE | O_WRONLY | O_EXCL, 0644));

  is(write(fd, "text", 4), 4);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  ok(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
  snprintf(path, sizeof(path), "/proc/self/fd/%d", hidden);
  fails(linkat(AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW), ENOENT);
  show_stat("named");
  show_file("named");
}

CASE(O_TMPFILE_needs_a_directory_and_a_writable_mode) {
  put_file("f", "");
  fails(open(".", O_TMPFILE | O_RDONLY, 0644), EINVAL);
  fails(open("f", O_TMPFILE | O_RDWR, 0644), ENOTDIR);
  fails(open("missing", O_TMPFILE | O_RDWR, 0644), ENOENT);
}

CASE(O_CLOEXEC_sets_the_descriptor_flag) {
  int with, without;

  put_file("f", "");
  with = ok(open("f", O_RDONLY | O_CLOEXEC));
  without = ok(open("f", O_RDONLY));
  is(fcntl(with, F_GETFD), FD_CLOEXEC);
  is(fcntl(without, F_GETFD), 0);
}

CASE(F_GETFL_tells_the_access_mode_and_status_flags) {
  int fd;

  put_file("f", "");
  fd = must(open("f", O_RDONLY | O_CREAT | O_CLOEXEC, 0644));
  is(fcntl(fd, F_GETFL) & ~0100000, O_RDONLY); /* 0100000 is the kernel's O_LARGEFILE */
  fd = must(open("f", O_WRONLY | O_APPEND | O_TRUNC));
  is(fcntl(fd, F_GETFL) & ~0100000, O_WRONLY | O_APPEND);
  fd = must(open("f", O_RDWR | O_NONBLOCK | O_SYNC));
  is(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_NONBLOCK | O_SYNC);
  fd = must(open(".", O_RDONLY | O_DIRECTORY));
  is(fcntl(fd, F_GETFL) & ~0100000, O_RDONLY | O_DIRECTORY);
}

CASE(a_descriptor_works_in_its_access_mode_only) {
  char byte;
  int fd;

  put_file("f", "x");
  fd = must(open("f", O_WRONLY));
  fails(read(fd, &byte, 1), EBADF);
  fd = must(open("f", O_RDONLY));
  fails(write(fd, "y", 1), EBADF);
  fails(ftruncate(fd, 0), EINVAL);
}

CASE(the_lowest_free_descriptor_is_given) {
  put_file("f", "");
  is(open("f", O_RDONLY), 3);
  is(open("f", O_RDONLY), 4);
  is(open("f", O_RDONLY), 5);
  ok(close(4));
  is(open(".", O_RDONLY | O_DIRECTORY), 4);
  is(open("/dev/null", O_RDONLY), 6);
  ok(close(3));
  is(open("new", O_RDWR | O_CREAT, 0644), 3);
  is(open("/proc/self/status", O_RDONLY), 7);
  is(open(".", O_PATH), 8);
}

CASE(no_descriptor_beyond_RLIMIT_NOFILE) {
  struct rlimit limit;

  put_file("f", "");
  must(getrlimit(RLIMIT_NOFILE, &limit));
  limit.rlim_cur = 5;
  ok(setrlimit(RLIMIT_NOFILE, &limit));
  is(open("f", O_RDONLY), 3);
  is(open("f", O_RDONLY), 4);
  fails(open("f", O_RDONLY), EMFILE);
  fails(open("new", O_CREAT | O_WRONLY, 0644), EMFILE);
  fails(open(".", O_PATH), EMFILE);
  fails(dup(3), EMFILE);
  show_stat("new");
  ok(close(4));
  is(open("f", O_RDONLY), 4);
}

CASE(opening_needs_permission) {
  need_ordinary_user();
  put_file("f", "");
  must(chmod("f", 0));
  fails(open("f", O_RDONLY), EACCES);
  fails(open("f", O_WRONLY), EACCES);
  must(chmod("f", 0400));
  ok(open("f", O_RDONLY));
  fails(open("f", O_WRONLY), EACCES);
  fails(open("f", O_RDONLY | O_TRUNC), EACCES);
  must(mkdir("d", 0755));
  put_file("d/f", "");
  must(chmod("d", 0600));
  fails(open("d/f", O_RDONLY), EACCES);
  fails(open("d/missing", O_RDONLY), EACCES);
  must(chmod("d", 0500));
  ok(open("d/f", O_RDWR));
  fails(open("d/new", O_CREAT | O_WRONLY, 0644), EACCES);
  must(chmod("d", 0300));
  fails(open("d", O_RDONLY), EACCES);
  ok(open("d/new", O_CREAT | O_WRONLY, 0644));
}

CASE(permissions_do_not_stop_the_superuser) {
  need_superuser();
  put_file("f", "text");
  must(mkdir("d", 0755));
  put_file("d/f", "below");
  must(chmod("f", 0));
  must(chmod("d", 0));
  ok(open("f", O_RDWR));
  show_file("d/f");
  ok(open("d/new", O_CREAT | O_WRONLY, 0));
  show_directory("d");
}

CASE(the_high_half_of_an_int_argument_is_ignored) {
  const long high = 0x5a5a5a5a00000000;

  put_file("f", "text");
  is(syscall(SYS_openat, high | (AT_FDCWD & 0xffffffffL), "f", high | O_RDONLY, high), 3);
  is(syscall(SYS_open, "new", high | O_CREAT | O_WRONLY, high | 0640), 4);
  show_stat("new");
  is(syscall(SYS_mkdir, "d", high | 0750), 0);
  show_stat("d");
  is(syscall(SYS_faccessat, high | (AT_FDCWD & 0xffffffffL), "f", high | R_OK), 0);
}

CASE(two_opens_have_two_positions_and_a_dup_has_one) {
  char byte = 0;
  int first, second, copy;

  put_file("f", "abc");
  first = must(open("f", O_RDONLY));
  second = must(open("f", O_RDONLY));
  copy = must(dup(first));
  is(read(first, &byte, 1), 1);
  is(byte, 'a');
  is(read(second, &byte, 1), 1);
  is(byte, 'a');
  is(read(copy, &byte, 1), 1);
  is(byte, 'b');
}

CASE(an_open_file_outlives_its_name_and_its_permissions) {
  char text[8] = "";
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDWR));
  ok(chmod("f", 0));
  ok(unlink("f"));
  is(read(fd, text, sizeof(text)), 4);
  is(write(fd, "more", 4), 4);
  show_fstat("fd", fd);
}
