/*
 * A generator of broken ELF files: two small programs that run, and a numbered
 * series of damages to each. Nothing is random: case n is the same everywhere.
 *
 * Damages: the file cut at every header field's start and end, every header field
 * set to each of a list of absurd values, and some that take several fields
 * (overlapping, wrapped and huge segments, too many program headers, other machines).
 */
#ifndef DZ_TESTSUITES_UNIT_LOADER_ELF_CORPUS_H
#define DZ_TESTSUITES_UNIT_LOADER_ELF_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the small programs' code does: exit with this status. */
#define DZ_ELF_EXIT_STATUS 7

struct dz_elf_file {
  unsigned char *bytes; /* malloc'ed */
  size_t size;
};

/* A program at the fixed address base (page aligned) that exits at once. With an
 * interpreter it has a PT_INTERP, and the kernel starts that instead. */
struct dz_elf_file dz_elf_program(uint64_t base, const char *interpreter);

/* How many damages there are for a program; count them once. */
size_t dz_elf_damage_count(const struct dz_elf_file *program);

/* Apply damage number n to a copy of program; what it is goes to name. */
struct dz_elf_file dz_elf_damaged(const struct dz_elf_file *program, size_t n, char name[96]);

void dz_elf_free(struct dz_elf_file *file);

#endif
