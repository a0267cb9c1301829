/* Directory descriptors as starting points, and their misuse. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

CASE(relative_paths_start_at_the_directory_descriptor) {
  int fd;

  must(mkdir("d", 0755));
  must(mkdir("d/sub", 0755));
  put_file("d/f", "in d");
  put_file("f", "outside");
  fd = must(open("d", O_RDONLY | O_DIRECTORY));
  must(chdir("d/sub"));
  ok(openat(fd, "f", O_WRONLY | O_TRUNC));
  ok(openat(fd, "../f", O_RDONLY));
  ok(openat(fd, "sub/../f", O_RDONLY));
  ok(openat(fd, "new", O_CREAT | O_WRONLY, 0600));
  show_stat("../f");
  show_stat("../new");
  show_file("../../f");
}

CASE(AT_FDCWD_means_the_working_directory) {
  put_file("f", "text");
  ok(openat(AT_FDCWD, "f", O_RDONLY));
  must(mkdir("d", 0755));
  must(chdir("d"));
  fails(openat(AT_FDCWD, "f", O_RDONLY), ENOENT);
  ok(openat(AT_FDCWD, "../f", O_RDONLY));
}

CASE(a_bad_directory_descriptor_gives_EBADF_for_relative_paths_only) {
  struct stat st;

  fails(openat(-1, "f", O_RDONLY), EBADF);
  fails(openat(99, "f", O_CREAT | O_RDWR, 0644), EBADF);
  fails(openat(INT_MAX, "f", O_RDONLY), EBADF);
  fails(openat(INT_MIN, "f", O_RDONLY), EBADF);
  fails(mkdirat(99, "d", 0755), EBADF);
  fails(unlinkat(99, "f", 0), EBADF);
  fails(fstatat(99, "f", &st, 0), EBADF);
  fails(symlinkat("target", 99, "link"), EBADF);
  fails(renameat(99, "a", AT_FDCWD, "b"), EBADF);
  fails(linkat(99, "a", AT_FDCWD, "b", 0), EBADF);
  ok(openat(-1, "/", O_RDONLY));
  ok(openat(99, "/proc", O_RDONLY));
  ok(fstatat(99, "/", &st, 0));
}

CASE(an_empty_path_is_refused_before_the_descriptor_is_looked_at) {
  fails(openat(99, "", O_RDONLY), ENOENT);
  fails(mkdirat(99, "", 0755), ENOENT);
  fails(unlinkat(99, "", 0), ENOENT);
}

CASE(a_file_or_pipe_as_directory_descriptor_gives_ENOTDIR) {
  struct stat st;
  int file, ends[2];

  put_file("f", "");
  file = must(open("f", O_RDONLY));
  must(pipe(ends));
  fails(openat(file, "x", O_RDONLY), ENOTDIR);
  fails(openat(file, ".", O_RDONLY), ENOTDIR);
  fails(openat(file, "..", O_RDONLY), ENOTDIR);
  fails(openat(ends[0], "x", O_RDONLY), ENOTDIR);
  fails(mkdirat(file, "x", 0755), ENOTDIR);
  fails(unlinkat(ends[1], "x", 0), ENOTDIR);
  fails(fstatat(file, "x", &st, 0), ENOTDIR);
  ok(openat(file, "/", O_RDONLY));
}

CASE(a_directory_descriptor_follows_its_directory_when_it_is_renamed) {
  int fd;

  must(mkdir("old", 0755));
  fd = must(open("old", O_RDONLY | O_DIRECTORY));
  must(rename("old", "new"));
  ok(openat(fd, "f", O_CREAT | O_WRONLY, 0644));
  show_stat("new/f");
  must(mkdir("deeper", 0755));
  must(rename("new", "deeper/new"));
  ok(mkdirat(fd, "../sibling", 0755));
  show_directory("deeper");
}

CASE(nothing_can_be_made_in_a_removed_directory) {
  struct stat st;
  int fd;

  must(mkdir("d", 0755));
  fd = must(open("d", O_RDONLY | O_DIRECTORY));
  must(rmdir("d"));
  fails(openat(fd, "f", O_CREAT | O_WRONLY, 0644), ENOENT);
  fails(mkdirat(fd, "sub", 0755), ENOENT);
  fails(fstatat(fd, "x", &st, 0), ENOENT);
  ok(openat(fd, ".", O_RDONLY));
  ok(fstatat(fd, "", &st, AT_EMPTY_PATH));
  is(st.st_nlink, 0);
}

CASE(the_at_calls_work_between_two_directories) {
  char target[64];
  int a, b;

  must(mkdir("a", 0755));
  must(mkdir("b", 0755));
  a = must(open("a", O_PATH));
  b = must(open("b", O_RDONLY));
  ok(symlinkat("some target", a, "link"));
  is(readlinkat(a, "link", target, sizeof(target)), 11);
  ok(renameat(a, "link", b, "moved"));
  ok(linkat(b, "moved", a, "again", 0));
  ok(mkdirat(b, "sub", 0700));
  ok(renameat(b, "sub", a, "sub"));
  ok(unlinkat(a, "sub", AT_REMOVEDIR));
  show_directory("a");
  show_directory("b");
  show_link("a/again");
}

CASE(a_directory_descriptor_is_inherited_and_independent_of_chdir) {
  pid_t child;
  int fd;

  must(mkdir("d", 0755));
  put_file("d/f", "in d");
  fd = must(open("d", O_RDONLY));
  child = fork();
  if (child == 0) {
    must(chdir("/"));
    ok(openat(fd, "f", O_RDONLY));
    leave();
  }
  expect_exit(child, 0);
}

CASE(dot_dot_of_a_directory_descriptor_leaves_the_directory) {
  int fd, up;

  must(mkdir("d", 0755));
  put_file("f", "beside");
  fd = must(open("d", O_RDONLY));
  up = ok(openat(fd, "..", O_RDONLY | O_DIRECTORY));
  ok(openat(up, "f", O_RDONLY));
  ok(fchdir(up));
  show_directory(".");
}

CASE(a_duplicated_or_replaced_descriptor_is_what_it_now_names) {
  int fd;

  must(mkdir("a", 0755));
  must(mkdir("b", 0755));
  put_file("a/in_a", "");
  put_file("b/in_b", "");
  fd = must(open("a", O_RDONLY));
  ok(openat(fd, "in_a", O_RDONLY));
  must(dup2(must(open("b", O_RDONLY)), fd));
  fails(openat(fd, "in_a", O_RDONLY), ENOENT);
  ok(openat(fd, "in_b", O_RDONLY));
  must(close(fd));
  fails(openat(fd, "in_b", O_RDONLY), EBADF);
}
