/* chmod(2), fchmod(2), fchmodat(2), fchmodat2(2), chown(2), umask(2). */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <pthread.h>

CASE(chmod_sets_all_twelve_bits_whatever_the_umask) {
  put_file("f", "");
  umask(077);
  ok(chmod("f", 0777));
  show_stat("f");
  ok(chmod("f", 07777));
  show_stat("f");
  ok(chmod("f", 0));
  show_stat("f");
  ok(chmod("f", S_IFDIR | 0644)); /* the type is not looked at */
  show_stat("f");
}

CASE(chmod_follows_a_symlink) {
  put_file("f", "");
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  ok(chmod("link", 0600));
  show_stat("f");
  show_stat("link");
  fails(chmod("dangling", 0600), ENOENT);
}

CASE(chmod_of_a_directory) {
  must(mkdir("d", 0755));
  ok(chmod("d", 03711));
  show_stat("d");
  ok(chmod("d/.", 0700));
  show_stat("d");
}

CASE(fchmod_works_on_read_only_descriptors) {
  int fd;

  put_file("f", "");
  fd = must(open("f", O_RDONLY));
  ok(fchmod(fd, 0400));
  show_stat("f");
  must(unlink("f"));
  ok(fchmod(fd, 0600));
  show_fstat("fd", fd);
  fails(fchmod(99, 0600), EBADF);
}

CASE(fchmodat_starts_at_a_directory) {
  int dir;

  must(mkdir("d", 0755));
  put_file("d/f", "");
  dir = must(open("d", O_PATH));
  ok(fchmodat(dir, "f", 0600, 0));
  show_stat("d/f");
  fails(fchmodat(dir, "missing", 0600, 0), ENOENT);
}

CASE(fchmodat2_flags) {
  int fd;

  put_file("f", "");
  must(symlink("f", "link"));
  fd = must(open("f", O_RDONLY));
  ok(raw_fchmodat2(AT_FDCWD, "link", 0600, 0));
  show_stat("f");
  fails(raw_fchmodat2(AT_FDCWD, "link", 0640, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
  ok(raw_fchmodat2(AT_FDCWD, "f", 0640, AT_SYMLINK_NOFOLLOW));
  ok(raw_fchmodat2(fd, "", 0644, AT_EMPTY_PATH));
  show_stat("f");
  fails(raw_fchmodat2(AT_FDCWD, "f", 0600, 0x40000000), EINVAL);
}

CASE(changing_a_file_clears_the_set_user_bit_of_an_ordinary_user) {
  int fd;

  need_ordinary_user();
  put_file("f", "text");
  ok(chmod("f", 06755));
  fd = must(open("f", O_WRONLY));
  is(write(fd, "T", 1), 1);
  show_stat("f");
  ok(chmod("f", 06755));
  must(truncate("f", 2));
  show_stat("f");
}

CASE(chmod_of_somebody_elses_file_fails_with_EPERM) {
  need_ordinary_user();
  need_foreign_files();
  fails(chmod("/etc/passwd", 0666), EPERM);
  fails(chmod("/tmp/.guest-owned-by-root", 0666), EPERM);
  fails(chown("/etc/passwd", getuid(), getgid()), EPERM);
  fails(truncate("/etc/passwd", 0), EACCES);
  fails(access("/etc/passwd", W_OK), EACCES);
  fails(open("/etc/passwd", O_RDWR), EACCES);
}

CASE(chown_to_oneself_and_to_minus_one) {
  put_file("f", "");
  must(symlink("f", "link"));
  must(symlink("nowhere", "dangling"));
  ok(chown("f", geteuid(), getegid()));
  ok(chown("f", -1, -1));
  ok(chown("link", -1, getegid()));
  ok(lchown("link", geteuid(), -1));
  ok(lchown("dangling", geteuid(), getegid()));
  fails(chown("dangling", -1, -1), ENOENT);
  fails(chown("missing", -1, -1), ENOENT);
  show_stat("f");
}

CASE(chown_by_descriptor_and_fchownat_flags) {
  int fd;

  put_file("f", "");
  must(symlink("f", "link"));
  fd = must(open("f", O_RDONLY));
  ok(fchown(fd, geteuid(), getegid()));
  ok(fchownat(AT_FDCWD, "link", -1, -1, AT_SYMLINK_NOFOLLOW));
  ok(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
  fails(fchownat(AT_FDCWD, "f", -1, -1, 0x40000000), EINVAL);
  fails(fchown(99, -1, -1), EBADF);
}

CASE(chown_clears_set_user_and_set_group_bits) {
  put_file("f", "");
  must(chmod("f", 06755));
  ok(chown("f", geteuid(), getegid()));
  show_stat("f");
  must(chmod("f", 02644)); /* without group execution the bit meant locking */
  ok(chown("f", geteuid(), getegid()));
  show_stat("f");
}

CASE(an_ordinary_user_gives_nothing_away) {
  need_ordinary_user();
  need_unmapped();
  put_file("f", "");
  fails(chown("f", 0, -1), EPERM);
  fails(chown("f", -1, 0), EPERM);
  fails(chown("f", 12345, 12345), EPERM);
}

CASE(the_superuser_gives_files_away) {
  struct stat st;

  need_superuser();
  need_unmapped();
  put_file("f", "");
  ok(chown("f", 1234, 5678));
  must(stat("f", &st));
  is(st.st_uid, 1234);
  is(st.st_gid, 5678);
  ok(chown("f", -1, 0));
  must(stat("f", &st));
  is(st.st_uid, 1234);
  is(st.st_gid, 0);
}

CASE(umask_returns_the_old_one_and_keeps_nine_bits) {
  is(umask(027), 022);
  is(umask(07777), 027);
  is(umask(0), 0777);
  is(umask(022), 0);
}

CASE(the_umask_is_inherited_by_fork_and_changed_separately) {
  pid_t child;

  umask(070);
  child = fork();
  if (child == 0) {
    is(umask(007), 070);
    leave();
  }
  expect_exit(child, 0);
  is(umask(022), 070);
}

ROLE(print_umask) {
  say("umask after exec %03o\n", umask(0));
  put_file("made_by_the_child", "");
  return 0;
}

CASE(the_umask_is_kept_by_exec) {
  pid_t child;

  umask(035);
  child = fork();
  if (child == 0) {
    execl(guest_self, guest_self, "@print_umask", NULL);
    leave();
  }
  expect_exit(child, 0);
}

static void *set_umask(void *unused) {
  (void)unused;
  is(umask(055), 011);
  return NULL;
}

CASE(the_umask_is_shared_by_threads) {
  pthread_t thread;

  umask(011);
  must(-pthread_create(&thread, NULL, set_umask, NULL));
  must(-pthread_join(thread, NULL));
  is(umask(022), 055);
}

CASE(umask_decides_for_files_directories_fifos_and_sockets_alike) {
  umask(026);
  must(close(must(open("f", O_CREAT | O_WRONLY, 0777))));
  must(mkdir("d", 0777));
  must(mkfifo("fifo", 0777));
  must(mknod("node", S_IFREG | 0777, 0));
  must(symlink("x", "link"));
  show_stat("f");
  show_stat("d");
  show_stat("fifo");
  show_stat("node");
  show_stat("link");
}
