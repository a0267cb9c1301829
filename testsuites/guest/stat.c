/* stat(2), lstat(2), fstat(2), newfstatat(2), statfs(2). */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

CASE(stat_tells_type_mode_links_size_owner) {
  put_file("f", "12345");
  must(chmod("f", 0640));
  must(mkdir("d", 0711));
  must(symlink("f", "link"));
  must(mkfifo("fifo", 0600));
  show_stat("f");
  show_stat("d");
  show_stat("link");
  show_stat("fifo");
}

CASE(stat_follows_and_lstat_does_not) {
  struct stat followed, direct, itself;

  put_file("f", "12345");
  must(symlink("f", "link"));
  ok(stat("link", &followed));
  ok(stat("f", &direct));
  ok(lstat("link", &itself));
  check(same_file(&followed, &direct) && !same_file(&itself, &direct));
  is(followed.st_size, 5);
  is(itself.st_size, 1);
}

CASE(fstat_and_stat_agree) {
  struct stat by_fd, by_path, by_at;
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDWR));
  ok(fstat(fd, &by_fd));
  ok(stat("f", &by_path));
  ok(fstatat(fd, "", &by_at, AT_EMPTY_PATH));
  check(same_file(&by_fd, &by_path) && same_file(&by_fd, &by_at));
  check(by_fd.st_mtim.tv_nsec == by_path.st_mtim.tv_nsec);
  check(by_fd.st_ctim.tv_sec == by_path.st_ctim.tv_sec);
  check(by_fd.st_uid == by_path.st_uid && by_fd.st_blksize == by_path.st_blksize);
}

CASE(fstat_of_every_kind_of_descriptor) {
  int ends[2], fd;

  must(pipe(ends));
  show_fstat("pipe", ends[0]);
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  show_fstat("socket", ends[0]);
  fd = must(memfd_create("memory", 0));
  show_fstat("memory", fd);
  fd = must(open(".", O_RDONLY));
  show_fstat("directory", fd);
  fails(fstat(99, &(struct stat){0}), EBADF);
  fails(fstat(-1, &(struct stat){0}), EBADF);
}

CASE(newfstatat_flags) {
  struct stat st;

  put_file("f", "text");
  must(symlink("f", "link"));
  ok(fstatat(AT_FDCWD, "link", &st, 0));
  check(S_ISREG(st.st_mode));
  ok(fstatat(AT_FDCWD, "link", &st, AT_SYMLINK_NOFOLLOW));
  check(S_ISLNK(st.st_mode));
  ok(fstatat(AT_FDCWD, "f", &st, AT_NO_AUTOMOUNT));
  ok(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
  check(S_ISDIR(st.st_mode));
  fails(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 0x40000000), EINVAL);
  fails(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, AT_SYMLINK_FOLLOW), EINVAL);
  fails(fstatat(AT_FDCWD, "", &st, 0), ENOENT);
}

CASE(AT_EMPTY_PATH_of_files_pipes_and_sockets) {
  struct stat st;
  int fd, ends[2];

  put_file("f", "text");
  fd = must(open("f", O_RDONLY));
  ok(fstatat(fd, "", &st, AT_EMPTY_PATH));
  check(S_ISREG(st.st_mode));
  fails(fstatat(fd, "", &st, 0), ENOENT);
  fails(fstatat(fd, "x", &st, AT_EMPTY_PATH), ENOTDIR);
  must(pipe(ends));
  ok(fstatat(ends[0], "", &st, AT_EMPTY_PATH));
  check(S_ISFIFO(st.st_mode));
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  ok(fstatat(ends[0], "", &st, AT_EMPTY_PATH));
  check(S_ISSOCK(st.st_mode));
  fails(fstatat(99, "", &st, AT_EMPTY_PATH), EBADF);
}

CASE(the_parts_of_stat_are_consistent) {
  struct stat a, b, dir;

  must(mkdir("d", 0755));
  put_file("d/a", "");
  put_file("d/b", "");
  must(stat("d/a", &a));
  must(stat("d/b", &b));
  must(stat("d", &dir));
  check(a.st_dev == b.st_dev && a.st_dev == dir.st_dev);
  check(a.st_ino != b.st_ino && a.st_ino != dir.st_ino);
  check(a.st_mtime <= time(NULL) && a.st_mtime > time(NULL) - 60);
  is(a.st_blocks, 0);
  is(a.st_rdev, 0);
  must(truncate("d/a", 1 << 20));
  must(stat("d/a", &a));
  is(a.st_size, 1 << 20);
  check(a.st_blocks * 512 < 1 << 20);
}

CASE(device_numbers_of_the_memory_devices) {
  struct stat st;

  must(stat("/dev/null", &st));
  is(st.st_rdev, 0x103);
  check(S_ISCHR(st.st_mode));
  must(stat("/dev/zero", &st));
  is(st.st_rdev, 0x105);
  must(stat("/dev/full", &st));
  is(st.st_rdev, 0x107);
}

CASE(statfs_tells_plausible_numbers) {
  struct statfs by_path, by_fd;
  struct statvfs vfs;
  int fd = must(open(".", O_RDONLY));

  ok(statfs(".", &by_path));
  ok(fstatfs(fd, &by_fd));
  ok(statvfs(".", &vfs));
  check(by_path.f_type == by_fd.f_type && by_path.f_bsize == by_fd.f_bsize);
  check(by_path.f_blocks == by_fd.f_blocks && by_path.f_blocks > 0);
  check(by_path.f_bavail <= by_path.f_blocks);
  is(by_path.f_namelen, 255);
  is(vfs.f_namemax, 255);
  fails(statfs("missing", &by_path), ENOENT);
  fails(fstatfs(99, &by_fd), EBADF);
}

CASE(statfs_of_proc_says_proc) {
  struct statfs fs;

  ok(statfs("/proc", &fs));
  is(fs.f_type, 0x9fa0);
  ok(statfs("/proc/self/status", &fs));
  is(fs.f_type, 0x9fa0);
}

CASE(times_change_as_they_should) {
  struct stat before, after;
  struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};

  put_file("f", "text");
  must(utimensat(AT_FDCWD, "f", old, 0));
  must(stat("f", &before));
  ok(chmod("f", 0600));
  must(stat("f", &after));
  is(after.st_mtime, 2000);
  check(after.st_ctime >= before.st_ctime && after.st_ctime > 2000);
  put_file("f", "other");
  must(stat("f", &after));
  check(after.st_mtime > 2000);
  must(mkdir("d", 0755));
  must(utimensat(AT_FDCWD, "d", old, 0));
  put_file("d/new", "");
  must(stat("d", &after));
  check(after.st_mtime > 2000);
  must(utimensat(AT_FDCWD, "d", old, 0));
  must(unlink("d/new"));
  must(stat("d", &after));
  check(after.st_mtime > 2000);
}
