/* Users and groups of a root filesystem, honest and hostile. */
#include "cli/user.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char root[256];
static struct dz_user user;
static struct dz_error error;

static void write_file(const char *name, const char *text) {
  char path[512];
  int fd;

  snprintf(path, sizeof path, "%s/%s", root, name);
  fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  cr_assert_geq(fd, 0, "%s: %m", path);
  cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static void make_link(const char *target, const char *name) {
  char path[512];

  snprintf(path, sizeof path, "%s/%s", root, name);
  unlink(path);
  cr_assert_eq(symlink(target, path), 0);
}

static void set_up(void) {
  const char *directory = getenv("TMPDIR");
  char etc[512];

  snprintf(root, sizeof root, "%s/denizen-root.XXXXXX", directory ? directory : "/tmp");
  cr_assert_not_null(mkdtemp(root));
  snprintf(etc, sizeof etc, "%s/etc", root);
  cr_assert_eq(mkdir(etc, 0755), 0);
  write_file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
                           "# a comment\n"
                           "broken line\n"
                           "ann:x:1000:1001:Ann:/home/ann:/bin/sh\n"
                           "77:x:1077:1077:::/bin/sh\n"
                           "ann:x:5:5:second:/nowhere:/bin/sh\n");
  write_file("etc/group", "root:x:0:\n"
                          "wheel:x:10:root,ann\n"
                          "ann:x:1001:\n"
                          "audio:x:29:anna,ann\n"
                          "anns:x:30:anna\n");
}

static int remove_one(const char *path, const struct stat *info DZ_UNUSED, int kind DZ_UNUSED,
                      struct FTW *level DZ_UNUSED) {
  return remove(path);
}

static void tear_down(void) {
  dz_user_drop(&user);
  nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(cli_user, .init = set_up, .fini = tear_down);

static int lookup(const char *spec) {
  dz_user_drop(&user);
  error = (struct dz_error){0};
  return dz_user_lookup(root, spec, &user, &error);
}

static void assert_is(const char *spec, uid_t uid, gid_t gid, const char *home) {
  cr_assert_eq(lookup(spec), 0, "%s", error.text);
  cr_assert_eq(user.uid, uid);
  cr_assert_eq(user.gid, gid);
  cr_assert_str_eq(user.home, home);
  cr_assert_geq(user.group_count, 1);
  cr_assert_eq(user.groups[0], gid);
}

Test(cli_user, nobody_named_is_root_with_roots_groups) {
  assert_is(NULL, 0, 0, "/root");
  cr_assert_eq(user.group_count, 2);
  cr_assert_eq(user.groups[1], 10);
}

Test(cli_user, a_name_brings_group_home_and_memberships) {
  assert_is("ann", 1000, 1001, "/home/ann");
  cr_assert_eq(user.group_count, 3);
  cr_assert_eq(user.groups[1], 10);
  cr_assert_eq(user.groups[2], 29);
}

Test(cli_user, a_known_number_is_as_good_as_the_name) {
  assert_is("1000", 1000, 1001, "/home/ann");
  cr_assert_eq(user.group_count, 3);
}

Test(cli_user, an_unknown_number_is_taken_as_it_is) {
  assert_is("4242", 4242, 0, "/");
  cr_assert_eq(user.group_count, 1);
  assert_is("4294967294", 4294967294, 0, "/");
}

Test(cli_user, a_name_of_digits_wins_over_the_number) {
  assert_is("77", 1077, 1077, "/");
}

Test(cli_user, a_group_is_named_or_numbered_and_replaces_memberships) {
  assert_is("ann:audio", 1000, 29, "/home/ann");
  cr_assert_eq(user.group_count, 1);
  assert_is("1000:4711", 1000, 4711, "/home/ann");
  assert_is("4242:wheel", 4242, 10, "/");
}

Test(cli_user, unknown_names_are_refused_and_named) {
  cr_assert_eq(lookup("bob"), -ENOENT);
  cr_assert_not_null(strstr(error.text, "user 'bob'"), "%s", error.text);
  cr_assert_eq(lookup("ann:nogroup"), -ENOENT);
  cr_assert_not_null(strstr(error.text, "group 'nogroup'"), "%s", error.text);
}

Test(cli_user, malformed_requests_are_refused) {
  static const char *const malformed[] = {"", ":", ":0", "0:", "0:0:0", "ann:"};
  static const char *const unknown[] = {"-1", "4294967295", "99999999999999999999", "0x10", "1 "};

  for (size_t at = 0; at < DZ_ARRAY_SIZE(malformed); at++)
    cr_assert_eq(lookup(malformed[at]), -EINVAL, "'%s'", malformed[at]);
  for (size_t at = 0; at < DZ_ARRAY_SIZE(unknown); at++)
    cr_assert_eq(lookup(unknown[at]), -ENOENT, "'%s'", unknown[at]);
}

Test(cli_user, a_root_without_databases_knows_numbers_only) {
  char path[512];

  for (size_t at = 0; at < 2; at++) {
    snprintf(path, sizeof path, "%s/etc/%s", root, at ? "group" : "passwd");
    unlink(path);
  }
  assert_is(NULL, 0, 0, "/root");
  assert_is("7:8", 7, 8, "/");
  cr_assert_eq(lookup("root"), -ENOENT);
}

Test(cli_user, an_absolute_link_leads_into_the_root_not_the_host) {
  write_file("passwd", "inner:x:7:7::/inner:/bin/sh\n");
  make_link("/passwd", "etc/passwd");
  assert_is("inner", 7, 7, "/inner");
}

Test(cli_user, a_link_upwards_stays_beneath_the_root) {
  char outer[600];
  struct stat info;

  make_link("../../../../../../etc/passwd", "etc/passwd");
  cr_assert_eq(lookup("root"), -ENOENT, "a link to itself must not reach the host's file");
  snprintf(outer, sizeof outer, "/etc/passwd");
  cr_assert_eq(stat(outer, &info), 0, "the host has the file that must not be reached");
}

Test(cli_user, a_fifo_for_a_database_does_not_hang) {
  char path[512];

  snprintf(path, sizeof path, "%s/etc/passwd", root);
  unlink(path);
  cr_assert_eq(mkfifo(path, 0644), 0);
  assert_is("5", 5, 0, "/");
}

Test(cli_user, a_missing_root_is_named) {
  cr_assert_eq(dz_user_lookup("/nonexistent/root", NULL, &user, &error), -ENOENT);
  cr_assert_not_null(strstr(error.text, "/nonexistent/root"));
}
