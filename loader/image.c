#include "loader/image.h"

#include <byteswap.h>
#include <string.h>
#include <sys/stat.h>

/* load_elf_phdrs(): "their total size" may not be over 64 KiB. */
#define MAX_HEADERS (65536 / sizeof(Elf64_Phdr))

#define ADDRESS_MAX (UINT64_C(1) << 46)
#define ROOM_ALIGN 4096
#define ROOM_SIZE 16384

/* Names for messages, after the ELF gABI's machine numbers (elf.h). */
static const struct {
  uint16_t machine;
  const char *name;
} machines[] = {
    {EM_386, "an i386"},           {EM_ARM, "an arm"},
    {EM_AARCH64, "an aarch64"},    {EM_RISCV, "a riscv"},
    {EM_PPC, "a powerpc"},         {EM_PPC64, "a powerpc64"},
    {EM_S390, "an s390"},          {EM_MIPS, "a mips"},
    {EM_SPARC, "a sparc"},         {EM_SPARCV9, "a sparc64"},
    {EM_LOONGARCH, "a loongarch"}, {EM_IA_64, "an ia64"},
    {EM_ALPHA, "an alpha"},        {EM_SH, "a superh"},
    {EM_68K, "an m68k"},           {EM_BPF, "a bpf"},
    {EM_PARISC, "a parisc"},
};

static const char *machine_name(uint16_t machine) {
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(machines); i++)
    if (machines[i].machine == machine)
      return machines[i].name;
  return NULL;
}

static int wrong_machine(const Elf64_Ehdr *header, struct dz_error *error) {
  bool big_endian = header->e_ident[EI_DATA] == ELFDATA2MSB;
  uint16_t machine = big_endian ? bswap_16(header->e_machine) : header->e_machine;
  const char *name = machine_name(machine);

  if (name)
    return dz_fail(error, -ENOEXEC, "is %s program; denizen runs x86-64", name);
  return dz_fail(error, -ENOEXEC, "is a program for ELF machine %u; denizen runs x86-64",
                 (unsigned)machine);
}

static bool has_magic(const Elf64_Ehdr *header) {
  return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0;
}

/* The checks of load_elf_binary() up to the program headers. EI_CLASS is not among
 * them: an x32 program fails by the size of its program headers. */
static int check_header(const Elf64_Ehdr *header, struct dz_error *error) {
  if (!has_magic(header))
    return dz_fail(error, -ENOEXEC, "is neither an ELF program nor a script with \"#!\"");
  if (header->e_type == bswap_16(ET_EXEC) || header->e_type == bswap_16(ET_DYN))
    return wrong_machine(header, error);
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
    return dz_fail(error, -ENOEXEC, "is an ELF file of type %u, not a program", header->e_type);
  if (header->e_machine != EM_X86_64)
    return wrong_machine(header, error);
  if (header->e_phentsize == sizeof(Elf32_Phdr) && header->e_ident[EI_CLASS] == ELFCLASS32)
    return dz_fail(error, -ENOEXEC, "is an x32 program; denizen runs x86-64");
  return 0;
}

/* load_elf_phdrs(): read the program headers. *headers is malloc'ed. Its errors all
 * become the caller's own in the kernel, even -EIO and -ENOMEM. */
static int read_headers(int fd, const struct dz_file_head *head, const Elf64_Ehdr *header,
                        Elf64_Phdr **headers) {
  size_t size = sizeof(Elf64_Phdr) * header->e_phnum;
  Elf64_Phdr *read DZ_FREE = NULL;

  *headers = NULL;
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum < 1 ||
      header->e_phnum > MAX_HEADERS)
    return -ENOEXEC;
  read = malloc(size);
  if (!read || dz_head_pread(fd, head, read, size, header->e_phoff) < 0)
    return -ENOEXEC;
  *headers = read;
  read = NULL;
  return 0;
}

static int read_interpreter(int fd, const struct dz_file_head *head, const Elf64_Phdr *phdr,
                            struct dz_image *image, struct dz_error *error) {
  int result;

  if (phdr->p_filesz > PATH_MAX || phdr->p_filesz < 2)
    return dz_fail(error, -ENOEXEC, "names its interpreter by a string of %llu bytes",
                   (unsigned long long)phdr->p_filesz);
  result = dz_head_pread(fd, head, image->interpreter, phdr->p_filesz, phdr->p_offset);
  if (result < 0)
    return dz_fail(error, result, "is cut off: its interpreter's name lies outside the file");
  if (image->interpreter[phdr->p_filesz - 1] != '\0')
    return dz_fail(error, -ENOEXEC, "names its interpreter by a string without an end");
  return 0;
}

