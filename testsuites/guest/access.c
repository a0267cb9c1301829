/* access(2), faccessat(2), faccessat2(2). */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

CASE(access_tells_whether_a_file_exists) {
  put_file("f", "");
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  ok(access("f", F_OK));
  ok(access("link", F_OK));
  fails(access("missing", F_OK), ENOENT);
  fails(access("dangling", F_OK), ENOENT);
  fails(access("f/x", F_OK), ENOTDIR);
}

CASE(access_tells_what_an_ordinary_user_may) {
  need_ordinary_user();
  put_file("f", "");
  must(chmod("f", 0400));
  ok(access("f", R_OK));
  fails(access("f", W_OK), EACCES);
  fails(access("f", R_OK | W_OK), EACCES);
  fails(access("f", X_OK), EACCES);
  must(chmod("f", 0700));
  ok(access("f", R_OK | W_OK | X_OK));
  must(chmod("f", 0));
  ok(access("f", F_OK));
  fails(access("f", R_OK), EACCES);
  must(chmod("f", 0077)); /* the owner's bits count, and only these */
  fails(access("f", R_OK), EACCES);
}

CASE(the_superuser_may_all_but_execute_what_nobody_can) {
  need_superuser();
  put_file("f", "");
  must(chmod("f", 0));
  ok(access("f", R_OK | W_OK));
  fails(access("f", X_OK), EACCES);
  must(chmod("f", 0001));
  ok(access("f", X_OK));
  must(mkdir("d", 0));
  ok(access("d", R_OK | W_OK | X_OK));
}

CASE(access_refuses_a_wrong_mode) {
  put_file("f", "");
  fails(access("f", 8), EINVAL);
  fails(access("f", -1), EINVAL);
  fails(access("missing", 8), EINVAL);
}

CASE(faccessat_starts_at_a_directory) {
  int dir, file;

  must(mkdir("d", 0755));
  put_file("d/f", "");
  dir = must(open("d", O_RDONLY));
  file = must(open("d/f", O_RDONLY));
  ok(faccessat(dir, "f", R_OK, 0));
  fails(faccessat(dir, "missing", F_OK, 0), ENOENT);
  fails(faccessat(file, "x", F_OK, 0), ENOTDIR);
  fails(faccessat(99, "f", F_OK, 0), EBADF);
}

CASE(faccessat2_flags) {
  int fd;

  put_file("f", "");
  must(symlink("nowhere", "dangling"));
  fd = must(open("f", O_RDONLY));
  ok(raw_faccessat2(AT_FDCWD, "f", R_OK, AT_EACCESS));
  fails(raw_faccessat2(AT_FDCWD, "dangling", F_OK, 0), ENOENT);
  ok(raw_faccessat2(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
  ok(raw_faccessat2(fd, "", R_OK, AT_EMPTY_PATH));
  fails(raw_faccessat2(fd, "", R_OK, 0), ENOENT);
  fails(raw_faccessat2(99, "", R_OK, AT_EMPTY_PATH), EBADF);
  fails(raw_faccessat2(AT_FDCWD, "f", R_OK, 0x4000), EINVAL);
}

CASE(the_libraries_faccessat_knows_AT_EACCESS) {
  put_file("f", "");
  ok(faccessat(AT_FDCWD, "f", R_OK | W_OK, AT_EACCESS));
  fails(faccessat(AT_FDCWD, "missing", R_OK, AT_EACCESS), ENOENT);
  ok(eaccess("f", R_OK));
}

CASE(access_asks_for_directories_on_the_way) {
  need_ordinary_user();
  must(mkdir("d", 0755));
  put_file("d/f", "");
  must(chmod("d", 0600));
  fails(access("d/f", F_OK), EACCES);
  ok(access("d", R_OK | W_OK));
  fails(access("d", X_OK), EACCES);
}
