/* statx(2): masks, flags, descriptors. */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/sysmacros.h>

CASE(statx_agrees_with_stat) {
  struct raw_statx x;
  struct stat st;

  put_file("f", "text");
  must(chmod("f", 0604));
  must(stat("f", &st));
  ok(raw_statx(AT_FDCWD, "f", 0, RAW_BASIC, &x));
  is(x.mask & RAW_BASIC, RAW_BASIC);
  is(x.size, 4);
  is(x.mode, S_IFREG | 0604);
  is(x.links, 1);
  check(x.inode == st.st_ino && x.uid == st.st_uid && x.gid == st.st_gid);
  check(x.dev_major == major(st.st_dev) && x.dev_minor == minor(st.st_dev));
  check(x.mtime.seconds == st.st_mtim.tv_sec && x.mtime.nanoseconds == st.st_mtim.tv_nsec);
  check(x.ctime.seconds == st.st_ctim.tv_sec && x.blocks == (uint64_t)st.st_blocks);
}

CASE(statx_follows_unless_AT_SYMLINK_NOFOLLOW) {
  struct raw_statx x;

  put_file("f", "text");
  must(symlink("f", "link"));
  ok(raw_statx(AT_FDCWD, "link", 0, RAW_TYPE, &x));
  is(x.mode & S_IFMT, S_IFREG);
  ok(raw_statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, RAW_TYPE | RAW_SIZE, &x));
  is(x.mode & S_IFMT, S_IFLNK);
  is(x.size, 1);
}

CASE(statx_of_descriptors) {
  struct raw_statx x;
  int ends[2], fd, dir;

  put_file("f", "text");
  fd = must(open("f", O_RDONLY));
  dir = must(open(".", O_PATH));
  must(pipe(ends));
  ok(raw_statx(fd, "", AT_EMPTY_PATH, RAW_BASIC, &x));
  is(x.size, 4);
  ok(raw_statx(dir, "f", 0, RAW_BASIC, &x));
  is(x.size, 4);
  ok(raw_statx(ends[0], "", AT_EMPTY_PATH, RAW_BASIC, &x));
  is(x.mode & S_IFMT, S_IFIFO);
  ok(raw_statx(AT_FDCWD, "", AT_EMPTY_PATH, RAW_BASIC, &x));
  is(x.mode & S_IFMT, S_IFDIR);
  fails(raw_statx(fd, "", 0, RAW_BASIC, &x), ENOENT);
  fails(raw_statx(99, "", AT_EMPTY_PATH, RAW_BASIC, &x), EBADF);
  fails(raw_statx(fd, "x", 0, RAW_BASIC, &x), ENOTDIR);
  show(raw_statx(fd, NULL, AT_EMPTY_PATH, RAW_BASIC, &x)); /* allowed since Linux 6.11 */
}

CASE(statx_refuses_wrong_flags) {
  struct raw_statx x;

  put_file("f", "");
  fails(raw_statx(AT_FDCWD, "f", 0x40000000, RAW_BASIC, &x), EINVAL);
  fails(raw_statx(AT_FDCWD, "f", RAW_SYNC_TYPE, RAW_BASIC, &x), EINVAL);
  fails(raw_statx(AT_FDCWD, "f", 0, RAW_RESERVED, &x), EINVAL);
  ok(raw_statx(AT_FDCWD, "f", RAW_FORCE_SYNC, RAW_BASIC, &x));
  ok(raw_statx(AT_FDCWD, "f", RAW_DONT_SYNC, RAW_BASIC, &x));
  fails(raw_statx(AT_FDCWD, "missing", 0, RAW_BASIC, &x), ENOENT);
}

CASE(statx_with_an_empty_mask_gives_the_basics_all_the_same) {
  struct raw_statx x;

  put_file("f", "text");
  ok(raw_statx(AT_FDCWD, "f", 0, 0, &x));
  is(x.size, 4);
  is(x.mask & (RAW_TYPE | RAW_MODE | RAW_SIZE), RAW_TYPE | RAW_MODE | RAW_SIZE);
}

CASE(statx_knows_when_a_file_was_made) {
  struct raw_statx x;

  put_file("f", "");
  ok(raw_statx(AT_FDCWD, "f", 0, RAW_BASIC | RAW_BTIME, &x));
  say("birth time %s\n", x.mask & RAW_BTIME ? "known" : "unknown");
  if (x.mask & RAW_BTIME)
    check(x.btime.seconds <= time(NULL) && x.btime.seconds > time(NULL) - 60);
}

CASE(statx_tells_roots_of_mounts) {
  struct raw_statx x;

  must(mkdir("d", 0755));
  ok(raw_statx(AT_FDCWD, "/", 0, RAW_BASIC, &x));
  say("the root is the root of a mount: %s\n", x.attributes & RAW_ATTR_MOUNT_ROOT ? "yes" : "no");
  ok(raw_statx(AT_FDCWD, "/proc", 0, RAW_BASIC, &x));
  say("/proc is the root of a mount: %s\n", x.attributes & RAW_ATTR_MOUNT_ROOT ? "yes" : "no");
  ok(raw_statx(AT_FDCWD, "d", 0, RAW_BASIC, &x));
  say("a directory is the root of a mount: %s\n",
      x.attributes & RAW_ATTR_MOUNT_ROOT ? "yes" : "no");
}

CASE(statx_mount_ids_differ_between_mounts_only) {
  struct raw_statx here, file, proc;

  put_file("f", "");
  ok(raw_statx(AT_FDCWD, ".", 0, RAW_MNT_ID, &here));
  ok(raw_statx(AT_FDCWD, "f", 0, RAW_MNT_ID, &file));
  ok(raw_statx(AT_FDCWD, "/proc/self/status", 0, RAW_MNT_ID, &proc));
  is(here.mask & RAW_MNT_ID, RAW_MNT_ID);
  check(here.mount_id == file.mount_id && here.mount_id != proc.mount_id);
}

CASE(statx_of_a_device_tells_its_number) {
  struct raw_statx x;

  ok(raw_statx(AT_FDCWD, "/dev/null", 0, RAW_BASIC, &x));
  is(x.rdev_major, 1);
  is(x.rdev_minor, 3);
}
