/* denizen clean on a cache that looks as runs leave it. */
#include "cli/commands.h"
#include "host/base.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static char scratch[256];

static const char *path_of(const char *rest) {
  static char path[512];

  snprintf(path, sizeof path, "%s/denizen/%s", scratch, rest);
  return path;
}

static void make_directory(const char *name) {
  cr_assert_eq(mkdir(path_of(name), 0700), 0);
}

static void make_file(const char *name) {
  int fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555);

  cr_assert_geq(fd, 0, "%s: %m", name);
  cr_assert_eq(write(fd, "some bytes", 10), 10);
  close(fd);
}

static void link_file(const char *from, const char *to) {
  char source[512];

  snprintf(source, sizeof source, "%s", path_of(from));
  cr_assert_eq(link(source, path_of(to)), 0, "%m");
}

/* clean leaves alone what is younger than two seconds. */
static void make_old(const char *name) {
  struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

  cr_assert_eq(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static int lock_directory(const char *name) {
  int fd = open(path_of(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  cr_assert_geq(fd, 0);
  cr_assert_eq(flock(fd, LOCK_EX), 0);
  return fd;
}

static bool exists(const char *name) {
  return faccessat(AT_FDCWD, path_of(name), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int remove_one(const char *path, const struct stat *info DZ_UNUSED, int kind DZ_UNUSED,
                      struct FTW *level DZ_UNUSED) {
  chmod(path, 0700);
  return remove(path);
}

static void set_up(void) {
  const char *directory = getenv("TMPDIR");

  snprintf(scratch, sizeof scratch, "%s/denizen-clean.XXXXXX", directory ? directory : "/tmp");
  cr_assert_not_null(mkdtemp(scratch));
  setenv("XDG_CACHE_HOME", scratch, 1);
  make_directory("");
  make_directory("silos");
  make_directory("programs");
  make_file("silos/numbers");
  make_file("programs/p1");
  make_file("programs/p2");
  make_file("programs/lock");
  make_directory("silos/dead");
  make_directory("silos/dead/n");
  link_file("programs/p1", "silos/dead/n/ls");
  make_directory("silos/live");
  link_file("programs/p2", "silos/live/sh");
  make_old("silos/dead");
  make_old("silos/live");
}

static void tear_down(void) {
  nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(cli_clean, .init = set_up, .fini = tear_down);

static int clean(const char *option) {
  char *argv[] = {(char *)"clean", (char *)option, NULL};

  return dz_cmd_clean(option ? 2 : 1, argv);
}

static void let_copies_age(void) {
  make_old("programs/p1");
  make_old("programs/p2");
}

Test(cli_clean, a_dead_silo_goes_and_a_live_one_stays) {
  lock_directory("silos/live");
  let_copies_age();
  cr_assert_eq(clean(NULL), 0);
  cr_assert_not(exists("silos/dead"));
  cr_assert(exists("silos/live/sh"));
  cr_assert_not(exists("programs/p1"), "used by the dead one only");
  cr_assert(exists("programs/p2"), "used by the live one");
  cr_assert(exists("programs/lock"));
  cr_assert(exists("silos/numbers"));
}

Test(cli_clean, a_silo_that_is_being_made_stays) {
  make_directory("silos/new");
  cr_assert_eq(clean("--all"), 0);
  cr_assert(exists("silos/new"));
  cr_assert(exists("programs/p1"), "it may be about to use a new copy");
}

Test(cli_clean, all_takes_copies_in_use_but_not_a_live_silos_own) {
  lock_directory("silos/live");
  let_copies_age();
  cr_assert_eq(clean("--all"), 0);
  cr_assert_not(exists("programs/p2"));
  cr_assert(exists("silos/live/sh"));
}

Test(cli_clean, without_live_silos_all_leaves_nothing_but_records) {
  cr_assert_eq(clean("--all"), 0);
  cr_assert_not(exists("programs"));
  cr_assert_not(exists("silos/live"));
  cr_assert(exists("silos/numbers"));
}

Test(cli_clean, a_copy_that_is_being_written_stays) {
  int fd = open(path_of("programs/t1"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  cr_assert_eq(flock(fd, LOCK_EX), 0);
  cr_assert_eq(clean(NULL), 0);
  cr_assert(exists("programs/t1"));
  close(fd);
  cr_assert_eq(clean(NULL), 0);
  cr_assert_not(exists("programs/t1"));
}

Test(cli_clean, links_are_removed_not_followed) {
  char outside[512];

  snprintf(outside, sizeof outside, "%s/outside", scratch);
  cr_assert_eq(mkdir(outside, 0700), 0);
  snprintf(outside, sizeof outside, "%s/outside/kept", scratch);
  cr_assert_eq(mkdir(outside, 0700), 0);
  cr_assert_eq(symlink("../../outside", path_of("silos/link")), 0);
  cr_assert_eq(symlink("../../../../outside", path_of("silos/dead/n/link")), 0);
  cr_assert_eq(symlink("../outside", path_of("other")), 0);
  make_old("silos/dead");
  cr_assert_eq(clean("--all"), 0);
  cr_assert_eq(access(outside, F_OK), 0);
  cr_assert_not(exists("silos/dead"));
}

Test(cli_clean, a_directory_without_permissions_goes_too) {
  cr_assert_eq(chmod(path_of("silos/dead/n"), 0), 0);
  cr_assert_eq(clean(NULL), 0);
  cr_assert_not(exists("silos/dead"));
}

Test(cli_clean, nothing_is_made_where_nothing_was) {
  char missing[512];

  snprintf(missing, sizeof missing, "%s/missing", scratch);
  setenv("XDG_CACHE_HOME", missing, 1);
  cr_assert_eq(clean(NULL), 0);
  cr_assert_lt(access(missing, F_OK), 0);
}

Test(cli_clean, arguments_are_refused) {
  cr_assert_eq(clean("everything"), DZ_EXIT_OWN_ERROR);
  cr_assert_eq(clean("--everything"), DZ_EXIT_OWN_ERROR);
  cr_assert(exists("silos/dead"));
}
