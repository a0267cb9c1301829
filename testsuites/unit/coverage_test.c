#include "cli/commands.h"
#include "host/base.h"
#include "syscalls/table.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct output {
  int code;
  FILE *text; /* from its start */
};

/* Run `denizen coverage option`. */
static struct output run(char *option) {
  char name[] = "coverage";
  int kept, file = memfd_create("output", MFD_CLOEXEC);
  struct output output;

  cr_assert_geq(file, 0);
  fflush(stdout);
  kept = dup(STDOUT_FILENO);
  cr_assert(kept >= 0 && dup2(file, STDOUT_FILENO) >= 0);
  output.code = dz_cmd_coverage(option ? 2 : 1, (char *[]){name, option, NULL});
  fflush(stdout);
  cr_assert(dup2(kept, STDOUT_FILENO) >= 0 && lseek(file, 0, SEEK_SET) == 0);
  close(kept);
  output.text = fdopen(file, "r");
  cr_assert_not_null(output.text);
  return output;
}

static int number(const json_t *object, const char *key) {
  return (int)json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

/* A call in the list agrees with its row; its disposition is counted. */
static void compare_call(const json_t *call, int counts[DZ_DISPOSITION_COUNT]) {
  const struct dz_syscall *row = dz_syscall_by_name(text(call, "name"));

  cr_assert_not_null(row);
  cr_expect_eq(number(call, "number"), row->number);
  cr_expect_str_eq(text(call, "planned"), dz_disposition_name(row->disposition));
  cr_expect_str_eq(text(call, "disposition"), dz_disposition_name(dz_syscall_disposition(row)));
  cr_expect_eq(json_array_size(json_object_get(call, "arguments")), row->argument_count);
  counts[dz_syscall_disposition(row)]++;
}

Test(coverage, json_lists_every_call_and_its_totals_add_up) {
  char option[] = "--json";
  struct output output = run(option);
  json_t *report = json_loadf(output.text, 0, NULL), *call, *totals;
  int counts[DZ_DISPOSITION_COUNT] = {0}, sum = 0;
  size_t index;

  cr_assert(output.code == 0 && report);
  json_array_foreach(json_object_get(report, "calls"), index, call) compare_call(call, counts);
  totals = json_object_get(report, "totals");
  for (size_t i = 0; i < DZ_DISPOSITION_COUNT; i++) {
    cr_expect_eq(number(totals, dz_disposition_name((enum dz_disposition)i)), counts[i]);
    sum += counts[i];
  }
  cr_expect_eq(sum, 383); /* 0 to 336 and 424 to 469 */
  cr_expect_eq(number(totals, "calls"), 383);
  json_decref(report);
  fclose(output.text);
}

/* Lines that begin like a line of a call. */
static unsigned count_lines(FILE *from, const char *format) {
  char line[1024], name[64];
  unsigned count = 0;
  int at;

  while (fgets(line, sizeof line, from))
    if (sscanf(line, format, &at, name) == 2) {
      const struct dz_syscall *row = dz_syscall_by_number(at);

      count += row && strcmp(row->name, name) == 0;
      cr_expect_neq(line[strlen(line) - 2], ' ', "space at the end: %s", line);
    }
  return count;
}

Test(coverage, text_and_markdown_have_a_line_for_every_call) {
  char option[] = "--markdown";
  struct output plain = run(NULL), markdown = run(option);

  cr_expect_eq(plain.code, 0);
  cr_expect_eq(markdown.code, 0);
  cr_expect_eq(count_lines(plain.text, "%d %63s"), 383);
  cr_expect_eq(count_lines(markdown.text, "| %d | `%63[a-z0-9_]`"), 383);
  fclose(plain.text);
  fclose(markdown.text);
}

Test(coverage, a_wrong_option_is_denizens_own_error) {
  char option[] = "--yaml";
  struct output output = run(option);

  cr_expect_eq(output.code, DZ_EXIT_OWN_ERROR);
  cr_expect_eq(fgetc(output.text), EOF);
  fclose(output.text);
}
