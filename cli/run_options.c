#include "cli/run_options.h"

#include <string.h>

#define VALUE(member) offsetof(struct dz_run_options, member)

static const struct dz_option rows[] = {
    {'e', "env", "NAME[=VALUE]", DZ_OPTION_LIST, VALUE(env),
     "set a variable; NAME alone takes the host's value"},
    {0, "env-file", "FILE", DZ_OPTION_LIST, VALUE(env_files), "read variables from FILE"},
    {0, "engine", "NAME", DZ_OPTION_TEXT, VALUE(engine), "how calls are trapped: notify"},
    {0, "hostname", "NAME", DZ_OPTION_TEXT, VALUE(hostname), "the guest's host name"},
    {'i', "interactive", NULL, DZ_OPTION_FLAG, VALUE(interactive),
     "pass standard input on (it always is)"},
    {0, "no-host-etc", NULL, DZ_OPTION_FLAG, VALUE(no_host_etc),
     "keep ROOTFS's own resolv.conf, hosts and localtime"},
    {0, "read-only", NULL, DZ_OPTION_FLAG, VALUE(read_only), "let nothing in ROOTFS change"},
    {0, "strict", NULL, DZ_OPTION_FLAG, VALUE(strict),
     "end with a report at a call that is not supported"},
    {'t', "tty", NULL, DZ_OPTION_FLAG, VALUE(terminal),
     "a terminal of its own, also without one here"},
    {'u', "user", "USER[:GROUP]", DZ_OPTION_TEXT, VALUE(user),
     "who to be, by name or number (default: 0)"},
    {'v', "volume", "SRC:DST[:ro|rw]", DZ_OPTION_LIST, VALUE(volumes),
     "show the host's file or directory SRC at DST"},
    {'w', "workdir", "DIR", DZ_OPTION_TEXT, VALUE(workdir), "where to start (default: /)"},
    {0, "help", NULL, DZ_OPTION_FLAG, VALUE(help), "print this help"},
};

enum { OPERAND_ROOT, OPERANDS };

static const struct dz_option_table table = {rows, DZ_ARRAY_SIZE(rows), OPERANDS};

/* sethostname(2): at most 64 bytes; hostname(7): what a name is made of. */
static int check_hostname(const char *name, struct dz_error *error) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  size_t length = strlen(name);

  if (length >= 1 && length <= 64 && strspn(name, allowed) == length && name[0] != '-')
    return 0;
  return dz_fail(error, -EINVAL,
                 "host name '%.80s': use 1 to 64 letters, digits, dots, hyphens or underscores, "
                 "not a hyphen first",
                 name);
}

static int check_engine(const char *engine, struct dz_error *error) {
  if (strcmp(engine, "notify") == 0)
    return 0;
  return dz_fail(error, -EINVAL, "engine '%s': this denizen has only 'notify'; leave --engine out",
                 engine);
}

static int check(const struct dz_run_options *options, struct dz_error *error) {
  int err = 0;

  if (!options->root || !*options->root)
    return dz_fail(error, -EINVAL,
                   "no root filesystem given; write denizen run ROOTFS COMMAND, or see --help");
  if (!options->command[0])
    return dz_fail(error, -EINVAL, "no command given; for a shell write denizen run %s /bin/sh",
                   options->root);
  if (!options->command[0][0])
    return dz_fail(error, -EINVAL, "the command's name is empty; name a program");
  if (options->workdir && options->workdir[0] != '/')
    return dz_fail(error, -EINVAL,
                   "working directory '%s': is not absolute; it must start with '/'",
                   options->workdir);
  if (options->hostname)
    err = check_hostname(options->hostname, error);
  if (!err && options->engine)
    err = check_engine(options->engine, error);
  return err;
}

int dz_run_options_parse(int argc, char **argv, struct dz_run_options *options,
                         struct dz_error *error) {
  const char *operands[OPERANDS] = {0};
  int next;

  *options = (struct dz_run_options){0};
  next = dz_options_parse(&table, argc, argv, options, operands, error);
  if (next < 0)
    return next;
  options->root = operands[OPERAND_ROOT];
  options->command = &argv[next];
  return options->help ? 0 : check(options, error);
}

void dz_run_options_drop(struct dz_run_options *options) {
  dz_text_list_drop(&options->volumes);
  dz_text_list_drop(&options->env);
  dz_text_list_drop(&options->env_files);
}

void dz_run_options_print_help(FILE *to) {
  fputs("Usage: denizen run [OPTION...] ROOTFS [--] COMMAND [ARGUMENT...]\n"
        "Run COMMAND in the root filesystem ROOTFS, a directory, as an ordinary user.\n\n",
        to);
  dz_options_print(to, &table);
  fputs("\nOptions stand before COMMAND; what follows it is the command's own.\n"
        "A terminal is given by itself when standard input and output are one.\n"
        "Exit status: the command's; 128+n when signal n ended it; 125 when denizen failed,\n"
        "126 when COMMAND cannot be executed, 127 when it is not found.\n"
        "More: man denizen-run\n",
        to);
}
