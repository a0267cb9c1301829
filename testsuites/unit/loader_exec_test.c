#include "host/calls.h"
#include "testsuites/unit/loader_room.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static struct loader_room room;

/* Prints what the program finds as its interpreter's name in memory, and whether the
 * dynamic linker works (a library, thread-local storage, a relocated pointer). */
static const char source[] =
    "#define _GNU_SOURCE\n"
    "#include <elf.h>\n"
    "#include <link.h>\n"
    "#include <stdio.h>\n"
    "#include <string.h>\n"
    "#include <sys/auxv.h>\n"
    "static __thread int local = 3;\n"
    "static const char *volatile pointer = \"pointer\";\n"
    "static int look(struct dl_phdr_info *info, size_t size, void *data) {\n"
    "  for (int i = 0; i < info->dlpi_phnum; i++)\n"
    "    if (info->dlpi_phdr[i].p_type == PT_INTERP)\n"
    "      printf(\"%s\", (char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);\n"
    "  return 1;\n"
    "}\n"
    "int main(int argc, char **argv) {\n"
    "  FILE *out = freopen(argv[1], \"w\", stdout);\n"
    "  if (!out || local != 3 || strcmp(pointer, \"pointer\") || !getauxval(AT_PHDR))\n"
    "    return 1;\n"
    "  dl_iterate_phdr(look, NULL);\n"
    "  return fclose(out) ? 2 : 42;\n"
    "}\n";

static void set_up(void) {
  loader_room_make(&room, 1 << 30);
  loader_room_write(&room, "program.c", source, sizeof source - 1, 0644);
}

static void tear_down(void) {
  loader_room_remove(&room);
}

TestSuite(loader_exec, .init = set_up, .fini = tear_down, .timeout = 120);

/* Compile program.c, execute it by a plan; its interpreter's name in memory must be
 * interpreter, or none when that is NULL. */
static void try(const char *compiler, const char *flags, const char *interpreter) {
  char command[256], output[128], found[256] = "", *const arguments[] = {"program", output, NULL};
  struct loader_outcome outcome;
  struct dz_error error = {0};

  snprintf(command, sizeof command, "command -v %s", compiler);
  if (loader_shell(&room, command) != 0) {
    cr_skip("skipped: there is no %s", compiler);
    return;
  }
  snprintf(command, sizeof command, "%s -w %s -o program program.c", compiler, flags);
  cr_assert_eq(loader_shell(&room, command), 0, "%s", command);
  snprintf(output, sizeof output, "%s/found", room.path);
  loader_plan_execute(&room, "program", arguments, &outcome, &error);
  cr_assert_eq(outcome.error, 0, "%s", error.text);
  cr_assert(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 42, "%#x", outcome.status);
  cr_assert_geq(dz_read_file_at(room.fd, "found", found, sizeof found), 0);
  cr_assert_str_eq(found, interpreter ? interpreter : "");
}

Test(loader_exec, glibc_position_independent) {
  try("gcc", "-pie -fPIE", "/lib64/ld-linux-x86-64.so.2");
}
Test(loader_exec, glibc_at_a_fixed_address) {
  try("gcc", "-no-pie", "/lib64/ld-linux-x86-64.so.2");
}
Test(loader_exec, glibc_static) {
  try("gcc", "-static", NULL);
}
Test(loader_exec, glibc_static_position_independent) {
  try("gcc", "-static-pie", NULL);
}
Test(loader_exec, musl_dynamic) {
  try("musl-gcc", "", "/lib/ld-musl-x86_64.so.1");
}
Test(loader_exec, musl_at_a_fixed_address) {
  try("musl-gcc", "-no-pie", "/lib/ld-musl-x86_64.so.1");
}
Test(loader_exec, musl_static) {
  try("musl-gcc", "-static", NULL);
}

Test(loader_exec, programs_of_the_host_end_as_they_do_natively) {
  static const char *const programs[] = {"/bin/true", "/bin/false", "/bin/sh", "/usr/bin/env",
                                         "/bin/ls"};
  char *const arguments[] = {"zeroth", NULL};
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(programs); i++)
    if (access(programs[i], X_OK) == 0)
      loader_compare(&room, programs[i], programs[i], arguments);
}

Test(loader_exec, a_script_of_the_hosts_shell_gets_its_arguments) {
  static const char script[] = "#!/bin/sh -e\n[ \"$1 $2\" = \"a b c\" ] && exit 9\n";
  char path[128], *const arguments[] = {"replaced", "a b", "c", NULL};
  struct loader_outcome outcome;

  loader_room_write(&room, "script", script, sizeof script - 1, 0755);
  snprintf(path, sizeof path, "%s/script", room.path);
  loader_compare(&room, "script", path, arguments);
  loader_plan_execute(&room, path, arguments, &outcome, NULL);
  cr_assert_eq(outcome.error, 0);
  cr_assert_eq(WEXITSTATUS(outcome.status), 9);
  cr_assert_str_eq(outcome.comm, "script\n");
}

Test(loader_exec, the_dynamic_linker_can_be_executed_itself) {
  char *const arguments[] = {"ld.so", "--verify", "/bin/true", NULL};

  if (access("/lib64/ld-linux-x86-64.so.2", X_OK) < 0) {
    cr_skip("skipped: there is no glibc");
    return;
  }
  loader_compare(&room, "ld.so", "/lib64/ld-linux-x86-64.so.2", arguments);
}
