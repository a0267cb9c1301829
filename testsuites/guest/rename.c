/* rename(2), renameat2(2). */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

CASE(rename_moves_a_file_and_keeps_it_the_same) {
  struct stat before, after;

  put_file("a", "text");
  must(mkdir("d", 0755));
  must(stat("a", &before));
  ok(rename("a", "d/b"));
  must(stat("d/b", &after));
  check(same_file(&before, &after));
  show_file("d/b");
  fails(rename("a", "b"), ENOENT);
}

CASE(rename_replaces_a_file) {
  int fd;
  char text[16];

  put_file("a", "new");
  put_file("b", "old text");
  fd = must(open("b", O_RDONLY));
  ok(rename("a", "b"));
  show_file("b");
  is(read(fd, text, sizeof(text)), 8);
  show_directory(".");
}

CASE(rename_of_a_symlink_moves_the_symlink) {
  put_file("f", "text");
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  ok(rename("link", "moved"));
  show_link("moved");
  ok(rename("dangling", "moved"));
  show_link("moved");
  show_file("f");
}

CASE(rename_onto_a_symlink_replaces_the_symlink) {
  must(mkdir("d", 0755));
  put_file("f", "text");
  must(symlink("d", "link"));
  ok(rename("f", "link"));
  show_stat("link");
  show_directory("d");
}

CASE(rename_of_two_names_of_one_file_does_nothing) {
  put_file("a", "text");
  must(link("a", "b"));
  ok(rename("a", "b"));
  show_directory(".");
  ok(rename("a", "a"));
  show_stat("a");
}

CASE(rename_between_file_and_directory_fails) {
  put_file("f", "");
  must(mkdir("d", 0755));
  fails(rename("f", "d"), EISDIR);
  fails(rename("d", "f"), ENOTDIR);
}

CASE(rename_over_an_empty_directory_replaces_it) {
  must(mkdir("a", 0700));
  must(mkdir("b", 0755));
  put_file("a/f", "");
  ok(rename("a", "b"));
  show_stat("b");
  show_directory("b");
}

CASE(rename_over_a_nonempty_directory_fails_with_ENOTEMPTY) {
  must(mkdir("a", 0755));
  must(mkdir("b", 0755));
  put_file("b/f", "");
  fails(rename("a", "b"), ENOTEMPTY);
  show_directory("b");
}

CASE(rename_of_a_directory_into_itself_fails_with_EINVAL) {
  must(mkdir("d", 0755));
  must(mkdir("d/sub", 0755));
  fails(rename("d", "d/sub/d"), EINVAL);
  fails(rename("d", "d/new"), EINVAL);
  fails(rename("d/sub", "d"), ENOTEMPTY);
}

CASE(rename_of_dots_and_root_fails_with_EBUSY) {
  must(mkdir("d", 0755));
  fails(rename(".", "x"), EBUSY);
  fails(rename("..", "x"), EBUSY);
  fails(rename("d/.", "x"), EBUSY);
  fails(rename("d", "."), EBUSY);
  fails(rename("d", ".."), EBUSY);
  fails(rename("/", "x"), EBUSY);
  fails(rename("d", "/"), EBUSY);
}

CASE(rename_with_missing_parts_fails) {
  put_file("f", "");
  fails(rename("missing", "x"), ENOENT);
  fails(rename("f", "missing/x"), ENOENT);
  fails(rename("f", "f/x"), ENOTDIR);
  fails(rename("f/x", "y"), ENOTDIR);
  show_directory(".");
}

CASE(rename_of_a_directory_changes_its_dot_dot) {
  must(mkdir("a", 0755));
  must(mkdir("b", 0755));
  must(mkdir("a/sub", 0755));
  put_file("b/here", "");
  ok(rename("a/sub", "b/sub"));
  must(chdir("b/sub"));
  show_directory("..");
}

CASE(renameat2_NOREPLACE_keeps_what_exists) {
  put_file("a", "a");
  put_file("b", "b");
  must(symlink("nowhere", "dangling"));
  fails(rename2("a", "b", RAW_NOREPLACE), EEXIST);
  fails(rename2("a", "dangling", RAW_NOREPLACE), EEXIST);
  fails(rename2("a", "a", RAW_NOREPLACE), EEXIST);
  ok(rename2("a", "c", RAW_NOREPLACE));
  show_file("b");
  show_directory(".");
}

CASE(renameat2_EXCHANGE_swaps_two_things_of_any_type) {
  put_file("f", "text");
  must(mkdir("d", 0755));
  put_file("d/sub", "");
  must(symlink("target", "link"));
  ok(rename2("f", "d", RAW_EXCHANGE));
  show_stat("d");
  show_directory("f");
  ok(rename2("d", "link", RAW_EXCHANGE));
  show_link("d");
  show_file("link");
  fails(rename2("d", "missing", RAW_EXCHANGE), ENOENT);
  fails(rename2("missing", "d", RAW_EXCHANGE), ENOENT);
  fails(rename2("f", "f/sub", RAW_EXCHANGE), EINVAL);
}

CASE(renameat2_refuses_wrong_flags) {
  put_file("f", "");
  fails(rename2("f", "g", RAW_EXCHANGE | RAW_NOREPLACE), EINVAL);
  fails(rename2("f", "g", RAW_EXCHANGE | RAW_WHITEOUT), EINVAL);
  fails(rename2("f", "g", 0x100), EINVAL);
  show_directory(".");
}

CASE(renameat2_WHITEOUT_leaves_device_zero_behind) {
  struct stat st;

  put_file("f", "text");
  ok(rename2("f", "g", RAW_WHITEOUT)); /* for everybody since Linux 5.8 */
  show_file("g");
  must(lstat("f", &st));
  check(S_ISCHR(st.st_mode));
  is(st.st_rdev, 0);
}

CASE(renaming_needs_permission_of_both_directories) {
  need_ordinary_user();
  must(mkdir("a", 0755));
  must(mkdir("b", 0755));
  put_file("a/f", "");
  must(chmod("b", 0555));
  fails(rename("a/f", "b/f"), EACCES);
  must(chmod("b", 0755));
  must(chmod("a", 0555));
  fails(rename("a/f", "b/f"), EACCES);
  fails(rename("a/f", "a/g"), EACCES);
  must(chmod("a", 0755));
  ok(rename("a/f", "b/f"));
}

CASE(moving_a_directory_needs_permission_to_change_its_dot_dot) {
  need_ordinary_user();
  must(mkdir("a", 0755));
  must(mkdir("b", 0755));
  must(mkdir("a/sub", 0555));
  fails(rename("a/sub", "b/sub"), EACCES);
  ok(rename("a/sub", "a/other"));
}

CASE(in_a_sticky_directory_only_owners_remove) {
  need_ordinary_user();
  need_foreign_files();
  fails(unlink("/tmp/.guest-owned-by-root"), EPERM);
  fails(rename("/tmp/.guest-owned-by-root", "x"), EPERM);
}
