/* mkdir(2), rmdir(2), unlink(2), unlinkat(2). */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

CASE(mkdir_gives_the_mode_less_the_umask) {
  ok(mkdir("a", 0777));
  umask(0);
  ok(mkdir("b", 0777));
  ok(mkdir("c", 01700));
  umask(0777);
  ok(mkdir("d", 0777));
  show_stat("a");
  show_stat("b");
  show_stat("c");
  show_stat("d");
}

CASE(mkdir_of_anything_that_exists_fails_with_EEXIST) {
  must(mkdir("d", 0755));
  put_file("f", "");
  must(symlink("nowhere", "dangling"));
  must(symlink("d", "link"));
  fails(mkdir("d", 0755), EEXIST);
  fails(mkdir("f", 0755), EEXIST);
  fails(mkdir("dangling", 0755), EEXIST);
  fails(mkdir("link", 0755), EEXIST);
  fails(mkdir(".", 0755), EEXIST);
  fails(mkdir("..", 0755), EEXIST);
  fails(mkdir("/", 0755), EEXIST);
  fails(mkdir("d/.", 0755), EEXIST);
  show_directory(".");
}

CASE(mkdir_without_a_parent_fails) {
  put_file("f", "");
  fails(mkdir("missing/d", 0755), ENOENT);
  fails(mkdir("f/d", 0755), ENOTDIR);
  fails(mkdir("missing/.", 0755), ENOENT);
  fails(mkdir("missing/..", 0755), ENOENT);
}

CASE(mkdir_through_a_symlinked_parent) {
  must(mkdir("d", 0755));
  must(symlink("d", "link"));
  ok(mkdir("link/sub", 0750));
  show_stat("d/sub");
}

CASE(a_new_directory_has_two_links_and_its_parent_one_more) {
  struct stat st;

  must(mkdir("d", 0755));
  must(stat("d", &st));
  is(st.st_nlink, 2);
  ok(mkdir("d/a", 0755));
  ok(mkdir("d/b", 0755));
  must(stat("d", &st));
  is(st.st_nlink, 4);
  ok(rmdir("d/a"));
  must(stat("d", &st));
  is(st.st_nlink, 3);
}

CASE(the_set_group_bit_is_inherited_by_directories) {
  must(mkdir("d", 0755));
  must(chmod("d", 02775));
  ok(mkdir("d/sub", 0700));
  put_file("d/f", "");
  show_stat("d/sub");
  show_stat("d/f");
}

CASE(rmdir_of_a_nonempty_directory_fails_with_ENOTEMPTY) {
  must(mkdir("d", 0755));
  put_file("d/f", "");
  fails(rmdir("d"), ENOTEMPTY);
  must(unlink("d/f"));
  ok(rmdir("d"));
  fails(rmdir("d"), ENOENT);
}

CASE(rmdir_of_a_file_or_symlink_fails_with_ENOTDIR) {
  must(mkdir("d", 0755));
  put_file("f", "");
  must(symlink("d", "link"));
  fails(rmdir("f"), ENOTDIR);
  fails(rmdir("link"), ENOTDIR);
  fails(rmdir("f/x"), ENOTDIR);
  show_directory(".");
}

CASE(rmdir_of_dots_and_root_fails) {
  must(mkdir("d", 0755));
  fails(rmdir("."), EINVAL);
  fails(rmdir("d/."), EINVAL);
  fails(rmdir(".."), ENOTEMPTY);
  fails(rmdir("d/.."), ENOTEMPTY);
  fails(rmdir("/"), EBUSY);
}

CASE(the_working_directory_can_be_removed) {
  struct stat st;
  char text[64];

  must(mkdir("d", 0755));
  must(chdir("d"));
  ok(rmdir("../d"));
  fails(open("f", O_CREAT | O_WRONLY, 0644), ENOENT);
  fails(mkdir("sub", 0755), ENOENT);
  fails(stat("f", &st), ENOENT);
  ok(stat(".", &st));
  is(st.st_nlink, 0);
  fails(getcwd(text, sizeof(text)) ? 0 : -1, ENOENT);
  ok(chdir(".."));
  show_directory(".");
}

CASE(unlink_removes_names_and_not_what_they_link_to) {
  must(mkdir("d", 0755));
  put_file("f", "text");
  must(link("f", "hard"));
  must(symlink("f", "soft"));
  must(symlink("d", "to_d"));
  ok(unlink("soft"));
  ok(unlink("to_d"));
  ok(unlink("f"));
  show_stat("hard");
  fails(unlink("f"), ENOENT);
  show_directory(".");
}

CASE(unlink_of_a_directory_fails_with_EISDIR) {
  must(mkdir("d", 0755));
  fails(unlink("d"), EISDIR);
  fails(unlink("."), EISDIR);
  fails(unlink(".."), EISDIR);
  fails(unlink("/"), EISDIR);
}

CASE(an_unlinked_file_lives_while_it_is_open) {
  char text[16];
  struct stat st;
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDWR));
  ok(unlink("f"));
  must(fstat(fd, &st));
  is(st.st_nlink, 0);
  is(pread(fd, text, sizeof(text), 0), 4);
  put_file("f", "another");
  is(pread(fd, text, sizeof(text), 0), 4);
  show_bytes("the old one", text, 4);
}

CASE(unlinkat_removes_directories_with_AT_REMOVEDIR_only) {
  must(mkdir("d", 0755));
  put_file("f", "");
  fails(unlinkat(AT_FDCWD, "d", 0), EISDIR);
  fails(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
  ok(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
  ok(unlinkat(AT_FDCWD, "f", 0));
  fails(unlinkat(AT_FDCWD, "f", AT_SYMLINK_FOLLOW), EINVAL);
  fails(unlinkat(AT_FDCWD, "f", 0x40000000), EINVAL);
}

CASE(removing_needs_write_permission_of_the_directory) {
  need_ordinary_user();
  must(mkdir("d", 0755));
  put_file("d/f", "");
  must(mkdir("d/sub", 0755));
  must(chmod("d", 0555));
  fails(unlink("d/f"), EACCES);
  fails(rmdir("d/sub"), EACCES);
  fails(mkdir("d/new", 0755), EACCES);
  fails(mkdir("d/f", 0755), EEXIST);
  must(chmod("d", 0755));
  must(chmod("d/f", 0));
  ok(unlink("d/f"));
}

CASE(a_deep_tree_can_be_made_and_removed) {
  for (int i = 0; i < 60; i++) {
    must(mkdir("a_directory_with_a_rather_long_name_to_pass_4096_bytes_in_the_end_of_the_line",
               0755));
    must(chdir("a_directory_with_a_rather_long_name_to_pass_4096_bytes_in_the_end_of_the_line"));
  }
  put_file("f", "deep");
  show_file("f");
  ok(unlink("f"));
  for (int i = 0; i < 60; i++) {
    must(chdir(".."));
    must(rmdir("a_directory_with_a_rather_long_name_to_pass_4096_bytes_in_the_end_of_the_line"));
  }
  show_directory(".");
}

CASE(many_entries_can_be_made_and_removed) {
  char name[32];
  int made = 0, removed = 0;

  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof(name), "entry%d", i);
    made += mkdir(name, 0755) == 0;
  }
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof(name), "entry%d", i);
    removed += rmdir(name) == 0;
  }
  is(made, 200);
  is(removed, 200);
  show_directory(".");
}
