#include "testsuites/unit/loader_elf_corpus.h"
#include "testsuites/unit/loader_room.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

static struct loader_room room;
static char *const arguments[] = {"zeroth", NULL};

static void set_up(void) {
  loader_room_make(&room, 1 << 30);
}
static void tear_down(void) {
  loader_room_remove(&room);
}

/* Thousands of programs are executed. */
TestSuite(loader_corpus, .init = set_up, .fini = tear_down, .timeout = 300);

/* The kernel executes a program of another system and lets it fail; denizen does not. */
static void expect_foreign(void) {
  struct loader_outcome outcome;
  struct dz_error error = {0};

  loader_plan_execute(&room, "./program", arguments, &outcome, &error);
  cr_expect_eq(outcome.error, -ENOEXEC);
}

/* Where a segment reaches beyond the last page of the file natively nothing is mapped, in
 * a patched copy one page more is (loader/copy.h): these may end otherwise. */
static bool reaches_beyond_end(const struct dz_elf_file *file) {
  const Elf64_Phdr *segment = (const Elf64_Phdr *)(file->bytes + sizeof(Elf64_Ehdr));
  uint64_t end = (file->size + 4095) & ~4095ull;
  size_t i;

  if (file->size < sizeof(Elf64_Ehdr) + 4 * sizeof *segment)
    return false;
  for (i = 0; i < 4; i++)
    if (segment[i].p_type == PT_LOAD &&
        (segment[i].p_offset > end || segment[i].p_filesz > end - segment[i].p_offset))
      return true;
  return false;
}

static void compare_all(const struct dz_elf_file *program, const char *name, const char *what) {
  size_t i, count = dz_elf_damage_count(program);
  bool is_program = strcmp(name, "program") == 0;
  char label[160], damage[96];

  loader_room_write(&room, name, program->bytes, program->size, 0755);
  loader_compare(&room, "undamaged", "./program", arguments);
  for (i = 0; i < count; i++) {
    struct dz_elf_file file = dz_elf_damaged(program, i, damage);

    snprintf(label, sizeof label, "%s: %s", what, damage);
    loader_room_write(&room, name, file.bytes, file.size, 0755);
    if (is_program && file.size > EI_OSABI && file.bytes[EI_OSABI] == ELFOSABI_NETBSD)
      expect_foreign();
    else if (strcmp(what, "dynamic") == 0 && reaches_beyond_end(&file))
      loader_compare_errors(&room, label, "./program", arguments);
    else
      loader_compare(&room, label, "./program", arguments);
    dz_elf_free(&file);
  }
}

Test(loader_corpus, broken_static_programs_end_as_they_do_natively) {
  struct dz_elf_file program = dz_elf_program(0x400000, NULL);

  compare_all(&program, "program", "static");
  dz_elf_free(&program);
}

Test(loader_corpus, broken_dynamic_programs_end_as_they_do_natively) {
  struct dz_elf_file program = dz_elf_program(0x400000, "./interpreter");
  struct dz_elf_file interpreter = dz_elf_program(0x10000000, NULL);

  loader_room_write(&room, "interpreter", interpreter.bytes, interpreter.size, 0755);
  compare_all(&program, "program", "dynamic");
  dz_elf_free(&program);
  dz_elf_free(&interpreter);
}

Test(loader_corpus, programs_with_broken_interpreters_end_as_they_do_natively) {
  struct dz_elf_file program = dz_elf_program(0x400000, "./interpreter");
  struct dz_elf_file interpreter = dz_elf_program(0x10000000, NULL);

  loader_room_write(&room, "program", program.bytes, program.size, 0755);
  compare_all(&interpreter, "interpreter", "interpreter");
  dz_elf_free(&program);
  dz_elf_free(&interpreter);
}
