#include "host/calls.h"
#include "testsuites/unit/loader_elf_corpus.h"
#include "testsuites/unit/loader_room.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

static struct loader_room room;

static void set_up(void) {
  loader_room_make(&room, 1 << 30);
}
static void tear_down(void) {
  loader_room_remove(&room);
}

TestSuite(loader_image, .init = set_up, .fini = tear_down);

static int inspect(const struct dz_elf_file *file, struct dz_image *image, struct dz_error *error) {
  int fd DZ_FD = -1;

  loader_room_write(&room, "file", file->bytes, file->size, 0755);
  fd = openat(room.fd, "file", O_RDONLY | O_CLOEXEC);
  return dz_image_inspect(fd, image, error);
}

Test(loader_image, a_distribution_program_is_a_dynamic_linux_program) {
  int fd DZ_FD = open("/bin/true", O_RDONLY | O_CLOEXEC);
  struct dz_image image;

  cr_assert_eq(dz_image_inspect(fd, &image, NULL), 0);
  cr_assert(image.dynamic);
  cr_assert_eq(image.personality, DZ_PERSONALITY_LINUX);
  cr_assert_eq(image.machine, EM_X86_64);
  cr_assert_not(image.set_uid);
  cr_assert_eq(access(image.interpreter, X_OK), 0, "%s", image.interpreter);
}

Test(loader_image, set_uid_and_set_gid_are_told_and_set_gid_needs_group_execution) {
  static const struct {
    mode_t mode;
    bool set_uid, set_gid;
  } modes[] = {{0755, false, false},
               {04755, true, false},
               {02755, false, true},
               {02745, false, false},
               {06711, true, true}};
  struct dz_elf_file program = dz_elf_program(0x400000, NULL);
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(modes); i++) {
    int fd DZ_FD = -1;
    struct dz_image image;

    loader_room_write(&room, "file", program.bytes, program.size, modes[i].mode);
    fd = openat(room.fd, "file", O_RDONLY | O_CLOEXEC);
    cr_assert_eq(dz_image_inspect(fd, &image, NULL), 0);
    cr_expect_eq(image.set_uid, modes[i].set_uid, "%o", modes[i].mode);
    cr_expect_eq(image.set_gid, modes[i].set_gid, "%o", modes[i].mode);
  }
  dz_elf_free(&program);
}

Test(loader_image, programs_of_other_architectures_are_named) {
  static const struct {
    uint16_t machine;
    uint8_t class, order;
    const char *text;
  } rows[] = {
      {EM_386, ELFCLASS32, ELFDATA2LSB, "is an i386 program; denizen runs x86-64"},
      {EM_AARCH64, ELFCLASS64, ELFDATA2LSB, "is an aarch64 program; denizen runs x86-64"},
      {EM_RISCV, ELFCLASS64, ELFDATA2LSB, "is a riscv program; denizen runs x86-64"},
      {EM_S390, ELFCLASS64, ELFDATA2MSB, "is an s390 program; denizen runs x86-64"},
      {EM_X86_64, ELFCLASS32, ELFDATA2LSB, "is an x32 program; denizen runs x86-64"},
      {12345, ELFCLASS64, ELFDATA2LSB, "is a program for ELF machine 12345; denizen runs x86-64"},
  };
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(rows); i++) {
    struct dz_elf_file program = dz_elf_program(0x400000, NULL);
    Elf64_Ehdr *header = (Elf64_Ehdr *)program.bytes;
    bool swapped = rows[i].order == ELFDATA2MSB;
    struct dz_error error = {0};
    struct dz_image image;

    header->e_ident[EI_CLASS] = rows[i].class;
    header->e_ident[EI_DATA] = rows[i].order;
    header->e_machine = swapped ? __builtin_bswap16(rows[i].machine) : rows[i].machine;
    header->e_type = swapped ? __builtin_bswap16(ET_EXEC) : ET_EXEC;
    if (rows[i].class == ELFCLASS32)
      header->e_phentsize = sizeof(Elf32_Phdr);
    cr_expect_eq(inspect(&program, &image, &error), -ENOEXEC);
    cr_expect_str_eq(error.text, rows[i].text);
    dz_elf_free(&program);
  }
}

/* A program with a note of type 1 and a name, the first word of its descriptor, and an
 * OSABI byte. */
