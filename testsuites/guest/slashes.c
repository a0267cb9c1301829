/* Trailing slashes, for every call that takes a path: on directories, files, symlinks. */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

static void make_things(void) {
  must(mkdir("d", 0755));
  put_file("f", "text");
  must(symlink("d", "to_d"));
  must(symlink("f", "to_f"));
  must(symlink("nowhere", "dangling"));
}

CASE(a_trailing_slash_asks_for_a_directory) {
  struct stat st;

  make_things();
  ok(stat("d/", &st));
  ok(stat("d///", &st));
  fails(stat("f/", &st), ENOTDIR);
  fails(stat("missing/", &st), ENOENT);
  fails(lstat("f/", &st), ENOTDIR);
  fails(access("f/", F_OK), ENOTDIR);
  fails(chmod("f/", 0600), ENOTDIR);
  fails(truncate("f/", 0), ENOTDIR);
  fails(open("f/", O_RDONLY), ENOTDIR);
  ok(open("d/", O_RDONLY));
}

CASE(a_trailing_slash_follows_a_symlink) {
  struct stat st;

  make_things();
  must(lstat("to_d", &st));
  check(S_ISLNK(st.st_mode));
  ok(lstat("to_d/", &st));
  check(S_ISDIR(st.st_mode));
  fails(lstat("to_f/", &st), ENOTDIR);
  fails(lstat("dangling/", &st), ENOENT);
  ok(open("to_d/", O_RDONLY | O_NOFOLLOW));
  fails(open("to_f/", O_RDONLY), ENOTDIR);
}

CASE(readlink_with_a_trailing_slash) {
  char text[64];

  make_things();
  fails(readlink("to_d/", text, sizeof(text)), EINVAL);
  fails(readlink("to_f/", text, sizeof(text)), ENOTDIR);
  fails(readlink("dangling/", text, sizeof(text)), ENOENT);
}

CASE(open_O_CREAT_with_a_trailing_slash_fails_with_EISDIR) {
  make_things();
  fails(open("new/", O_CREAT | O_WRONLY, 0644), EISDIR);
  fails(open("f/", O_CREAT | O_WRONLY, 0644), EISDIR);
  fails(open("d/", O_CREAT | O_WRONLY, 0644), EISDIR);
  fails(open("dangling/", O_CREAT | O_WRONLY, 0644), EISDIR);
  fails(open("new/.", O_CREAT | O_WRONLY, 0644), ENOENT);
  show_directory(".");
}

CASE(mkdir_accepts_a_trailing_slash) {
  make_things();
  ok(mkdir("new/", 0755));
  ok(mkdir("other//", 0755));
  fails(mkdir("f/", 0755), EEXIST);
  fails(mkdir("d/", 0755), EEXIST);
  fails(mkdir("to_d/", 0755), EEXIST);
  fails(mkdir("dangling/", 0755), EEXIST);
  show_directory(".");
}

CASE(rmdir_with_a_trailing_slash) {
  make_things();
  fails(rmdir("to_d/"), ENOTDIR);
  fails(rmdir("f/"), ENOTDIR);
  fails(rmdir("missing/"), ENOENT);
  ok(rmdir("d/"));
  show_directory(".");
}

CASE(unlink_with_a_trailing_slash) {
  make_things();
  fails(unlink("f/"), ENOTDIR);
  fails(unlink("d/"), EISDIR);
  fails(unlink("to_d/"), ENOTDIR);
  fails(unlink("to_f/"), ENOTDIR);
  fails(unlink("missing/"), ENOENT);
  show_directory(".");
}

CASE(rename_with_trailing_slashes) {
  make_things();
  fails(rename("f/", "g"), ENOTDIR);
  fails(rename("f", "g/"), ENOTDIR);
  fails(rename("to_d/", "moved"), ENOTDIR);
  fails(rename("to_d", "moved/"), ENOTDIR);
  ok(rename("d/", "moved/"));
  ok(rename("moved", "again/"));
  fails(rename("missing/", "x"), ENOENT);
  show_directory(".");
}

CASE(link_and_symlink_with_a_trailing_slash) {
  make_things();
  fails(link("f", "new/"), ENOENT);
  fails(link("f/", "new"), ENOTDIR);
  fails(symlink("f", "new/"), ENOENT);
  fails(symlink("f", "d/"), EEXIST);
  fails(link("f", "d/"), EEXIST);
  ok(symlink("d/", "slashed"));
  show_link("slashed");
  show_directory(".");
}

CASE(mkfifo_with_a_trailing_slash_fails) {
  make_things();
  fails(mkfifo("new/", 0644), ENOENT);
  fails(mkfifo("d/", 0644), EEXIST);
  show_directory(".");
}

CASE(chdir_with_a_trailing_slash) {
  make_things();
  fails(chdir("f/"), ENOTDIR);
  ok(chdir("to_d/"));
  ok(chdir("..//"));
  check(exists("f"));
}

CASE(O_PATH_NOFOLLOW_with_a_trailing_slash_follows) {
  make_things();
  show_fstat("to_d/", ok(open("to_d/", O_PATH | O_NOFOLLOW)));
  show_fstat("to_d", ok(open("to_d", O_PATH | O_NOFOLLOW)));
  fails(open("to_f/", O_PATH | O_NOFOLLOW), ENOTDIR);
}
