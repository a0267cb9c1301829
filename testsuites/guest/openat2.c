/* openat2(2): every resolve flag, and the checks of struct open_how. */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

static int make_tree(void) {
  must(mkdir("d", 0755));
  must(mkdir("d/sub", 0755));
  put_file("d/f", "in d");
  put_file("outside", "beside d");
  must(symlink("sub/../f", "d/inner"));
  must(symlink("../outside", "d/upward"));
  must(symlink("/f", "d/absolute"));
  must(symlink("sub", "d/to_sub"));
  return must(open("d", O_RDONLY | O_DIRECTORY));
}

CASE(openat2_without_resolve_flags_is_openat) {
  int fd = make_tree();

  ok(open_resolve(fd, "f", O_RDONLY, 0));
  ok(open_resolve(fd, "../outside", O_RDONLY, 0));
  ok(open_resolve(AT_FDCWD, "d/upward", O_RDONLY, 0));
  fails(open_resolve(fd, "missing", O_RDONLY, 0), ENOENT);
  fails(open_resolve(fd, "", O_RDONLY, 0), ENOENT);
}

CASE(openat2_creates_with_the_mode_less_the_umask) {
  struct raw_open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 0666};

  ok(raw_openat2(AT_FDCWD, "f", &how, sizeof(how)));
  show_stat("f");
}

CASE(RESOLVE_BENEATH_refuses_what_leaves_the_directory) {
  int fd = make_tree();

  ok(open_resolve(fd, "f", O_RDONLY, RAW_BENEATH));
  ok(open_resolve(fd, "sub/../f", O_RDONLY, RAW_BENEATH));
  ok(open_resolve(fd, "inner", O_RDONLY, RAW_BENEATH));
  fails(open_resolve(fd, "..", O_RDONLY, RAW_BENEATH), EXDEV);
  fails(open_resolve(fd, "../d/f", O_RDONLY, RAW_BENEATH), EXDEV);
  fails(open_resolve(fd, "sub/../../outside", O_RDONLY, RAW_BENEATH), EXDEV);
  fails(open_resolve(fd, "upward", O_RDONLY, RAW_BENEATH), EXDEV);
  fails(open_resolve(fd, "absolute", O_RDONLY, RAW_BENEATH), EXDEV);
  fails(open_resolve(fd, "/", O_RDONLY, RAW_BENEATH), EXDEV);
}

CASE(RESOLVE_IN_ROOT_makes_the_directory_the_root) {
  int fd = make_tree();

  ok(open_resolve(fd, "/f", O_RDONLY, RAW_IN_ROOT));
  ok(open_resolve(fd, "../../f", O_RDONLY, RAW_IN_ROOT));
  ok(open_resolve(fd, "absolute", O_RDONLY, RAW_IN_ROOT));
  fails(open_resolve(fd, "upward", O_RDONLY, RAW_IN_ROOT), ENOENT);
  put_file("d/outside", "the other one");
  ok(open_resolve(fd, "upward", O_RDONLY, RAW_IN_ROOT));
}

CASE(RESOLVE_NO_SYMLINKS_refuses_every_symlink) {
  int fd = make_tree();

  ok(open_resolve(fd, "sub", O_RDONLY, RAW_NO_SYMLINKS));
  fails(open_resolve(fd, "inner", O_RDONLY, RAW_NO_SYMLINKS), ELOOP);
  fails(open_resolve(fd, "to_sub/../f", O_RDONLY, RAW_NO_SYMLINKS), ELOOP);
  ok(open_resolve(fd, "inner", O_PATH | O_NOFOLLOW, RAW_NO_SYMLINKS));
  fails(open_resolve(fd, "inner", O_RDONLY | O_NOFOLLOW, RAW_NO_SYMLINKS), ELOOP);
}

CASE(RESOLVE_NO_MAGICLINKS_refuses_proc_self_fd_only) {
  char path[64];
  int fd = make_tree();

  ok(open_resolve(fd, "inner", O_RDONLY, RAW_NO_MAGICLINKS));
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  fails(open_resolve(AT_FDCWD, path, O_RDONLY, RAW_NO_MAGICLINKS), ELOOP);
  ok(open_resolve(AT_FDCWD, path, O_RDONLY, 0));
  ok(open_resolve(AT_FDCWD, "/proc/self/status", O_RDONLY, RAW_NO_MAGICLINKS));
}

CASE(RESOLVE_NO_XDEV_stays_on_the_mount) {
  int root = must(open("/", O_RDONLY | O_DIRECTORY));

  fails(open_resolve(root, "proc/self/status", O_RDONLY, RAW_NO_XDEV), EXDEV);
  fails(open_resolve(root, "proc", O_RDONLY, RAW_NO_XDEV), EXDEV);
  ok(open_resolve(root, "bin", O_RDONLY, RAW_NO_XDEV));
  ok(open_resolve(root, "proc/self/status", O_RDONLY, 0));
}

CASE(RESOLVE_CACHED_answers_at_once_or_EAGAIN) {
  int fd = make_tree(), result;
  struct stat st;

  must(fstatat(fd, "f", &st, 0));
  result = open_resolve(fd, "f", O_RDONLY, RAW_CACHED);
  check(result >= 0 || errno == EAGAIN);
  fails(open_resolve(fd, "f", O_RDONLY | O_TRUNC, RAW_CACHED), EAGAIN);
}

CASE(openat2_refuses_unknown_or_contradictory_flags) {
  struct raw_open_how unknown = {.flags = 1ULL << 40};
  struct raw_open_how resolve = {.resolve = 1 << 20};
  struct raw_open_how both = {.resolve = RAW_BENEATH | RAW_IN_ROOT};
  struct raw_open_how mode = {.flags = O_RDONLY, .mode = 0644};
  struct raw_open_how bits = {.flags = O_CREAT | O_WRONLY, .mode = 010644};
  struct raw_open_how path = {.flags = O_PATH | O_TRUNC};

  put_file("f", "");
  fails(raw_openat2(AT_FDCWD, "f", &unknown, sizeof(unknown)), EINVAL);
  fails(raw_openat2(AT_FDCWD, "f", &resolve, sizeof(resolve)), EINVAL);
  fails(raw_openat2(AT_FDCWD, "f", &both, sizeof(both)), EINVAL);
  fails(raw_openat2(AT_FDCWD, "f", &mode, sizeof(mode)), EINVAL);
  fails(raw_openat2(AT_FDCWD, "new", &bits, sizeof(bits)), EINVAL);
  fails(raw_openat2(AT_FDCWD, "f", &path, sizeof(path)), EINVAL);
  show_stat("new");
}

CASE(openat2_checks_the_size_of_its_structure) {
  static union {
    struct raw_open_how how;
    char bytes[8192];
  } large;

  put_file("f", "");
  fails(raw_openat2(AT_FDCWD, "f", &large, 0), EINVAL);
  fails(raw_openat2(AT_FDCWD, "f", &large, 23), EINVAL);
  ok(raw_openat2(AT_FDCWD, "f", &large, 24));
  ok(raw_openat2(AT_FDCWD, "f", &large, 64)); /* a newer structure, with nothing new in it */
  large.bytes[63] = 1;
  ok(raw_openat2(AT_FDCWD, "f", &large, 63));
  fails(raw_openat2(AT_FDCWD, "f", &large, 64), E2BIG);
  fails(raw_openat2(AT_FDCWD, "f", &large, 5000), E2BIG);
  fails(raw_openat2(AT_FDCWD, "f", bad_pointer, 24), EFAULT);
  fails(raw_openat2(AT_FDCWD, bad_path, &large, 24), EFAULT);
}
