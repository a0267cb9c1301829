/*
 * denizen coverage: the table of system calls, each with what this program does
 * with it. A call whose handler is not part of this program is unsupported here,
 * whatever the table plans for it.
 */
#include "cli/commands.h"
#include "cli/options.h"
#include "syscalls/table.h"

#include <jansson.h>
#include <string.h>

struct coverage_options {
  bool help;
  bool json;
  bool markdown;
};

static const struct dz_option rows[] = {
    {0, "json", NULL, DZ_OPTION_FLAG, offsetof(struct coverage_options, json),
     "print one JSON object instead of text"},
    {0, "markdown", NULL, DZ_OPTION_FLAG, offsetof(struct coverage_options, markdown),
     "print a table in Markdown instead of text"},
    {'h', "help", NULL, DZ_OPTION_FLAG, offsetof(struct coverage_options, help), "print this help"},
};

static const struct dz_option_table table = {rows, DZ_ARRAY_SIZE(rows), 0};

struct totals {
  size_t of[DZ_DISPOSITION_COUNT];
  size_t calls;
};

static struct totals count(void) {
  struct totals totals = {0};
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row))) {
    totals.of[dz_syscall_disposition(row)]++;
    totals.calls++;
  }
  return totals;
}

/* The errno that some or all uses of the call are answered with, or "". */
static const char *refusal_name(const struct dz_syscall *row) {
  return row->refusal ? strerrorname_np(row->refusal) : "";
}

/* What there is to say of a row besides its disposition. A missing handler comes first: then the
 * rest of the row is a plan. */
static void describe(const struct dz_syscall *row, char *text, size_t size) {
  const char *missing = "";

  if (!dz_syscall_supported(row) && row->disposition != DZ_UNSUPPORTED)
    missing = row->disposition == DZ_CHECKED ? "no handler yet, only the native part works"
                                             : "no handler yet";
  snprintf(text, size, "%s%s%s", missing, *missing && row->partial ? "; " : "",
           row->partial ? row->partial : "");
}

static void print_line(const struct dz_syscall *row) {
  char text[512], line[1024];
  int end;

  describe(row, text, sizeof text);
  end = snprintf(line, sizeof line, "%3d  %-24s%-10s%-12s%-12s%s", row->number, row->name,
                 dz_area_name(row->area), dz_disposition_name(dz_syscall_disposition(row)),
                 refusal_name(row), text);
  while (line[end - 1] == ' ')
    end--;
  printf("%.*s\n", end, line);
}

static void print_text(void) {
  struct totals totals = count();
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row)))
    print_line(row);
  putchar('\n');
  for (size_t i = 0; i < DZ_DISPOSITION_COUNT; i++)
    printf("%5zu %s\n", totals.of[i], dz_disposition_name((enum dz_disposition)i));
  printf("%5zu calls of Linux 6.18 on x86-64\n", totals.calls);
}

static void print_markdown(void) {
  struct totals totals = count();
  const struct dz_syscall *row = NULL;
  char text[512];

  puts("| number | call | area | disposition | errno | notes |\n"
       "| ---: | --- | --- | --- | --- | --- |");
  while ((row = dz_syscall_next(row))) {
    describe(row, text, sizeof text);
    printf("| %d | `%s` | %s | %s | %s | %s |\n", row->number, row->name, dz_area_name(row->area),
           dz_disposition_name(dz_syscall_disposition(row)), refusal_name(row), text);
  }
  puts("\n| disposition | calls |\n| --- | ---: |");
  for (size_t i = 0; i < DZ_DISPOSITION_COUNT; i++)
    printf("| %s | %zu |\n", dz_disposition_name((enum dz_disposition)i), totals.of[i]);
  printf("| all of Linux 6.18 on x86-64 | %zu |\n", totals.calls);
}

