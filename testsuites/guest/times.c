/* utimensat(2), utimes(2), utime(2). */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/time.h>
#include <utime.h>

static void show_times(const char *path) {
  struct stat st;

  must(lstat(path, &st));
  say("%s: atime %ld.%09ld mtime %ld.%09ld\n", path, (long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
      (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static bool is_recent(time_t when) {
  return when <= time(NULL) + 1 && when > time(NULL) - 60;
}

CASE(utimensat_sets_both_times_to_the_nanosecond) {
  struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};

  put_file("f", "");
  ok(utimensat(AT_FDCWD, "f", times, 0));
  show_times("f");
  must(mkdir("d", 0755));
  ok(utimensat(AT_FDCWD, "d", times, 0));
  show_times("d");
}

CASE(utimensat_without_times_sets_now) {
  struct timespec old[2] = {{1000, 0}, {2000, 0}};
  struct stat st;

  put_file("f", "");
  must(utimensat(AT_FDCWD, "f", old, 0));
  ok(utimensat(AT_FDCWD, "f", NULL, 0));
  must(stat("f", &st));
  check(is_recent(st.st_atime) && is_recent(st.st_mtime));
}

CASE(UTIME_OMIT_and_UTIME_NOW) {
  struct timespec old[2] = {{1000, 1}, {2000, 2}};
  struct timespec only_mtime[2] = {{.tv_nsec = UTIME_OMIT}, {3000, 3}};
  struct timespec atime_now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
  struct timespec nothing[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
  struct stat st;

  put_file("f", "");
  must(utimensat(AT_FDCWD, "f", old, 0));
  ok(utimensat(AT_FDCWD, "f", only_mtime, 0));
  show_times("f");
  ok(utimensat(AT_FDCWD, "f", nothing, 0));
  show_times("f");
  ok(utimensat(AT_FDCWD, "f", atime_now, 0));
  must(stat("f", &st));
  check(is_recent(st.st_atime));
  is(st.st_mtime, 3000);
}

CASE(utimensat_by_descriptor) {
  struct timespec times[2] = {{5000, 0}, {6000, 0}};
  int fd;

  put_file("f", "");
  fd = must(open("f", O_RDONLY));
  ok(futimens(fd, times));
  show_times("f");
  times[0].tv_sec = 7000;
  ok(syscall(SYS_utimensat, fd, NULL, times, 0));
  show_times("f");
  fails(syscall(SYS_utimensat, 99, NULL, times, 0), EBADF);
  fails(syscall(SYS_utimensat, AT_FDCWD, NULL, times, 0), EFAULT);
  fails(syscall(SYS_utimensat, fd, NULL, times, AT_SYMLINK_NOFOLLOW), EINVAL);
}

CASE(utimensat_on_a_symlink_itself) {
  struct timespec times[2] = {{5000, 0}, {6000, 0}}, others[2] = {{1, 0}, {2, 0}};

  put_file("f", "");
  must(symlink("f", "link"));
  ok(utimensat(AT_FDCWD, "f", others, 0));
  ok(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
  show_times("link");
  show_times("f");
  ok(utimensat(AT_FDCWD, "link", times, 0));
  show_times("f");
}

CASE(utimensat_starts_at_a_directory) {
  struct timespec times[2] = {{5000, 0}, {6000, 0}};
  int dir;

  must(mkdir("d", 0755));
  put_file("d/f", "");
  dir = must(open("d", O_PATH));
  ok(utimensat(dir, "f", times, 0));
  show_times("d/f");
  ok(utimensat(dir, "", times, AT_EMPTY_PATH));
  show_times("d");
}

CASE(utimensat_errors) {
  struct timespec wrong[2] = {{0, 1000000000}, {0, 0}}, fine[2] = {{1, 0}, {2, 0}};

  put_file("f", "");
  fails(utimensat(AT_FDCWD, "f", wrong, 0), EINVAL);
  fails(utimensat(AT_FDCWD, "missing", fine, 0), ENOENT);
  fails(utimensat(AT_FDCWD, "f", fine, 0x40000000), EINVAL);
  fails(syscall(SYS_utimensat, AT_FDCWD, "f", bad_pointer, 0), EFAULT);
  fails(utimensat(AT_FDCWD, "", fine, 0), ENOENT);
}

CASE(times_before_1970_and_after_2038) {
  struct timespec times[2] = {{-86400, 0}, {4102444800, 0}};

  put_file("f", "");
  ok(utimensat(AT_FDCWD, "f", times, 0));
  show_times("f");
}

CASE(the_older_calls_set_times_too) {
  struct timeval micro[2] = {{5000, 250000}, {6000, 750000}};
  struct utimbuf whole = {.actime = 7000, .modtime = 8000};

  put_file("f", "");
  ok(syscall(SYS_utimes, "f", micro));
  show_times("f");
  ok(syscall(SYS_utime, "f", &whole));
  show_times("f");
  ok(syscall(SYS_futimesat, AT_FDCWD, "f", micro));
  show_times("f");
  fails(syscall(SYS_utime, "missing", &whole), ENOENT);
  ok(syscall(SYS_utimes, "f", NULL));
}

CASE(setting_times_needs_ownership_and_now_needs_write_permission) {
  struct timespec fine[2] = {{1, 0}, {2, 0}};

  need_ordinary_user();
  need_foreign_files();
  fails(utimensat(AT_FDCWD, "/etc/passwd", fine, 0), EPERM);
  fails(utimensat(AT_FDCWD, "/etc/passwd", NULL, 0), EACCES);
  put_file("f", "");
  must(chmod("f", 0));
  ok(utimensat(AT_FDCWD, "f", fine, 0));
  ok(utimensat(AT_FDCWD, "f", NULL, 0));
}