/* Where room can be made: behind the last segment, when it is writable, is the highest, and stands
 * in an ordinary file. brk begins behind it, as it does behind any bss. */
static void find_room(const Elf64_Ehdr *header, const Elf64_Phdr *headers, struct dz_image *image) {
  const Elf64_Phdr *last = NULL;
  uint64_t end = 0;
  size_t i;

  for (i = 0; i < header->e_phnum; i++) {
    const Elf64_Phdr *phdr = &headers[i];

    if (phdr->p_type != PT_LOAD)
      continue;
    if (phdr->p_vaddr > ADDRESS_MAX || phdr->p_memsz > ADDRESS_MAX ||
        phdr->p_memsz < phdr->p_filesz || phdr->p_vaddr + phdr->p_memsz < end)
      return;
    last = phdr;
    end = phdr->p_vaddr + phdr->p_memsz;
  }
  if (!last || (last->p_flags & (PF_R | PF_W)) != (PF_R | PF_W) || !last->p_memsz ||
      header->e_phoff < sizeof *header)
    return;
  image->room_phdr_offset = header->e_phoff + (uint64_t)(last - headers) * sizeof *last;
  image->room_address = (end + ROOM_ALIGN - 1) & ~(uint64_t)(ROOM_ALIGN - 1);
  image->room_size = ROOM_SIZE;
  image->room_memsz = image->room_address + ROOM_SIZE - last->p_vaddr;
}

int dz_image_from_head(int fd, const struct dz_file_head *head, struct dz_image *image,
                       struct dz_error *error) {
  Elf64_Phdr *headers DZ_FREE = NULL;
  Elf64_Ehdr header;
  size_t i;
  int result;

  memset(image, 0, offsetof(struct dz_image, interpreter) + 1);
  memcpy(&header, head->bytes, sizeof header);
  result = check_header(&header, error);
  if (result < 0)
    return result;
  image->class = header.e_ident[EI_CLASS];
  image->osabi = header.e_ident[EI_OSABI];
  image->type = header.e_type;
  image->machine = header.e_machine;
  image->entry = header.e_entry;
  image->set_uid = head->mode & S_ISUID;
  image->set_gid = (head->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  result = read_headers(fd, head, &header, &headers);
  if (result < 0)
    return dz_fail(error, result, "has unusable program headers");
  for (i = 0; i < header.e_phnum && !image->dynamic; i++) {
    if (headers[i].p_type != PT_INTERP)
      continue;
    result = read_interpreter(fd, head, &headers[i], image, error);
    if (result < 0)
      return result;
    image->dynamic = true;
    image->interpreter_phdr_offset = header.e_phoff + i * sizeof headers[i];
  }
  find_room(&header, headers, image);
  image->personality = dz_personality_find(fd, head, image, headers, header.e_phnum);
  return 0;
}

int dz_image_inspect(int fd, struct dz_image *image, struct dz_error *error) {
  struct dz_file_head head;
  int result = dz_head_read(fd, &head);

  if (result < 0)
    return dz_fail(error, result, "cannot be read: %s", strerror(-result));
  return dz_image_from_head(fd, &head, image, error);
}

int dz_image_check_interpreter(int fd, const struct dz_file_head *head, struct dz_error *error) {
  Elf64_Phdr *headers DZ_FREE = NULL;
  Elf64_Ehdr header;

  if (head->length < sizeof header)
    return dz_fail(error, -EIO, "is too short for an ELF interpreter");
  memcpy(&header, head->bytes, sizeof header);
  if (!has_magic(&header))
    return dz_fail(error, -ELIBBAD, "is not an ELF file");
  if (header.e_machine != EM_X86_64) {
    wrong_machine(&header, error);
    if (error)
      error->code = -ELIBBAD;
    return -ELIBBAD;
  }
  if (read_headers(fd, head, &header, &headers) < 0)
    return dz_fail(error, -ELIBBAD, "has unusable program headers");
  return 0;
}
