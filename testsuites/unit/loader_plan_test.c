#include "testsuites/unit/loader_elf_corpus.h"
#include "testsuites/unit/loader_room.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static struct loader_room room;
static char *const arguments[] = {"zeroth", "first", NULL};

static void write_program(const char *name, uint64_t base, const char *interpreter, mode_t mode) {
  struct dz_elf_file program = dz_elf_program(base, interpreter);

  loader_room_write(&room, name, program.bytes, program.size, mode);
  dz_elf_free(&program);
}

static void set_up(void) {
  loader_room_make(&room, 1 << 30);
  write_program("interpreter", 0x10000000, NULL, 0755);
  write_program("static", 0x400000, NULL, 0755);
  write_program("dynamic", 0x400000, "./interpreter", 0755);
  loader_room_write(&room, "script", "#!./dynamic -x\n", 15, 0755);
}

static void tear_down(void) {
  loader_room_remove(&room);
}

TestSuite(loader_plan, .init = set_up, .fini = tear_down);

static int make(const char *path, struct dz_plan *plan, int *fd, struct dz_error *error) {
  *fd = openat(room.fd, path, O_RDONLY | O_CLOEXEC);
  cr_assert_geq(*fd, 0);
  return dz_plan_make(&room.source, *fd, path, plan, error);
}

Test(loader_plan, a_static_program_is_executed_as_it_is) {
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  int fd DZ_FD = -1;

  cr_assert_eq(make("./static", &plan, &fd, NULL), 0);
  cr_assert_eq(plan.kind, DZ_PLAN_ORIGINAL);
  cr_assert_eq(plan.program, fd);
  cr_assert_eq(plan.interpreter, -1);
  cr_assert_eq(plan.prefix_count, 0);
  cr_assert_str_eq(plan.program_path, "./static");
}

Test(loader_plan, a_script_leads_to_its_interpreters_program_with_the_arguments_in_front) {
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  int fd DZ_FD = -1;

  cr_assert_eq(make("./script", &plan, &fd, NULL), 0);
  cr_assert_eq(plan.kind, DZ_PLAN_PATCHED);
  cr_assert_neq(plan.program, fd);
  cr_assert_geq(plan.interpreter, 0);
  cr_assert_eq(plan.prefix_count, 3);
  cr_assert_str_eq(plan.prefix[0], "./dynamic");
  cr_assert_str_eq(plan.prefix[1], "-x");
  cr_assert_str_eq(plan.prefix[2], "./script");
  cr_assert_str_eq(plan.program_path, "./dynamic");
  cr_assert_str_eq(plan.image.interpreter, "./interpreter");
}

Test(loader_plan, a_released_plan_leaves_no_descriptor_open_and_can_be_released_again) {
  struct dz_plan plan;
  int fd DZ_FD = -1, before = dup(0), after;

  close(before);
  cr_assert_eq(make("./script", &plan, &fd, NULL), 0);
  dz_plan_release(&plan);
  dz_plan_release(&plan);
  close(dz_steal_fd(&fd));
  after = dup(0);
  close(after);
  cr_assert_eq(before, after);
}

Test(loader_plan, what_cannot_be_executed_fails_as_natively) {
  static const char *const interpreters[] = {
      "./missing", "./unexecutable", ".", "./static/below", "./script", "./empty",    "./short",
      "./text",    "./loop",         "",  "./interpreter/", "./static", "./i-script",
  };
  size_t i;
  char what[64];

  write_program("unexecutable", 0x400000, NULL, 0644);
  loader_room_write(&room, "empty", "", 0, 0755);
  loader_room_write(&room, "short", ELFMAG, SELFMAG, 0755);
  loader_room_write(&room, "i-script", "#!./static                                             \n",
                    56, 0755);
  loader_room_write(&room, "text",
                    "a text that is longer than the 64 bytes of an ELF header, for sure\n", 67,
                    0755);
  cr_assert_eq(symlinkat("loop", room.fd, "loop"), 0);
  for (i = 0; i < DZ_ARRAY_SIZE(interpreters); i++) {
    snprintf(what, sizeof what, "interpreter \"%s\"", interpreters[i]);
    write_program("program", 0x400000, interpreters[i], 0755);
    loader_compare(&room, what, "./program", arguments);
    if (interpreters[i][0] != '\0')
      loader_compare(&room, interpreters[i], interpreters[i], arguments);
  }
}

Test(loader_plan, a_missing_interpreter_is_named) {
  struct loader_outcome outcome;
  struct dz_error error = {0};

  write_program("program", 0x400000, "/lib64/ld-none.so.2", 0755);
  loader_plan_execute(&room, "./program", arguments, &outcome, &error);
  cr_assert_eq(outcome.error, -ENOENT);
  cr_assert_str_eq(error.text, "/lib64/ld-none.so.2, the interpreter of ./program, does not exist "
                               "in the root filesystem");
}

Test(loader_plan, a_file_that_is_open_for_writing_is_ETXTBSY_anywhere_in_the_chain) {
  static const char *const files[] = {"script", "dynamic", "interpreter"};
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    int writer DZ_FD = openat(room.fd, files[i], O_WRONLY | O_CLOEXEC);

    if (writer < 0) /* root apart, 0755 files of ours can be written */
      cr_assert_fail("%s: %s", files[i], strerror(errno));
    loader_compare(&room, files[i], "./script", arguments);
  }
  loader_compare(&room, "nobody writes", "./script", arguments);
}

Test(loader_plan, a_text_that_is_open_for_writing_is_ETXTBSY_rather_than_ENOEXEC) {
  int writer DZ_FD = -1;

  loader_room_write(&room, "text", "text", 4, 0755);
  writer = openat(room.fd, "text", O_WRONLY | O_CLOEXEC);
  cr_assert_geq(writer, 0);
  loader_compare(&room, "text", "./text", arguments);
}

Test(loader_plan, the_lease_that_looks_for_writers_is_gone_afterwards) {
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  int fd DZ_FD = -1, writer DZ_FD = -1;

  cr_assert_eq(make("./static", &plan, &fd, NULL), 0);
  writer = openat(room.fd, "static", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  cr_assert_geq(writer, 0, "%s", strerror(errno));
}

Test(loader_plan, a_program_of_another_system_is_foreign) {
  struct dz_elf_file program = dz_elf_program(0x400000, "/libexec/ld-elf.so.1");
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  struct dz_error error = {0};
  int fd DZ_FD = -1;

  loader_room_write(&room, "program", program.bytes, program.size, 0755);
  dz_elf_free(&program);
  cr_assert_eq(make("./program", &plan, &fd, &error), -ENOEXEC);
  cr_assert_eq(plan.kind, DZ_PLAN_FOREIGN);
  cr_assert_eq(plan.image.personality, DZ_PERSONALITY_FREEBSD);
  cr_assert_str_eq(error.text, "./program is a FreeBSD program: this personality is not supported "
                               "yet");
}

static int would_block(void *context, const char *path, int *fd) {
  (void)path;
  *(int *)context += 1;
  *fd = -1;
  return -EAGAIN;
}

Test(loader_plan, an_open_that_would_block_passes_through_without_an_error_text) {
  static const char *const paths[] = {"script", "dynamic"};
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(paths); i++) {
    struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
    int fd DZ_FD = openat(room.fd, paths[i], O_RDONLY | O_CLOEXEC), calls = 0;
    struct dz_program_source source = {would_block, &calls};
    struct dz_error error = {0};

    cr_expect_eq(dz_plan_make(&source, fd, paths[i], &plan, &error), -EAGAIN);
    cr_expect_eq(error.code, 0);
    cr_expect_eq(calls, 1);
  }
}