static enum dz_personality personality_of(uint8_t osabi, const char *name, uint32_t word,
                                          const char *interpreter) {
  struct dz_elf_file program = dz_elf_program(0x400000, interpreter);
  Elf64_Ehdr *header = (Elf64_Ehdr *)program.bytes;
  Elf64_Phdr *last = (Elf64_Phdr *)(program.bytes + sizeof *header) + header->e_phnum - 1;
  struct dz_image image;

  header->e_ident[EI_OSABI] = osabi;
  if (name) {
    /* A note that says nothing first, then the one that does. */
    Elf64_Nhdr *note = (Elf64_Nhdr *)(program.bytes + 2048);
    uint32_t size = (uint32_t)strlen(name) + 1;

    *note = (Elf64_Nhdr){4, 5, 3};
    memcpy(note + 1, "GNU", 4);
    note = (Elf64_Nhdr *)((char *)note + sizeof *note + 4 + 8);
    *note = (Elf64_Nhdr){size, 16, 1};
    memcpy(note + 1, name, size);
    memcpy((char *)(note + 1) + ((size + 3) & ~3u), &word, sizeof word);
    *last = (Elf64_Phdr){PT_NOTE, PF_R, 2048, 0, 0, 256, 256, 4};
  }
  cr_assert_eq(inspect(&program, &image, NULL), 0);
  dz_elf_free(&program);
  return image.personality;
}

Test(loader_image, the_personality_is_found_by_osabi_notes_and_interpreter) {
  static const struct {
    uint8_t osabi;
    const char *note;
    uint32_t word;
    const char *interpreter;
    enum dz_personality personality;
  } rows[] = {
      {ELFOSABI_NONE, NULL, 0, NULL, DZ_PERSONALITY_LINUX},
      {ELFOSABI_GNU, NULL, 0, NULL, DZ_PERSONALITY_LINUX},
      {ELFOSABI_FREEBSD, NULL, 0, NULL, DZ_PERSONALITY_FREEBSD},
      {ELFOSABI_FREEBSD, "GNU", ELF_NOTE_OS_LINUX, NULL, DZ_PERSONALITY_FREEBSD},
      {ELFOSABI_NETBSD, NULL, 0, NULL, DZ_PERSONALITY_NETBSD},
      {ELFOSABI_OPENBSD, NULL, 0, NULL, DZ_PERSONALITY_OPENBSD},
      {ELFOSABI_SOLARIS, NULL, 0, NULL, DZ_PERSONALITY_SOLARIS},
      {ELFOSABI_AIX, NULL, 0, NULL, DZ_PERSONALITY_UNKNOWN},
      {ELFOSABI_NONE, "FreeBSD", 1400000, NULL, DZ_PERSONALITY_FREEBSD},
      {ELFOSABI_NONE, "NetBSD", 1000000000, NULL, DZ_PERSONALITY_NETBSD},
      {ELFOSABI_NONE, "OpenBSD", 0, NULL, DZ_PERSONALITY_OPENBSD},
      {ELFOSABI_NONE, "Android", 34, "/system/bin/linker64", DZ_PERSONALITY_LINUX},
      {ELFOSABI_NONE, "GNU", ELF_NOTE_OS_LINUX, "/libexec/ld-elf.so.1", DZ_PERSONALITY_LINUX},
      {ELFOSABI_NONE, "GNU", ELF_NOTE_OS_SOLARIS2, NULL, DZ_PERSONALITY_SOLARIS},
      {ELFOSABI_NONE, "GNU", ELF_NOTE_OS_FREEBSD, NULL, DZ_PERSONALITY_FREEBSD},
      {ELFOSABI_NONE, "GNU", 0xffffffff, NULL, DZ_PERSONALITY_LINUX},
      {ELFOSABI_NONE, "Other", 0, NULL, DZ_PERSONALITY_LINUX},
      {ELFOSABI_NONE, NULL, 0, "/libexec/ld-elf.so.1", DZ_PERSONALITY_FREEBSD},
      {ELFOSABI_NONE, NULL, 0, "/usr/libexec/ld.elf_so", DZ_PERSONALITY_NETBSD},
      {ELFOSABI_NONE, NULL, 0, "/usr/libexec/ld.so", DZ_PERSONALITY_OPENBSD},
      {ELFOSABI_NONE, NULL, 0, "/lib/amd64/ld.so.1", DZ_PERSONALITY_SOLARIS},
      {ELFOSABI_NONE, NULL, 0, "/lib64/ld-linux-x86-64.so.2", DZ_PERSONALITY_LINUX},
  };
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(rows); i++)
    cr_expect_eq(personality_of(rows[i].osabi, rows[i].note, rows[i].word, rows[i].interpreter),
                 rows[i].personality, "row %zu", i);
}

Test(loader_image, a_directory_is_no_program) {
  struct dz_image image;

  cr_assert_eq(dz_image_inspect(room.fd, &image, NULL), -EACCES);
}
