/*
 * denizen: the command line. Finds the command and hands the rest over to it.
 */
#include "cli/commands.h"
#include "host/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const struct command {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *help;
} commands[] = {
    {"run", dz_cmd_run, "run a command in a root filesystem"},
    {"doctor", dz_cmd_doctor, "say what this host can do for denizen"},
    {"coverage", dz_cmd_coverage, "list the system calls and how each is handled"},
    {"clean", dz_cmd_clean, "remove cached copies and what crashed silos left"},
};

static const struct command *find_command(const char *name) {
  for (size_t at = 0; at < DZ_ARRAY_SIZE(commands); at++)
    if (strcmp(commands[at].name, name) == 0)
      return &commands[at];
  return NULL;
}

static int print_help(void) {
  puts("Usage: denizen COMMAND [OPTION...] [ARGUMENT...]\n"
       "Run the programs of another Linux system's root filesystem as ordinary processes.\n");
  for (size_t at = 0; at < DZ_ARRAY_SIZE(commands); at++)
    printf("  %-10s %s\n", commands[at].name, commands[at].help);
  puts("  help       print this help, or that of a command\n"
       "\n"
       "  --help     print this help\n"
       "  --version  print the version\n"
       "\n"
       "denizen COMMAND --help tells more of a command; so does man denizen.\n"
       "DENIZEN_LOG=debug in the environment tells what the supervisor thinks.");
  return 0;
}

static int print_version(void) {
  puts("denizen " DZ_VERSION);
  return 0;
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* How many letters must be added, dropped, changed or exchanged with their
 * neighbour to make one word of the other (optimal string alignment). */
static size_t distance(const char *from, const char *to) {
  enum { WORD_MAX = 16 };
  size_t rows = strlen(from), columns = strlen(to);
  size_t cost[WORD_MAX + 1][WORD_MAX + 1];

  if (rows > WORD_MAX || columns > WORD_MAX)
    return WORD_MAX;
  for (size_t i = 0; i <= rows; i++)
    for (size_t j = 0; j <= columns; j++) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = least(least(cost[i - 1][j], cost[i][j - 1]) + 1,
                         cost[i - 1][j - 1] + (from[i - 1] != to[j - 1]));
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[rows][columns];
}

static int complain_about_command(const char *name) {
  enum { NEAR_ENOUGH = 2 };
  const char *best = NULL;
  size_t best_distance = NEAR_ENOUGH + 1;

  for (size_t at = 0; at < DZ_ARRAY_SIZE(commands); at++) {
    size_t here = distance(name, commands[at].name);

    if (here < best_distance && here < strlen(commands[at].name)) {
      best_distance = here;
      best = commands[at].name;
    }
  }
  if (name[0] == '-')
    fprintf(stderr, "denizen: unknown option '%s'; options of a command stand after its name\n",
            name);
  else if (best)
    fprintf(stderr, "denizen: unknown command '%s'; did you mean '%s'?\n", name, best);
  else
    fprintf(stderr, "denizen: unknown command '%s'; denizen --help lists the commands\n", name);
  return DZ_EXIT_OWN_ERROR;
}

/* denizen help [COMMAND] */
static int help_on(int argc, char **argv) {
  const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
  char help[] = "--help";

  if (command)
    return command->run(2, (char *[]){argv[1], help, NULL});
  return argc > 1 ? complain_about_command(argv[1]) : print_help();
}

static int dispatch(int argc, char **argv) {
  const struct command *command;

  if (argc < 2) {
    fputs("denizen: no command given; denizen --help lists the commands\n", stderr);
    return DZ_EXIT_OWN_ERROR;
  }
  command = find_command(argv[1]);
  if (command)
    return command->run(argc - 1, argv + 1);
  if (strcmp(argv[1], "help") == 0)
    return help_on(argc - 1, argv + 1);
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
    return print_help();
  if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
    return print_version();
  return complain_about_command(argv[1]);
}

/* A descriptor opened later must not become 0, 1 or 2 because the caller closed
 * one of them. */
static void fill_standard_descriptors(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv) {
  int code;

  fill_standard_descriptors();
  dz_debug_init();
  code = dispatch(argc, argv);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "denizen: standard output: %s\n", strerror(errno));
    return code ? code : DZ_EXIT_OWN_ERROR;
  }
  return code;
}
