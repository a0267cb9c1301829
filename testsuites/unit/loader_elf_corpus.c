#include "testsuites/unit/loader_elf_corpus.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* mov eax, 60; mov edi, 7; syscall: exit_group would do as well. */
static const unsigned char code[] = {0xb8, 60, 0, 0,    0,   0xbf, DZ_ELF_EXIT_STATUS,
                                     0,    0,  0, 0x0f, 0x05};

enum { CODE_AT = 512, INTERPRETER_AT = 1024, FILE_SIZE = 2 * PAGE };

struct field {
  const char *name;
  uint8_t at, width;
};

#define E_FIELD(name)                                                                              \
  { #name, offsetof(Elf64_Ehdr, name), sizeof(((Elf64_Ehdr *)0)->name) }
#define P_FIELD(name)                                                                              \
  { #name, offsetof(Elf64_Phdr, name), sizeof(((Elf64_Phdr *)0)->name) }

static const struct field header_fields[] = {
    {"EI_MAG0", EI_MAG0, 1},
    {"EI_MAG3", EI_MAG3, 1},
    {"EI_CLASS", EI_CLASS, 1},
    {"EI_DATA", EI_DATA, 1},
    {"EI_VERSION", EI_VERSION, 1},
    {"EI_OSABI", EI_OSABI, 1},
    {"EI_ABIVERSION", EI_ABIVERSION, 1},
    E_FIELD(e_type),
    E_FIELD(e_machine),
    E_FIELD(e_version),
    E_FIELD(e_entry),
    E_FIELD(e_phoff),
    E_FIELD(e_shoff),
    E_FIELD(e_flags),
    E_FIELD(e_ehsize),
    E_FIELD(e_phentsize),
    E_FIELD(e_phnum),
    E_FIELD(e_shentsize),
    E_FIELD(e_shnum),
    E_FIELD(e_shstrndx),
};

static const struct field segment_fields[] = {
    P_FIELD(p_type),  P_FIELD(p_flags),  P_FIELD(p_offset), P_FIELD(p_vaddr),
    P_FIELD(p_paddr), P_FIELD(p_filesz), P_FIELD(p_memsz),  P_FIELD(p_align),
};

/* Cut to the field's width. */
static const uint64_t values[] = {
    0,
    1,
    2,
    3,
    PAGE - 1,
    PAGE,
    FILE_SIZE - 1,
    FILE_SIZE,
    FILE_SIZE + 1,
    65536,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x7ffffffff000, /* TASK_SIZE on x86-64 with four levels of page tables */
    0x800000000000,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xfffffffffffff000,
    0xffffffffffffffff,
};

static Elf64_Ehdr *header_of(const struct dz_elf_file *file) {
  return (Elf64_Ehdr *)file->bytes;
}

static Elf64_Phdr *segments_of(const struct dz_elf_file *file) {
  return (Elf64_Phdr *)(file->bytes + sizeof(Elf64_Ehdr));
}

static size_t segment_count(const struct dz_elf_file *file) {
  return header_of(file)->e_phnum;
}

static struct dz_elf_file new_file(size_t size) {
  struct dz_elf_file file = {calloc(1, size), size};

  if (!file.bytes)
    abort();
  return file;
}

struct dz_elf_file dz_elf_program(uint64_t base, const char *interpreter) {
  struct dz_elf_file file = new_file(FILE_SIZE);
  Elf64_Phdr *segment = segments_of(&file);

  *header_of(&file) = (Elf64_Ehdr){
      .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
      .e_type = ET_EXEC,
      .e_machine = EM_X86_64,
      .e_version = EV_CURRENT,
      .e_entry = base + CODE_AT,
      .e_phoff = sizeof(Elf64_Ehdr),
      .e_ehsize = sizeof(Elf64_Ehdr),
      .e_phentsize = sizeof(Elf64_Phdr),
      .e_phnum = interpreter ? 4 : 3,
  };
  if (interpreter) {
    size_t length = strlen(interpreter) + 1;

    if (length > FILE_SIZE - INTERPRETER_AT)
      abort();
    memcpy(file.bytes + INTERPRETER_AT, interpreter, length);
    *segment++ = (Elf64_Phdr){
        PT_INTERP, PF_R, INTERPRETER_AT, base + INTERPRETER_AT, base + INTERPRETER_AT, length,
        length,    1};
  }
  *segment++ = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, base, base, PAGE, PAGE, PAGE};
  *segment++ =
      (Elf64_Phdr){PT_LOAD, PF_R | PF_W, PAGE, base + PAGE, base + PAGE, PAGE, 2 * PAGE, PAGE};
  *segment++ = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
  memcpy(file.bytes + CODE_AT, code, sizeof code);
  return file;
}

static void set(struct dz_elf_file *file, size_t at, size_t width, uint64_t value) {
  memcpy(file->bytes + at, &value, width); /* little-endian, as the machine */
}

static Elf64_Phdr *load(struct dz_elf_file *file, size_t n) {
  Elf64_Phdr *segment = segments_of(file);

  while (segment->p_type != PT_LOAD || n-- > 0)
    segment++;
  return segment;
}

static void overlap(struct dz_elf_file *file) {
  load(file, 1)->p_vaddr = load(file, 0)->p_vaddr;
}

static void reverse_order(struct dz_elf_file *file) {
  Elf64_Phdr first = *load(file, 0), second = *load(file, 1);

  *load(file, 0) = second;
  *load(file, 1) = first;
}

static void wrap(struct dz_elf_file *file) {
  load(file, 1)->p_vaddr = UINT64_MAX - PAGE + 1;
  load(file, 1)->p_memsz = 2 * PAGE;
}

static void huge_memory(struct dz_elf_file *file) {
  load(file, 1)->p_memsz = 1ull << 46;
}

static void huge_both(struct dz_elf_file *file) {
  load(file, 1)->p_filesz = load(file, 1)->p_memsz = UINT64_MAX - PAGE;
}

static void file_over_memory(struct dz_elf_file *file) {
  load(file, 1)->p_memsz = 1;
}

static void no_loads(struct dz_elf_file *file) {
  load(file, 0)->p_type = PT_NULL;
  load(file, 0)->p_type = PT_NULL;
}

static void two_interpreters(struct dz_elf_file *file) {
  Elf64_Phdr *segments = segments_of(file);

  segments[segment_count(file) - 1] = segments[0];
}

static void position_independent(struct dz_elf_file *file) {
  header_of(file)->e_type = ET_DYN;
}

static void no_sections_but_counts(struct dz_elf_file *file) {
  header_of(file)->e_shoff = 1;
  header_of(file)->e_shnum = header_of(file)->e_shstrndx = 0xfff0;
}

static void other_byte_order(struct dz_elf_file *file) {
  header_of(file)->e_ident[EI_DATA] = ELFDATA2MSB;
  header_of(file)->e_type = ET_EXEC << 8;
  header_of(file)->e_machine = EM_S390 << 8;
}

static void aarch64(struct dz_elf_file *file) {
  header_of(file)->e_machine = EM_AARCH64;
}
static void i386(struct dz_elf_file *file) {
  header_of(file)->e_machine = EM_386;
}

static void x32(struct dz_elf_file *file) {
  header_of(file)->e_ident[EI_CLASS] = ELFCLASS32;
  header_of(file)->e_phentsize = sizeof(Elf32_Phdr);
}

/* A table of program headers at the end of the file, all but the first ones PT_NULL. */
static void many_headers(struct dz_elf_file *file, size_t count, size_t present) {
  size_t old = file->size, size = old + present * sizeof(Elf64_Phdr);
  unsigned char *bytes = realloc(file->bytes, size);

  if (!bytes)
    abort();
  file->bytes = bytes;
  file->size = size;
  memset(bytes + old, 0, size - old);
  memcpy(bytes + old, segments_of(file), segment_count(file) * sizeof(Elf64_Phdr));
  header_of(file)->e_phoff = old;
  header_of(file)->e_phnum = (uint16_t)count;
}

static void most_headers(struct dz_elf_file *file) {
  many_headers(file, 1170, 1170);
}
static void too_many_headers(struct dz_elf_file *file) {
  many_headers(file, 1171, 1171);
}
static void headers_beyond_end(struct dz_elf_file *file) {
  many_headers(file, 1170, 1169);
}

static void notes_without_end(struct dz_elf_file *file) {
  Elf64_Phdr *last = &segments_of(file)[segment_count(file) - 1];

  *last = (Elf64_Phdr){PT_NOTE, PF_R, PAGE, 0, 0, PAGE, PAGE, 4};
  memset(file->bytes + PAGE, 0xff, PAGE);
}

static void notes_of_nothing(struct dz_elf_file *file) {
  notes_without_end(file);
  memset(file->bytes + PAGE, 0, PAGE);
}

static const struct {
  const char *name;
  void (*damage)(struct dz_elf_file *file);
} special[] = {
    {"overlapping segments", overlap},
    {"segments in falling order", reverse_order},
    {"a segment that wraps around the address space", wrap},
    {"a segment of 64 TiB", huge_memory},
    {"a segment of all addresses", huge_both},
    {"more of a segment in the file than in memory", file_over_memory},
    {"no PT_LOAD", no_loads},
    {"the first segment twice", two_interpreters},
    {"type ET_DYN", position_independent},
    {"absurd section counts", no_sections_but_counts},
    {"the other byte order", other_byte_order},
    {"machine aarch64", aarch64},
    {"machine i386", i386},
    {"x32", x32},
    {"1170 program headers", most_headers},
    {"1171 program headers", too_many_headers},
    {"program headers beyond the end", headers_beyond_end},
    {"notes without an end", notes_without_end},
    {"notes of nothing", notes_of_nothing},
};

/* Cuts: before each field, and some around the end of the code and the first page. */
static const uint16_t cuts[] = {
    CODE_AT,  CODE_AT + 5, INTERPRETER_AT, INTERPRETER_AT + 1, INTERPRETER_AT + 3,
    PAGE - 1, PAGE,        PAGE + 1};

static size_t field_total(const struct dz_elf_file *program) {
  return COUNT(header_fields) + segment_count(program) * COUNT(segment_fields);
}

/* Field number n: where it is, and its name. */
static struct field nth_field(size_t n, size_t *at, size_t *segment) {
  struct field field;

  *segment = 0;
  if (n < COUNT(header_fields)) {
    *at = header_fields[n].at;
    return header_fields[n];
  }
  n -= COUNT(header_fields);
  *segment = n / COUNT(segment_fields);
  field = segment_fields[n % COUNT(segment_fields)];
  *at = sizeof(Elf64_Ehdr) + *segment * sizeof(Elf64_Phdr) + field.at;
  return field;
}

size_t dz_elf_damage_count(const struct dz_elf_file *program) {
  return COUNT(special) + COUNT(cuts) + field_total(program) * (2 + COUNT(values));
}

static void damage_field(struct dz_elf_file *file, size_t n, char name[96]) {
  size_t at, segment, what = n % (2 + COUNT(values));
  struct field field = nth_field(n / (2 + COUNT(values)), &at, &segment);

  if (what < 2) {
    file->size = at + (what == 0 ? 0 : field.width);
    snprintf(name, 96, "cut %s %s of segment %zu", what == 0 ? "before" : "after", field.name,
             segment);
    return;
  }
  set(file, at, field.width, values[what - 2]);
  snprintf(name, 96, "%s of segment %zu is %#llx", field.name, segment,
           (unsigned long long)values[what - 2]);
}

struct dz_elf_file dz_elf_damaged(const struct dz_elf_file *program, size_t n, char name[96]) {
  struct dz_elf_file file = new_file(program->size);

  memcpy(file.bytes, program->bytes, program->size);
  if (n < COUNT(special)) {
    special[n].damage(&file);
    snprintf(name, 96, "%s", special[n].name);
    return file;
  }
  n -= COUNT(special);
  if (n < COUNT(cuts)) {
    file.size = cuts[n];
    snprintf(name, 96, "cut after %zu bytes", file.size);
    return file;
  }
  damage_field(&file, n - COUNT(cuts), name);
  return file;
}

void dz_elf_free(struct dz_elf_file *file) {
  free(file->bytes);
  *file = (struct dz_elf_file){0};
}
