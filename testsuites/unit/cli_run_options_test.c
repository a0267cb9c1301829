/* How `denizen run` understands its command line. */
#include "cli/run_options.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ARGUMENTS_MAX = 32 };

static struct dz_run_options options;
static struct dz_error error;

/* Parse "run" and the texts up to NULL. */
static int parse(const char *const *texts) {
  static char *argv[ARGUMENTS_MAX];
  static char run[] = "run";
  int argc = 0;

  argv[argc++] = run;
  for (size_t at = 0; texts[at] && argc + 1 < ARGUMENTS_MAX; at++)
    argv[argc++] = (char *)texts[at];
  argv[argc] = NULL;
  error = (struct dz_error){0};
  return dz_run_options_parse(argc, argv, &options, &error);
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

#define ASSERT_REFUSED(fragment, ...)                                                              \
  do {                                                                                             \
    cr_assert_lt(PARSE(__VA_ARGS__), 0);                                                           \
    cr_assert_not_null(strstr(error.text, fragment), "said: %s", error.text);                      \
    cr_assert_null(strchr(error.text, '\n'));                                                      \
  } while (0)

static void drop(void) {
  dz_run_options_drop(&options);
}

TestSuite(cli_run_options, .fini = drop);

Test(cli_run_options, root_and_command_are_the_first_two_operands) {
  cr_assert_eq(PARSE("/srv/debian", "ls", "-l", "/"), 0, "%s", error.text);
  cr_assert_str_eq(options.root, "/srv/debian");
  cr_assert_str_eq(options.command[0], "ls");
  cr_assert_str_eq(options.command[1], "-l");
  cr_assert_str_eq(options.command[2], "/");
  cr_assert_null(options.command[3]);
}

Test(cli_run_options, options_after_the_command_belong_to_the_command) {
  cr_assert_eq(PARSE("root", "cmd", "-t", "--help", "--read-only", "--", "-v"), 0);
  cr_assert_not(options.terminal);
  cr_assert_not(options.help);
  cr_assert_not(options.read_only);
  cr_assert_str_eq(options.command[4], "--");
  cr_assert_str_eq(options.command[5], "-v");
}

Test(cli_run_options, options_may_stand_between_root_and_command) {
  cr_assert_eq(PARSE("root", "-t", "-w", "/tmp", "cmd"), 0);
  cr_assert(options.terminal);
  cr_assert_str_eq(options.workdir, "/tmp");
  cr_assert_str_eq(options.command[0], "cmd");
}

Test(cli_run_options, two_dashes_end_the_options) {
  cr_assert_eq(PARSE("root", "--", "-cmd", "-x"), 0);
  cr_assert_str_eq(options.command[0], "-cmd");
  cr_assert_eq(PARSE("--", "root", "cmd", "-x"), 0);
  cr_assert_str_eq(options.root, "root");
  cr_assert_str_eq(options.command[0], "cmd");
  cr_assert_str_eq(options.command[1], "-x");
}

Test(cli_run_options, short_options_cluster_and_take_attached_values) {
  cr_assert_eq(PARSE("-it", "-eA=1", "-w/x", "root", "cmd"), 0);
  cr_assert(options.interactive);
  cr_assert(options.terminal);
  cr_assert_str_eq(options.workdir, "/x");
  cr_assert_eq(options.env.count, 1);
  cr_assert_str_eq(options.env.items[0], "A=1");
}

Test(cli_run_options, every_long_option_reaches_its_member) {
  cr_assert_eq(PARSE("--interactive", "--tty", "--volume=/a:/b", "--workdir", "/w", "--env", "K",
                     "--env-file", "f", "--user", "u", "--hostname=h", "--read-only", "--strict",
                     "--no-host-etc", "--engine", "notify", "root", "cmd"),
               0, "%s", error.text);
  cr_assert(options.interactive && options.terminal && options.read_only && options.strict &&
            options.no_host_etc);
  cr_assert_str_eq(options.volumes.items[0], "/a:/b");
  cr_assert_str_eq(options.workdir, "/w");
  cr_assert_str_eq(options.env.items[0], "K");
  cr_assert_str_eq(options.env_files.items[0], "f");
  cr_assert_str_eq(options.user, "u");
  cr_assert_str_eq(options.hostname, "h");
  cr_assert_str_eq(options.engine, "notify");
}

Test(cli_run_options, repeated_lists_keep_order_and_repeated_texts_keep_the_last) {
  cr_assert_eq(PARSE("-v", "1", "-w", "/a", "-v", "2", "-w", "/b", "root", "cmd"), 0);
  cr_assert_eq(options.volumes.count, 2);
  cr_assert_str_eq(options.volumes.items[0], "1");
  cr_assert_str_eq(options.volumes.items[1], "2");
  cr_assert_str_eq(options.workdir, "/b");
}

Test(cli_run_options, a_second_parse_knows_nothing_of_the_first) {
  cr_assert_lt(PARSE("-it", "--nonsense", "root", "cmd"), 0);
  cr_assert_eq(PARSE("root", "cmd"), 0);
  cr_assert_not(options.terminal);
}

Test(cli_run_options, help_needs_nothing_else) {
  cr_assert_eq(PARSE("--help"), 0);
  cr_assert(options.help);
}

Test(cli_run_options, mistakes_are_named) {
  ASSERT_REFUSED("no root filesystem", "-t");
  ASSERT_REFUSED("no root filesystem", "", "cmd");
  ASSERT_REFUSED("no command given; for a shell write denizen run deb /bin/sh", "deb");
  ASSERT_REFUSED("no command", "root", "--");
  ASSERT_REFUSED("command's name is empty", "root", "");
  ASSERT_REFUSED("unknown option '-q'", "-itq", "root", "cmd");
  ASSERT_REFUSED("'--nonsense'", "--nonsense", "root", "cmd");
  ASSERT_REFUSED("ambiguous option '--e'", "--e", "x", "root", "cmd");
  ASSERT_REFUSED("'-v' needs SRC:DST", "root", "-v");
  ASSERT_REFUSED("'--user' needs USER", "root", "--user");
  ASSERT_REFUSED("'--tty' takes no argument", "--tty=yes", "root", "cmd");
  ASSERT_REFUSED("'some/where'", "-w", "some/where", "root", "cmd");
  ASSERT_REFUSED("engine 'ptrace'", "--engine", "ptrace", "root", "cmd");
}

Test(cli_run_options, host_names_are_checked) {
  char long_name[66];

  memset(long_name, 'a', sizeof long_name);
  long_name[65] = '\0';
  ASSERT_REFUSED("host name", "--hostname", long_name, "root", "cmd");
  long_name[64] = '\0';
  cr_assert_eq(PARSE("--hostname", long_name, "root", "cmd"), 0);
  ASSERT_REFUSED("host name 'a b'", "--hostname", "a b", "root", "cmd");
  ASSERT_REFUSED("host name ''", "--hostname", "", "root", "cmd");
  ASSERT_REFUSED("host name '-a'", "--hostname", "-a", "root", "cmd");
}
