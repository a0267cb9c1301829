/* link(2), linkat(2), symlink(2), readlink(2). */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/socket.h>

CASE(link_makes_another_name_of_the_same_file) {
  put_file("a", "text");
  ok(link("a", "b"));
  check(same_path("a", "b"));
  show_stat("a");
  must(truncate("b", 2));
  show_file("a");
  ok(unlink("a"));
  show_stat("b");
}

CASE(link_onto_anything_that_exists_fails_with_EEXIST) {
  put_file("a", "");
  put_file("b", "");
  must(mkdir("d", 0755));
  must(symlink("nowhere", "dangling"));
  fails(link("a", "b"), EEXIST);
  fails(link("a", "a"), EEXIST);
  fails(link("a", "d"), EEXIST);
  fails(link("a", "dangling"), EEXIST);
  fails(link("missing", "x"), ENOENT);
  fails(link("a", "missing/x"), ENOENT);
}

CASE(link_of_a_directory_fails_with_EPERM) {
  must(mkdir("d", 0755));
  fails(link("d", "e"), EPERM);
  fails(link(".", "e"), EPERM);
  fails(link("/", "e"), EPERM);
}

CASE(link_does_not_follow_a_symlink) {
  put_file("f", "text");
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  ok(link("link", "again"));
  ok(link("dangling", "dangling2"));
  show_stat("again");
  show_link("dangling2");
}

CASE(linkat_AT_SYMLINK_FOLLOW_follows) {
  put_file("f", "text");
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  ok(linkat(AT_FDCWD, "link", AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
  show_stat("again");
  fails(linkat(AT_FDCWD, "dangling", AT_FDCWD, "x", AT_SYMLINK_FOLLOW), ENOENT);
  fails(linkat(AT_FDCWD, "f", AT_FDCWD, "x", AT_SYMLINK_NOFOLLOW), EINVAL);
  fails(linkat(AT_FDCWD, "f", AT_FDCWD, "x", 0x40000000), EINVAL);
}

CASE(linkat_AT_EMPTY_PATH_needs_the_superuser_or_the_opener) {
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDONLY));
  show(linkat(fd, "", AT_FDCWD, "g", AT_EMPTY_PATH)); /* the opener may since Linux 6.10 */
  fails(linkat(fd, "", AT_FDCWD, "h", 0), ENOENT);
  fails(linkat(99, "", AT_FDCWD, "h", AT_EMPTY_PATH), EBADF);
}

CASE(linking_an_unlinked_open_file_fails_with_ENOENT) {
  char path[64];
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDONLY));
  must(unlink("f"));
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  fails(linkat(AT_FDCWD, path, AT_FDCWD, "back", AT_SYMLINK_FOLLOW), ENOENT);
}

CASE(linking_an_open_file_by_proc_self_fd) {
  char path[64];
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDONLY));
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  ok(linkat(AT_FDCWD, path, AT_FDCWD, "g", AT_SYMLINK_FOLLOW));
  check(same_path("f", "g"));
  fails(link(path, "h"), EXDEV); /* the magic link itself is on another filesystem */
}

CASE(fifos_and_sockets_can_be_linked) {
  must(mkfifo("fifo", 0600));
  ok(link("fifo", "fifo2"));
  show_stat("fifo2");
  must(mknod("socket", S_IFSOCK | 0600, 0));
  ok(link("socket", "socket2"));
  show_stat("socket2");
}

CASE(symlink_stores_any_text) {
  char target[PATH_MAX];

  ok(symlink("a//b/../ c\n", "odd"));
  show_link("odd");
  memset(target, 't', 4095);
  target[4095] = 0;
  ok(symlink(target, "long"));
  is(readlink("long", target, sizeof(target)), 4095);
  show_stat("long");
}

CASE(symlink_onto_anything_that_exists_fails_with_EEXIST) {
  put_file("f", "");
  must(mkdir("d", 0755));
  must(symlink("nowhere", "dangling"));
  fails(symlink("x", "f"), EEXIST);
  fails(symlink("x", "d"), EEXIST);
  fails(symlink("x", "dangling"), EEXIST);
  fails(symlink("x", "."), EEXIST);
  fails(symlink("x", "missing/link"), ENOENT);
}

CASE(symlinks_have_mode_0777_and_the_length_of_the_target_as_size) {
  umask(077);
  ok(symlink("twelve bytes", "link"));
  show_stat("link");
}

CASE(readlink_truncates_silently) {
  char text[16] = "zzzzzzzzzzzzzzz";

  must(symlink("0123456789", "link"));
  is(readlink("link", text, 4), 4);
  show_bytes("buffer", text, sizeof(text));
  is(readlink("link", text, 10), 10);
  is(readlink("link", text, 16), 10);
  fails(syscall(SYS_readlink, "link", text, 0), EINVAL);
  fails(syscall(SYS_readlink, "link", text, -1), EINVAL);
}

CASE(readlink_of_what_is_no_symlink_fails_with_EINVAL) {
  char text[16];

  put_file("f", "");
  must(mkdir("d", 0755));
  must(mkfifo("fifo", 0600));
  fails(readlink("f", text, sizeof(text)), EINVAL);
  fails(readlink("d", text, sizeof(text)), EINVAL);
  fails(readlink(".", text, sizeof(text)), EINVAL);
  fails(readlink("/", text, sizeof(text)), EINVAL);
  fails(readlink("fifo", text, sizeof(text)), EINVAL);
  fails(readlink("missing", text, sizeof(text)), ENOENT);
  fails(readlink("f/x", text, sizeof(text)), ENOTDIR);
}

CASE(a_file_of_another_user_that_one_may_not_write_cannot_be_linked) {
  need_ordinary_user();
  need_foreign_files();
  show(link("/tmp/.guest-owned-by-root", "mine")); /* EPERM by fs.protected_hardlinks */
}