static json_t *arguments_json(const struct dz_syscall *row) {
  json_t *arguments = json_array();

  for (unsigned i = 0; i < row->argument_count; i++) {
    const struct dz_argument *argument = &row->arguments[i];

    json_array_append_new(arguments, json_pack("{s:s, s:s, s:s, s:i}", "name", argument->name,
                                               "type", dz_argument_type_name(argument->type),
                                               "detail", argument->detail, "bits",
                                               (int)dz_argument_bits(argument->type)));
  }
  return arguments;
}

static json_t *needs_json(const struct dz_syscall *row) {
  json_t *needs = json_array();

  for (unsigned need = 1; need <= DZ_NEED_ALL; need <<= 1)
    if (row->needs & need)
      json_array_append_new(needs, json_string(dz_need_name((enum dz_need)need)));
  return needs;
}

static json_t *call_json(const struct dz_syscall *row) {
  char text[512];

  describe(row, text, sizeof text);
  return json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:s, s:s}", "number", row->number,
                   "name", row->name, "area", dz_area_name(row->area), "disposition",
                   dz_disposition_name(dz_syscall_disposition(row)), "planned",
                   dz_disposition_name(row->disposition), "arguments", arguments_json(row),
                   "on_signal", dz_on_signal_name(row->on_signal), "needed_for", needs_json(row),
                   "errno", refusal_name(row), "notes", text);
}

/* {"linux", "architecture": text,
 *  "calls": [{"number": number, "name", "area", "disposition", "planned": text,
 *             "arguments": [{"name", "type", "detail": text, "bits": number}],
 *             "on_signal": text, "needed_for": [text], "errno", "notes": text}],
 *  "totals": {disposition: number, ..., "calls": number}} */
static int print_json(void) {
  struct totals totals = count();
  const struct dz_syscall *row = NULL;
  json_t *calls = json_array(), *sums = json_object(), *object;
  int err = 0;

  while (err == 0 && (row = dz_syscall_next(row)))
    err = json_array_append_new(calls, call_json(row));
  for (size_t i = 0; i < DZ_DISPOSITION_COUNT; i++)
    err |= json_object_set_new(sums, dz_disposition_name((enum dz_disposition)i),
                               json_integer((json_int_t)totals.of[i]));
  err |= json_object_set_new(sums, "calls", json_integer((json_int_t)totals.calls));
  object = json_pack("{s:s, s:s, s:o, s:o}", "linux", "6.18", "architecture", "x86-64", "calls",
                     calls, "totals", sums);
  err |= object ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;
  json_decref(object);
  putchar('\n');
  return err ? -ENOMEM : 0;
}

static int print_help(void) {
  puts("Usage: denizen coverage [OPTION...]\n"
       "List every system call of Linux, and who performs it when a guest calls it:\n"
       "  native       the host's kernel, directly\n"
       "  checked      the host's kernel or the supervisor, as the arguments say\n"
       "  emulated     the supervisor\n"
       "  injected     the guest's own thread, once the supervisor has decided\n"
       "  refused      nobody; the errno is given\n"
       "  unsupported  nobody yet; the answer is ENOSYS, and is recorded\n");
  dz_options_print(stdout, &table);
  return 0;
}

int dz_cmd_coverage(int argc, char **argv) {
  struct coverage_options options = {0};
  struct dz_error error = {0};
  int next = dz_options_parse(&table, argc, argv, &options, NULL, &error);

  if (next < 0)
    return dz_complain("coverage", &error);
  if (options.help)
    return print_help();
  if (next < argc)
    dz_fail(&error, -EINVAL, "unexpected argument '%s'; coverage takes options only", argv[next]);
  else if (options.json && options.markdown)
    dz_fail(&error, -EINVAL, "--json and --markdown exclude each other");
  else if (options.json && print_json() < 0)
    dz_fail(&error, -ENOMEM, "out of memory");
  else if (!options.json && options.markdown)
    print_markdown();
  else if (!options.json)
    print_text();
  return error.code ? dz_complain("coverage", &error) : 0;
}
