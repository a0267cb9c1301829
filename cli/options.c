#include "cli/options.h"

#include <getopt.h>
#include <string.h>

/* getopt_long(3) returns an option's letter, or this plus its row. */
enum { ROW_BASE = 256, ROWS_MAX = 32 };

/* The table as getopt_long(3) wants it. */
struct spelling {
  struct option longs[ROWS_MAX + 1];
  char shorts[2 * ROWS_MAX + 3];
};

void dz_text_list_drop(struct dz_text_list *list) {
  free(list->items);
  *list = (struct dz_text_list){0};
}

static int text_list_add(struct dz_text_list *list, const char *text) {
  const char **items = reallocarray(list->items, list->count + 1, sizeof *items);

  if (!items)
    return -ENOMEM;
  list->items = items;
  list->items[list->count++] = text;
  return 0;
}

/* '-' first: operands are returned in order, as 1; ':' next: a missing argument
 * is told apart from an unknown option. */
static void spell(const struct dz_option_table *table, struct spelling *spelling) {
  char *at = spelling->shorts;

  *at++ = '-';
  *at++ = ':';
  for (size_t row = 0; row < table->count && row < ROWS_MAX; row++) {
    const struct dz_option *option = &table->rows[row];

    spelling->longs[row] = (struct option){
        .name = option->name,
        .has_arg = option->argument ? required_argument : no_argument,
        .val = ROW_BASE + (int)row,
    };
    if (!option->letter)
      continue;
    *at++ = option->letter;
    if (option->argument)
      *at++ = ':';
  }
}

static const struct dz_option *find_row(const struct dz_option_table *table, int value) {
  if (value >= ROW_BASE)
    return (size_t)(value - ROW_BASE) < table->count ? &table->rows[value - ROW_BASE] : NULL;
  for (size_t row = 0; row < table->count; row++)
    if (table->rows[row].letter && table->rows[row].letter == value)
      return &table->rows[row];
  return NULL;
}

/* getopt_long(3) leaves in optopt the letter or value of an option that it knows,
 * 0 for a long option that is unknown or ambiguous. */
static int fail_on_option(const struct dz_option_table *table, int result, char **argv,
                          struct dz_error *error) {
  const struct dz_option *row = optopt ? find_row(table, optopt) : NULL;

  if (result == ':' && row)
    return dz_fail(error, -EINVAL, "option '%s' needs %s after it", argv[optind - 1],
                   row->argument);
  if (row)
    return dz_fail(error, -EINVAL, "option '--%s' takes no argument, but '%s' gives one", row->name,
                   argv[optind - 1]);
  if (optopt)
    return dz_fail(error, -EINVAL, "unknown option '-%c'; --help lists the options", optopt);
  return dz_fail(error, -EINVAL, "unknown or ambiguous option '%s'; --help lists the options",
                 argv[optind - 1]);
}

static int store(const struct dz_option *option, void *values, const char *argument,
                 struct dz_error *error) {
  void *value = (char *)values + option->offset;

  switch (option->kind) {
  case DZ_OPTION_FLAG:
    *(bool *)value = true;
    return 0;
  case DZ_OPTION_TEXT:
    *(const char **)value = argument;
    return 0;
  case DZ_OPTION_LIST:
    if (text_list_add(value, argument) == 0)
      return 0;
    return dz_fail(error, -ENOMEM, "option '--%s': out of memory", option->name);
  }
  return -EINVAL;
}

int dz_options_parse(const struct dz_option_table *table, int argc, char **argv, void *values,
                     const char **operands, struct dz_error *error) {
  struct spelling spelling = {0};
  size_t operand_count = 0;

  spell(table, &spelling);
  optind = 0; /* glibc: forget an earlier parse */
  opterr = 0;
  for (;;) {
    int result = getopt_long(argc, argv, spelling.shorts, spelling.longs, NULL);
    int err = 0;

    if (result == -1)
      break;
    if (result == 1) {
      if (operand_count == table->operands)
        return optind - 1;
      operands[operand_count++] = optarg;
    } else if (result == '?' || result == ':') {
      return fail_on_option(table, result, argv, error);
    } else {
      err = store(find_row(table, result), values, optarg, error);
    }
    if (err)
      return err;
  }
  while (operand_count < table->operands && optind < argc)
    operands[operand_count++] = argv[optind++];
  return optind;
}

void dz_options_print(FILE *to, const struct dz_option_table *table) {
  enum { HELP_COLUMN = 32 };

  for (size_t row = 0; row < table->count; row++) {
    const struct dz_option *option = &table->rows[row];
    char head[64];
    int width =
        snprintf(head, sizeof head, "  %c%c%s --%s%s%s", option->letter ? '-' : ' ',
                 option->letter ? option->letter : ' ', option->letter ? "," : " ", option->name,
                 option->argument ? " " : "", option->argument ? option->argument : "");

    if (width >= HELP_COLUMN)
      fprintf(to, "%s\n%*s%s\n", head, HELP_COLUMN, "", option->help);
    else
      fprintf(to, "%-*s%s\n", HELP_COLUMN, head, option->help);
  }
}

int dz_complain(const char *command, const struct dz_error *error) {
  const char *text = error->text[0] ? error->text : strerror(-error->code);

  fprintf(stderr, "denizen: %s: %s\n", command, text);
  return error->exit_code ? error->exit_code : DZ_EXIT_OWN_ERROR;
}
