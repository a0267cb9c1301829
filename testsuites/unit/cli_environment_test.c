/* The guest's environment: defaults, -e and --env-file. */
#include "cli/environment.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static struct dz_environment env;
static struct dz_error error;
static char path[256];

static void set_up(void) {
  const char *directory = getenv("TMPDIR");
  int fd;

  clearenv();
  snprintf(path, sizeof path, "%s/denizen-env.XXXXXX", directory ? directory : "/tmp");
  fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
}

static void tear_down(void) {
  unlink(path);
  dz_environment_drop(&env);
}

TestSuite(cli_environment, .init = set_up, .fini = tear_down);

static int read_text(const char *text, size_t length) {
  int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

  cr_assert_eq(write(fd, text, length), (ssize_t)length);
  close(fd);
  error = (struct dz_error){0};
  return dz_environment_read_file(&env, path, &error);
}
#define READ(text) read_text(text, sizeof(text) - 1)

#define ASSERT_VALUE(name, value) cr_assert_str_eq(dz_environment_get(&env, name), value)
#define ASSERT_UNSET(name) cr_assert_null(dz_environment_get(&env, name))

Test(cli_environment, starts_clean_and_complete) {
  setenv("SECRET", "host's", 1);
  setenv("TERM", "foot", 1);
  cr_assert_eq(dz_environment_defaults(&env, "/home/ann", "box", false, &error), 0);
  ASSERT_VALUE("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  ASSERT_VALUE("HOME", "/home/ann");
  ASSERT_VALUE("HOSTNAME", "box");
  ASSERT_VALUE("container", "denizen");
  ASSERT_UNSET("SECRET");
  ASSERT_UNSET("USER");
  ASSERT_UNSET("LANG");
  ASSERT_UNSET("TERM");
  cr_assert_eq(env.count, 4);
  cr_assert_null(env.items[env.count]);
}

Test(cli_environment, a_terminal_brings_the_hosts_TERM_or_xterm) {
  cr_assert_eq(dz_environment_defaults(&env, "/", "box", true, &error), 0);
  ASSERT_VALUE("TERM", "xterm");
  setenv("TERM", "foot", 1);
  cr_assert_eq(dz_environment_defaults(&env, "/", "box", true, &error), 0);
  ASSERT_VALUE("TERM", "foot");
}

Test(cli_environment, LANG_is_the_hosts) {
  setenv("LANG", "C.UTF-8", 1);
  cr_assert_eq(dz_environment_defaults(&env, "/", "box", false, &error), 0);
  ASSERT_VALUE("LANG", "C.UTF-8");
}

Test(cli_environment, a_later_setting_replaces_an_earlier_one_in_its_place) {
  cr_assert_eq(dz_environment_apply(&env, "A=1", &error), 0);
  cr_assert_eq(dz_environment_apply(&env, "AB=2", &error), 0);
  cr_assert_eq(dz_environment_apply(&env, "A=3=4", &error), 0);
  cr_assert_eq(env.count, 2);
  cr_assert_str_eq(env.items[0], "A=3=4");
  cr_assert_str_eq(env.items[1], "AB=2");
  cr_assert_null(env.items[2]);
}

Test(cli_environment, a_name_alone_copies_the_hosts_value_or_removes) {
  setenv("GIVEN", "x y", 1);
  cr_assert_eq(dz_environment_apply(&env, "ABSENT=1", &error), 0);
  cr_assert_eq(dz_environment_apply(&env, "LAST=1", &error), 0);
  cr_assert_eq(dz_environment_apply(&env, "GIVEN", &error), 0);
  cr_assert_eq(dz_environment_apply(&env, "ABSENT", &error), 0);
  ASSERT_VALUE("GIVEN", "x y");
  ASSERT_VALUE("LAST", "1");
  ASSERT_UNSET("ABSENT");
  cr_assert_null(env.items[env.count]);
}

Test(cli_environment, an_empty_value_is_a_value) {
  cr_assert_eq(dz_environment_apply(&env, "EMPTY=", &error), 0);
  ASSERT_VALUE("EMPTY", "");
}

Test(cli_environment, a_setting_without_a_name_is_refused) {
  cr_assert_eq(dz_environment_apply(&env, "=x", &error), -EINVAL);
  cr_assert_not_null(strstr(error.text, "'=x'"));
  cr_assert_eq(dz_environment_apply(&env, "", NULL), -EINVAL);
}

Test(cli_environment, a_file_is_read_as_docker_reads_it) {
  setenv("HOST", "yes", 1);
  cr_assert_eq(dz_environment_apply(&env, "KEPT=1", &error), 0);
  cr_assert_eq(READ("\xEF\xBB\xBF# comment\n"
                    "\n"
                    "  \t\n"
                    "PLAIN=a b  \n"
                    "  INDENTED=1\n"
                    "QUOTED=\"x\"\n"
                    "HASH=a#b\n"
                    "CRLF=1\r\n"
                    "HOST\n"
                    "KEPT\n"
                    "  # another\n"
                    "LAST=no newline"),
               0, "%s", error.text);
  ASSERT_VALUE("PLAIN", "a b  ");
  ASSERT_VALUE("INDENTED", "1");
  ASSERT_VALUE("QUOTED", "\"x\"");
  ASSERT_VALUE("HASH", "a#b");
  ASSERT_VALUE("CRLF", "1");
  ASSERT_VALUE("HOST", "yes");
  ASSERT_VALUE("KEPT", "1");
  ASSERT_VALUE("LAST", "no newline");
  cr_assert_eq(env.count, 8);
}

Test(cli_environment, mistakes_in_a_file_name_its_line) {
  cr_assert_eq(READ("A=1\nB C=2\n"), -EINVAL);
  cr_assert_not_null(strstr(error.text, "line 2"), "%s", error.text);
  cr_assert_not_null(strstr(error.text, path));
  cr_assert_eq(READ("\n\n=2\n"), -EINVAL);
  cr_assert_not_null(strstr(error.text, "line 3"), "%s", error.text);
  cr_assert_eq(READ("A=\0b\n"), -EINVAL);
  cr_assert_not_null(strstr(error.text, "NUL"), "%s", error.text);
}

Test(cli_environment, an_unreadable_file_is_named) {
  cr_assert_eq(dz_environment_read_file(&env, "/nonexistent/env", &error), -ENOENT);
  cr_assert_not_null(strstr(error.text, "/nonexistent/env: No such file"));
  error = (struct dz_error){0};
  cr_assert_eq(dz_environment_read_file(&env, "/", &error), -EISDIR);
}
