#include "loader/image.h"

#include <string.h>

/* Notes that matter lie in the first page or so; a hostile file may have thousands. */
#define MAX_NOTE_SEGMENTS 8
#define MAX_NOTE_BYTES 4096

static const char *const names[] = {
    [DZ_PERSONALITY_LINUX] = "Linux",     [DZ_PERSONALITY_FREEBSD] = "FreeBSD",
    [DZ_PERSONALITY_NETBSD] = "NetBSD",   [DZ_PERSONALITY_OPENBSD] = "OpenBSD",
    [DZ_PERSONALITY_SOLARIS] = "Solaris", [DZ_PERSONALITY_UNKNOWN] = "unknown",
};

/* Notes of type 1 by name: NT_GNU_ABI_TAG (elf.h), NT_FREEBSD_ABI_TAG (FreeBSD
 * sys/elf_common.h), ELF_NOTE_TYPE_NETBSD_TAG (NetBSD sys/exec_elf.h), ELF_NOTE_TYPE_OSVERSION
 * (OpenBSD sys/exec_elf.h), .note.android.ident (bionic). */
static const struct {
  const char *name;
  enum dz_personality personality;
} notes[] = {
    {"FreeBSD", DZ_PERSONALITY_FREEBSD},
    {"NetBSD", DZ_PERSONALITY_NETBSD},
    {"OpenBSD", DZ_PERSONALITY_OPENBSD},
    {"Android", DZ_PERSONALITY_LINUX},
};

/* First word of a GNU ABI tag's descriptor (ELF_NOTE_OS_…, elf.h). */
static const enum dz_personality gnu_tags[] = {
    [ELF_NOTE_OS_LINUX] = DZ_PERSONALITY_LINUX,
    [ELF_NOTE_OS_GNU] = DZ_PERSONALITY_UNKNOWN,
    [ELF_NOTE_OS_SOLARIS2] = DZ_PERSONALITY_SOLARIS,
    [ELF_NOTE_OS_FREEBSD] = DZ_PERSONALITY_FREEBSD,
};

/* ELFOSABI_NONE (System V) says nothing; ELFOSABI_GNU is what GNU ld writes for Linux
 * programs that use its extensions. */
static const struct {
  uint8_t osabi;
  enum dz_personality personality;
} osabis[] = {
    {ELFOSABI_GNU, DZ_PERSONALITY_LINUX},       {ELFOSABI_FREEBSD, DZ_PERSONALITY_FREEBSD},
    {ELFOSABI_NETBSD, DZ_PERSONALITY_NETBSD},   {ELFOSABI_OPENBSD, DZ_PERSONALITY_OPENBSD},
    {ELFOSABI_SOLARIS, DZ_PERSONALITY_SOLARIS},
};

/* Interpreters as the systems' linkers write them. */
static const struct {
  const char *path;
  enum dz_personality personality;
} interpreters[] = {
    {"/libexec/ld-elf.so.1", DZ_PERSONALITY_FREEBSD},
    {"/usr/libexec/ld-elf.so.1", DZ_PERSONALITY_FREEBSD},
    {"/libexec/ld.elf_so", DZ_PERSONALITY_NETBSD},
    {"/usr/libexec/ld.elf_so", DZ_PERSONALITY_NETBSD},
    {"/usr/libexec/ld.so", DZ_PERSONALITY_OPENBSD},
    {"/lib/amd64/ld.so.1", DZ_PERSONALITY_SOLARIS},
    {"/lib/64/ld.so.1", DZ_PERSONALITY_SOLARIS},
    {"/usr/lib/amd64/ld.so.1", DZ_PERSONALITY_SOLARIS},
    {"/usr/lib/64/ld.so.1", DZ_PERSONALITY_SOLARIS},
};

/* What one note says; UNKNOWN for nothing. name is not terminated. */
static enum dz_personality from_note(const char *name, size_t name_size, const void *descriptor,
                                     size_t size) {
  size_t i;

  if (name_size == sizeof ELF_NOTE_GNU && memcmp(name, ELF_NOTE_GNU, name_size) == 0) {
    uint32_t tag;

    if (size < sizeof tag)
      return DZ_PERSONALITY_UNKNOWN;
    memcpy(&tag, descriptor, sizeof tag);
    return tag < DZ_ARRAY_SIZE(gnu_tags) ? gnu_tags[tag] : DZ_PERSONALITY_UNKNOWN;
  }
  for (i = 0; i < DZ_ARRAY_SIZE(notes); i++)
    if (name_size == strlen(notes[i].name) + 1 && memcmp(name, notes[i].name, name_size) == 0)
      return notes[i].personality;
  return DZ_PERSONALITY_UNKNOWN;
}

static size_t align4(size_t size) {
  return (size + 3) & ~(size_t)3;
}

/* Walk the notes of one segment: name size, descriptor size, type, then both padded to
 * four bytes (elf(5)). Sizes are 32 bits wide, so nothing here wraps. */
static enum dz_personality from_notes(const unsigned char *data, size_t size) {
  size_t at = 0;

  while (size - at >= sizeof(Elf64_Nhdr)) {
    enum dz_personality found;
    size_t name, descriptor;
    Elf64_Nhdr note;

    memcpy(&note, data + at, sizeof note);
    name = at + sizeof note;
    descriptor = name + align4(note.n_namesz);
    if (descriptor + note.n_descsz > size)
      break;
    if (note.n_type == NT_GNU_ABI_TAG) {
      found = from_note((const char *)data + name, note.n_namesz, data + descriptor, note.n_descsz);
      if (found != DZ_PERSONALITY_UNKNOWN)
        return found;
    }
    at = descriptor + align4(note.n_descsz);
    if (at > size)
      break;
  }
  return DZ_PERSONALITY_UNKNOWN;
}

static enum dz_personality from_headers(int fd, const struct dz_file_head *head,
                                        const Elf64_Phdr *headers, size_t count) {
  unsigned char data[MAX_NOTE_BYTES];
  size_t i, segments = 0;

  for (i = 0; i < count && segments < MAX_NOTE_SEGMENTS; i++) {
    size_t size = headers[i].p_filesz < sizeof data ? headers[i].p_filesz : sizeof data;
    enum dz_personality found;

    if (headers[i].p_type != PT_NOTE)
      continue;
    segments++;
    if (dz_head_pread(fd, head, data, size, headers[i].p_offset) < 0)
      continue;
    found = from_notes(data, size);
    if (found != DZ_PERSONALITY_UNKNOWN)
      return found;
  }
  return DZ_PERSONALITY_UNKNOWN;
}

enum dz_personality dz_personality_find(int fd, const struct dz_file_head *head,
                                        const struct dz_image *image, const Elf64_Phdr *headers,
                                        size_t count) {
  enum dz_personality found;
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(osabis); i++)
    if (osabis[i].osabi == image->osabi)
      return osabis[i].personality;
  found = from_headers(fd, head, headers, count);
  if (found != DZ_PERSONALITY_UNKNOWN)
    return found;
  for (i = 0; image->dynamic && i < DZ_ARRAY_SIZE(interpreters); i++)
    if (strcmp(image->interpreter, interpreters[i].path) == 0)
      return interpreters[i].personality;
  return image->osabi == ELFOSABI_NONE ? DZ_PERSONALITY_LINUX : DZ_PERSONALITY_UNKNOWN;
}

const char *dz_personality_name(enum dz_personality personality) {
  return (size_t)personality < DZ_ARRAY_SIZE(names) ? names[personality] : "unknown";
}
