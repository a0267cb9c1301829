/* Path resolution, path_resolution(7): lengths, pointers, symlinks, dots. */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/statfs.h>

CASE(an_empty_path_fails_with_ENOENT) {
  struct stat st;
  char text[8];

  fails(open("", O_RDONLY), ENOENT);
  fails(open("", O_CREAT | O_WRONLY, 0644), ENOENT);
  fails(stat("", &st), ENOENT);
  fails(lstat("", &st), ENOENT);
  fails(mkdir("", 0755), ENOENT);
  fails(rmdir(""), ENOENT);
  fails(unlink(""), ENOENT);
  fails(rename("", "x"), ENOENT);
  fails(chdir(""), ENOENT);
  fails(readlink("", text, sizeof(text)), ENOENT);
  fails(symlink("", "link"), ENOENT);
  fails(access("", F_OK), ENOENT);
  fails(chmod("", 0644), ENOENT);
  fails(truncate("", 0), ENOENT);
}

static const char *name_of(int length) {
  static char name[5000];

  memset(name, 'n', length);
  name[length] = 0;
  return name;
}

CASE(a_component_may_have_255_bytes) {
  struct stat st;

  ok(mkdir(name_of(255), 0755));
  ok(stat(name_of(255), &st));
  fails(mkdir(name_of(256), 0755), ENAMETOOLONG);
  fails(stat(name_of(256), &st), ENAMETOOLONG);
  fails(open(name_of(256), O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
  must(mkdir("d", 0755));
  fails(rename("d", name_of(256)), ENAMETOOLONG);
  fails(unlink(name_of(300)), ENAMETOOLONG);
  ok(rmdir(name_of(255)));
}

/* "././.../f" of exactly this length. */
static const char *path_of(int length) {
  static char path[5000];
  int used = 0;

  if (length % 2 == 0)
    path[used++] = '.';
  while (used < length - 1) {
    path[used] = used && path[used - 1] == '.' ? '/' : '.';
    used++;
  }
  path[used - 1] = '/';
  strcpy(path + length - 1, "f");
  return path;
}

CASE(a_path_may_have_4095_bytes) {
  struct stat st;

  put_file("f", "text");
  ok(stat(path_of(4095), &st));
  ok(open(path_of(4094), O_RDONLY));
  fails(stat(path_of(4096), &st), ENAMETOOLONG);
  fails(open(path_of(4096), O_RDONLY), ENAMETOOLONG);
  fails(mkdir(path_of(4200), 0755), ENAMETOOLONG);
  fails(symlink(path_of(4096), "link"), ENAMETOOLONG);
  ok(symlink(path_of(4095), "link"));
  is(strlen(path_of(4095)), 4095);
}

CASE(a_bad_path_pointer_fails_with_EFAULT) {
  struct stat st;
  struct statfs fs;
  char text[8];

  fails(open(bad_path, O_RDONLY), EFAULT);
  fails(stat(bad_path, &st), EFAULT);
  fails(access(bad_path, F_OK), EFAULT);
  fails(mkdir(bad_path, 0755), EFAULT);
  fails(rmdir(bad_path), EFAULT);
  fails(unlink(bad_path), EFAULT);
  fails(rename(bad_path, "x"), EFAULT);
  fails(rename("x", bad_path), EFAULT);
  fails(link(bad_path, "x"), EFAULT);
  fails(symlink(bad_path, "x"), EFAULT);
  fails(symlink("x", bad_path), EFAULT);
  fails(readlink(bad_path, text, sizeof(text)), EFAULT);
  fails(chdir(bad_path), EFAULT);
  fails(chmod(bad_path, 0644), EFAULT);
  fails(truncate(bad_path, 0), EFAULT);
  fails(statfs(bad_path, &fs), EFAULT);
  fails(mkfifo(bad_path, 0644), EFAULT);
}

CASE(a_bad_result_pointer_fails_with_EFAULT) {
  put_file("f", "text");
  must(symlink("f", "link"));
  fails(syscall(SYS_stat, "f", bad_pointer), EFAULT);
  fails(syscall(SYS_newfstatat, AT_FDCWD, "f", bad_pointer, 0), EFAULT);
  fails(syscall(SYS_statfs, "f", bad_pointer), EFAULT);
  fails(raw_statx(AT_FDCWD, "f", 0, RAW_BASIC, bad_pointer), EFAULT);
  fails(syscall(SYS_readlink, "link", bad_pointer, 8), EFAULT);
  fails(syscall(SYS_getcwd, bad_pointer, PATH_MAX), EFAULT);
  fails(syscall(SYS_uname, bad_pointer), EFAULT);
}

CASE(a_path_may_end_at_the_end_of_mapped_memory) {
  struct stat st;
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  must(mprotect(pages + 4096, 4096, PROT_NONE));
  put_file("name", "text");
  memcpy(pages + 4096 - 5, "name", 5);
  ok(stat(pages + 4096 - 5, &st));
  memcpy(pages + 4096 - 4, "name", 4); /* no NUL before the forbidden page */
  fails(stat(pages + 4096 - 4, &st), EFAULT);
  fails(stat(pages + 4096, &st), EFAULT);
}

CASE(a_path_may_cross_pages) {
  struct stat st;
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  put_file("a_longer_name", "text");
  memcpy(pages + 4096 - 6, "a_longer_name", 14);
  ok(stat(pages + 4096 - 6, &st));
  ok(mprotect(pages, 8192, PROT_READ));
  ok(stat(pages + 4096 - 6, &st));
}

CASE(a_too_long_path_is_refused_before_memory_ends) {
  struct stat st;
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  must(mprotect(pages + 4096, 4096, PROT_NONE));
  memset(pages, '/', 4096);
  fails(stat(pages, &st), ENAMETOOLONG);
  fails(stat(pages + 1, &st), EFAULT);
}

CASE(names_are_bytes) {
  ok(mkdir("with space", 0755));
  ok(mkdir("line\nfeed", 0755));
  ok(mkdir("latin\xe9", 0755));
  ok(mkdir("\xc3\xa9t\xc3\xa9", 0755));
  ok(mkdir("back\\slash", 0755));
  ok(mkdir("...", 0755));
  ok(mkdir("-n", 0755));
  check(exists("latin\xe9") && exists("...") && exists("line\nfeed") && !exists("latin"));
}

CASE(repeated_slashes_and_dots_change_nothing) {
  struct stat st;

  must(mkdir("d", 0755));
  put_file("d/f", "text");
  ok(stat(".//d///./f", &st));
  ok(stat("./d/../d/f", &st));
  ok(stat("d/.", &st));
  ok(stat("d/./../d/./.", &st));
  check(same_path("/", "///") && same_path("/", "/.") && same_path("/bin", "//bin"));
}

CASE(dot_dot_of_the_root_is_the_root) {
  struct stat st;

  check(same_path("/", "/..") && same_path("/", "/../../../.."));
  check(same_path("/bin", "/../bin") && same_path("/bin", "/../../bin/../bin"));
  ok(stat("/../../tmp", &st));
  must(chdir("/"));
  check(same_path("..", "/") && same_path("../../bin", "/bin"));
  must(chdir("../.."));
  check(same_path(".", "/"));
}

CASE(climbing_far_above_the_working_directory_ends_at_the_root) {
  check(same_path("../../../../../../../../../../../..", "/"));
  check(same_path("../../../../../../../../../../../../bin", "/bin"));
  check(!exists("../../../../../../../../../../../../nothing"));
}

CASE(a_file_as_directory_fails_with_ENOTDIR) {
  struct stat st;

  put_file("f", "");
  fails(stat("f/x", &st), ENOTDIR);
  fails(stat("f/.", &st), ENOTDIR);
  fails(stat("f/..", &st), ENOTDIR);
  fails(open("f/new", O_CREAT | O_WRONLY, 0644), ENOTDIR);
  fails(mkdir("f/d", 0755), ENOTDIR);
  fails(unlink("f/x"), ENOTDIR);
  fails(rename("f/x", "y"), ENOTDIR);
}

CASE(a_missing_component_is_not_skipped_by_dot_dot) {
  struct stat st;

  put_file("f", "");
  fails(stat("missing/../f", &st), ENOENT);
  fails(open("missing/../f", O_RDONLY), ENOENT);
  fails(mkdir("missing/../d", 0755), ENOENT);
}

CASE(dot_dot_after_a_symlink_is_of_the_target) {
  must(mkdir("a", 0755));
  must(mkdir("a/b", 0755));
  put_file("a/f", "in a");
  put_file("f", "at the top");
  must(symlink("a/b", "link"));
  show_file("link/../f");
  show_file("f");
}

CASE(symlinks_start_at_their_own_directory) {
  must(mkdir("d", 0755));
  put_file("d/f", "in d");
  put_file("f", "at the top");
  must(symlink("f", "d/link"));
  must(symlink("../f", "d/up"));
  must(symlink("d/link", "chain"));
  show_file("d/link");
  show_file("d/up");
  show_file("chain");
}

CASE(absolute_symlinks_start_at_the_root) {
  char target[PATH_MAX + 16];

  put_file("f", "text");
  snprintf(target, sizeof(target), "%s/f", start_directory());
  ok(symlink(target, "link"));
  show_file("link");
  ok(symlink("/bin", "bin"));
  ok(symlink("/../../bin", "above"));
  check(same_path("bin", "/bin") && same_path("above", "/bin"));
}

CASE(a_dangling_symlink_fails_with_ENOENT) {
  struct stat st;

  must(symlink("nowhere", "link"));
  fails(stat("link", &st), ENOENT);
  fails(open("link", O_RDONLY), ENOENT);
  fails(stat("link/x", &st), ENOENT);
  fails(chdir("link"), ENOENT);
  fails(mkdir("link", 0755), EEXIST);
  ok(lstat("link", &st));
}

CASE(symlink_loops_fail_with_ELOOP) {
  struct stat st;

  must(symlink("self", "self"));
  must(symlink("b", "a"));
  must(symlink("a", "b"));
  fails(stat("self", &st), ELOOP);
  fails(stat("self/x", &st), ELOOP);
  fails(open("a", O_RDONLY), ELOOP);
  fails(open("a", O_CREAT | O_WRONLY, 0644), ELOOP);
  fails(chdir("b"), ELOOP);
  ok(lstat("self", &st));
  fails(mkdir("self", 0755), EEXIST);
  ok(unlink("self"));
}

CASE(forty_symlinks_are_followed_and_not_forty_one) {
  char name[16], target[16];
  struct stat st;

  put_file("s0", "the end");
  for (int i = 1; i <= 41; i++) {
    snprintf(name, sizeof(name), "s%d", i);
    snprintf(target, sizeof(target), "s%d", i - 1);
    must(symlink(target, name));
  }
  ok(stat("s40", &st));
  fails(stat("s41", &st), ELOOP);
  show_file("s40");
  ok(lstat("s41", &st));
  fails(open("s41", O_RDONLY), ELOOP);
  ok(open("s41", O_PATH | O_NOFOLLOW));
}

/* "d", then this many symlinks to ".", then "f". */
static const char *path_through(int symlinks) {
  static char path[256];

  strcpy(path, "d");
  for (int i = 0; i < symlinks; i++)
    strcat(path, "/dot");
  return strcat(path, "/f");
}

CASE(symlinks_in_the_middle_count_too) {
  struct stat st;

  must(mkdir("d", 0755));
  must(symlink(".", "d/dot"));
  put_file("d/f", "text");
  ok(stat(path_through(40), &st));
  fails(stat(path_through(41), &st), ELOOP);
}

CASE(a_symlink_target_may_have_dots_slashes_and_nothing_real) {
  must(mkdir("d", 0755));
  must(symlink("d//", "link"));
  put_file("d/f", "text");
  show_file("link/f");
  must(symlink("./././d/.", "dots"));
  show_file("dots/f");
  must(symlink("f/", "d/slash"));
  show_file("d/slash");
}

CASE(search_permission_is_needed_on_every_directory) {
  struct stat st;

  need_ordinary_user();
  must(mkdir("a", 0755));
  must(mkdir("a/b", 0755));
  put_file("a/b/f", "");
  must(chmod("a", 0600));
  fails(stat("a/b/f", &st), EACCES);
  fails(stat("a/..", &st), EACCES);
  fails(chdir("a/b"), EACCES);
  fails(unlink("a/b/f"), EACCES);
  must(chmod("a", 0100));
  ok(stat("a/b/f", &st));
  fails(open("a", O_RDONLY), EACCES);
}
