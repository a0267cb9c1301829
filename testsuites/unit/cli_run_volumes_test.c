/* Volumes: what -v means and what comes without it. */
#include "cli/run_volumes.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct dz_volume_list list;
static struct dz_error error;

static void drop(void) {
  dz_volumes_drop(&list);
}

TestSuite(cli_run_volumes, .fini = drop);

static void assert_refused(const char *text, int code, const char *fragment) {
  size_t before = list.count;

  error = (struct dz_error){0};
  cr_assert_eq(dz_volumes_add(&list, text, &error), code, "'%s': %s", text, error.text);
  cr_assert_not_null(strstr(error.text, fragment), "'%s': %s", text, error.text);
  cr_assert_eq(list.count, before);
}

static const struct dz_volume *find(const char *target) {
  for (size_t at = 0; at < list.count; at++)
    if (strcmp(list.items[at].target, target) == 0)
      return &list.items[at];
  return NULL;
}

Test(cli_run_volumes, modes_are_rw_unless_ro) {
  cr_assert_eq(dz_volumes_add(&list, "/usr:/a", &error), 0, "%s", error.text);
  cr_assert_eq(dz_volumes_add(&list, "/usr:/b:rw", &error), 0);
  cr_assert_eq(dz_volumes_add(&list, "/usr:/c:ro", &error), 0);
  cr_assert_eq(list.count, 3);
  cr_assert_not(list.items[0].read_only);
  cr_assert_not(list.items[1].read_only);
  cr_assert(list.items[2].read_only);
  cr_assert_not(list.items[2].optional);
  cr_assert_str_eq(list.items[2].source, "/usr");
}

Test(cli_run_volumes, a_source_may_be_relative_and_a_file) {
  cr_assert_eq(chdir("/etc"), 0);
  cr_assert_eq(dz_volumes_add(&list, "passwd:/a", &error), 0, "%s", error.text);
  cr_assert_eq(dz_volumes_add(&list, "../usr/.:/b", &error), 0, "%s", error.text);
  cr_assert_str_eq(list.items[0].source, "/etc/passwd");
  cr_assert_str_eq(list.items[1].source, "/usr");
}

Test(cli_run_volumes, targets_are_cleaned) {
  cr_assert_eq(dz_volumes_add(&list, "/usr:///mnt//./a/..b/", &error), 0, "%s", error.text);
  cr_assert_str_eq(list.items[0].target, "/mnt/a/..b");
  assert_refused("/etc:/mnt/a/..b/.", -EEXIST, "given twice");
}

Test(cli_run_volumes, mistakes_are_named) {
  assert_refused("", -EINVAL, "SOURCE:TARGET");
  assert_refused("/usr", -EINVAL, "SOURCE:TARGET");
  assert_refused(":/x", -EINVAL, "SOURCE:TARGET");
  assert_refused("/usr:", -EINVAL, "SOURCE:TARGET");
  assert_refused("/usr:x", -EINVAL, "target 'x' is not absolute");
  assert_refused("/usr:/x:", -EINVAL, "unknown mode ''");
  assert_refused("/usr:/x:z", -EINVAL, "unknown mode 'z'");
  assert_refused("/usr:/x:ro:rw", -EINVAL, "unknown mode 'ro:rw'");
  assert_refused("/usr:/", -EINVAL, "is the root filesystem");
  assert_refused("/usr://.", -EINVAL, "is the root filesystem");
  assert_refused("/usr:/a/../b", -EINVAL, "contains '..'");
  assert_refused("/nonexistent/x:/x", -ENOENT, "/nonexistent/x: No such file");
}

Test(cli_run_volumes, host_files_come_first_read_only_and_optional) {
  static const char *const names[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/localtime"};

  cr_assert_eq(dz_volumes_add(&list, "/usr:/mnt", &error), 0);
  cr_assert_eq(dz_volumes_add_host_etc(&list, &error), 0, "%s", error.text);
  cr_assert_str_eq(list.items[list.count - 1].target, "/mnt");
  for (size_t at = 0; at < DZ_ARRAY_SIZE(names); at++) {
    const struct dz_volume *volume = find(names[at]);
    struct stat info;

    if (access(names[at], R_OK) < 0) {
      cr_assert_null(volume, "%s is missing here", names[at]);
      continue;
    }
    cr_assert_not_null(volume, "%s", names[at]);
    cr_assert(volume->read_only && volume->optional);
    cr_assert_eq(lstat(volume->source, &info), 0);
    cr_assert_not(S_ISLNK(info.st_mode), "%s must be the file itself", volume->source);
  }
}

Test(cli_run_volumes, the_users_volume_wins_over_a_host_file) {
  cr_assert_eq(dz_volumes_add(&list, "/etc/passwd:/etc/hosts", &error), 0);
  cr_assert_eq(dz_volumes_add_host_etc(&list, &error), 0);
  cr_assert_str_eq(find("/etc/hosts")->source, "/etc/passwd");
  cr_assert_not(find("/etc/hosts")->optional);
  drop();
  cr_assert_eq(dz_volumes_add(&list, "/usr:/etc", &error), 0);
  cr_assert_eq(dz_volumes_add_host_etc(&list, &error), 0);
  cr_assert_eq(list.count, 1);
  drop();
  cr_assert_eq(dz_volumes_add(&list, "/usr:/et", &error), 0);
  cr_assert_eq(dz_volumes_add_host_etc(&list, &error), 0);
  cr_assert_gt(list.count, 1, "/et does not cover /etc/hosts");
}
