/* Where denizen keeps its files. */
#include "cli/paths.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char scratch[256];
static struct dz_paths paths;
static struct dz_error error;

static void set_up(void) {
  const char *directory = getenv("TMPDIR");

  snprintf(scratch, sizeof scratch, "%s/denizen-paths.XXXXXX", directory ? directory : "/tmp");
  cr_assert_not_null(mkdtemp(scratch));
  clearenv();
  umask(022);
}

static int remove_one(const char *path, const struct stat *info DZ_UNUSED, int kind DZ_UNUSED,
                      struct FTW *level DZ_UNUSED) {
  return remove(path);
}

static void tear_down(void) {
  nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(cli_paths, .init = set_up, .fini = tear_down);

static void set_variable(const char *name, const char *rest) {
  char value[512];

  snprintf(value, sizeof value, "%s%s", scratch, rest);
  setenv(name, value, 1);
}

static void assert_under_scratch(const char *path, const char *rest) {
  char expected[512];

  snprintf(expected, sizeof expected, "%s%s", scratch, rest);
  cr_assert_str_eq(path, expected);
}

static void assert_private_directory(const char *path) {
  struct stat info;

  cr_assert_eq(lstat(path, &info), 0, "%s", path);
  cr_assert(S_ISDIR(info.st_mode));
  cr_assert_eq(info.st_mode & 07777, 0700, "%s: %o", path, info.st_mode);
}

static void assert_shared_place(void) {
  char expected[64];

  snprintf(expected, sizeof expected, "/var/tmp/denizen-%u", geteuid());
  cr_assert_str_eq(paths.cache_dir, expected);
}

Test(cli_paths, XDG_CACHE_HOME_is_made_private_with_its_parents) {
  set_variable("XDG_CACHE_HOME", "/a/b");
  set_variable("HOME", "/home");
  cr_assert_eq(dz_paths_make(&paths, &error), 0, "%s", error.text);
  assert_under_scratch(paths.cache_dir, "/a/b/denizen");
  assert_under_scratch(paths.runtime_dir, "/a/b/denizen/silos");
  assert_private_directory(paths.cache_dir);
  assert_private_directory(paths.runtime_dir);
  cr_assert_eq(dz_paths_make(&paths, &error), 0, "a second time: %s", error.text);
}

Test(cli_paths, without_it_the_home_is_used) {
  set_variable("HOME", "");
  setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
  cr_assert_eq(dz_paths_make(&paths, &error), 0, "%s", error.text);
  assert_under_scratch(paths.cache_dir, "/.cache/denizen");
}

Test(cli_paths, without_a_home_it_is_a_private_directory_in_var_tmp) {
  static const char *const homes[] = {NULL, "", "relative", "/nonexistent", "/proc"};

  for (size_t at = 0; at < DZ_ARRAY_SIZE(homes); at++) {
    if (homes[at])
      setenv("HOME", homes[at], 1);
    error = (struct dz_error){0};
    cr_assert_eq(dz_paths_make(&paths, &error), 0, "%s", error.text);
    assert_shared_place();
    assert_private_directory(paths.cache_dir);
  }
}

Test(cli_paths, a_variable_that_cannot_be_used_is_an_error_not_a_surprise) {
  setenv("XDG_CACHE_HOME", "/proc/nothing/here", 1);
  cr_assert_lt(dz_paths_make(&paths, &error), 0);
  cr_assert_not_null(strstr(error.text, "/proc/nothing/here"), "%s", error.text);
}

Test(cli_paths, another_users_cache_is_refused) {
  char path[512];

  if (geteuid() != 0) {
    fprintf(stderr, "skipped: only root can give a directory to another user\n");
    return;
  }
  set_variable("XDG_CACHE_HOME", "");
  snprintf(path, sizeof path, "%s/denizen", scratch);
  cr_assert_eq(mkdir(path, 0700), 0);
  cr_assert_eq(chown(path, 65534, 65534), 0);
  cr_assert_eq(dz_paths_make(&paths, &error), -EPERM);
  cr_assert_not_null(strstr(error.text, "belongs to user 65534"), "%s", error.text);
}

Test(cli_paths, another_users_home_is_not_used) {
  set_variable("HOME", "");
  if (geteuid() == 0)
    cr_assert_eq(chown(scratch, 65534, 65534), 0);
  else
    setenv("HOME", "/usr", 1);
  cr_assert_eq(dz_paths_make(&paths, &error), 0, "%s", error.text);
  assert_shared_place();
}

Test(cli_paths, finding_makes_nothing) {
  char path[512];

  set_variable("HOME", "");
  cr_assert_eq(dz_paths_find(&paths, &error), -ENOENT);
  cr_assert_eq(error.code, 0);
  assert_under_scratch(paths.cache_dir, "/.cache/denizen");
  snprintf(path, sizeof path, "%s/.cache", scratch);
  cr_assert_lt(access(path, F_OK), 0);
}
