/*
 * Options as a table: one row per option gives its names, its argument, its
 * help and where in the command's struct its value goes. Parsing never exits
 * and never prints; a mistake is one line in a struct dz_error.
 */
#ifndef DZ_CLI_OPTIONS_H
#define DZ_CLI_OPTIONS_H

#include "host/base.h"

#include <stdio.h>

enum dz_option_kind {
  DZ_OPTION_FLAG, /* bool: set to true */
  DZ_OPTION_TEXT, /* const char *: the last one given counts */
  DZ_OPTION_LIST, /* struct dz_text_list: each one is added */
};

struct dz_option {
  char letter;      /* 0: none */
  const char *name; /* the long name, without dashes */
  const char *argument;
  enum dz_option_kind kind;
  size_t offset; /* of the value in the command's struct */
  const char *help;
};

/* Texts in the order given. They belong to argv, the array to the list. */
struct dz_text_list {
  const char **items;
  size_t count;
};

void dz_text_list_drop(struct dz_text_list *list);

/* A command line as one command understands it. */
struct dz_option_table {
  const struct dz_option *rows;
  size_t count;
  size_t operands; /* leading operands among which options may still stand */
};

/* Parse argv[1..] in order into values. Up to table->operands operands are
 * stored in operands; the operand after them, whatever it looks like, ends the
 * parse: what follows belongs to someone else (a command). "--" ends the options.
 * Returns the index of the first argument that was not parsed (argc when all
 * were) or a negative errno with error filled. */
int dz_options_parse(const struct dz_option_table *table, int argc, char **argv, void *values,
                     const char **operands, struct dz_error *error);

/* The option part of a command's --help. */
void dz_options_print(FILE *to, const struct dz_option_table *table);

/* Print "denizen: COMMAND: error" and return the exit code: the error's, else 125. */
int dz_complain(const char *command, const struct dz_error *error);

#endif
