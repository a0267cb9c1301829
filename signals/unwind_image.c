/* ELF headers: of the image in memory for unwinding, of the file for sections (elf(5)). */
#include "signals/unwind.h"

#include <elf.h>
#include <string.h>

enum { SEGMENTS_MAX = 64, SECTIONS_MAX = 512, SECTION_NAME_MAX = 16 };

static bool read_head(struct dz_unwinder *unwinder, int32_t space, uint64_t offset,
                      Elf64_Ehdr *head) {
  return dz_unwind_read(unwinder, space, offset, head, sizeof *head) &&
         memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 && head->e_ident[EI_CLASS] == ELFCLASS64 &&
         head->e_machine == EM_X86_64;
}

static void read_segments(struct dz_unwinder *unwinder, uint64_t base, const Elf64_Ehdr *head,
                          struct dz_image *image) {
  uint64_t table = 0;
  Elf64_Phdr segment;

  for (unsigned i = 0; i < head->e_phnum && i < SEGMENTS_MAX; i++) {
    if (!dz_unwind_read(unwinder, DZ_UNWIND_MEMORY, base + head->e_phoff + i * sizeof segment,
                        &segment, sizeof segment))
      return;
    if (segment.p_type == PT_LOAD && segment.p_offset == 0) {
      image->is_elf = true;
      image->bias = base - segment.p_vaddr;
    }
    if (segment.p_type == PT_GNU_EH_FRAME)
      table = segment.p_vaddr;
  }
  if (image->is_elf && table)
    image->eh_table = image->bias + table;
}

const struct dz_image *dz_unwind_image(struct dz_unwinder *unwinder, unsigned module) {
  struct dz_image *image = &unwinder->images[module];
  uint64_t base = unwinder->source->modules->modules[module].base;
  Elf64_Ehdr head;

  if (image->known)
    return image;
  image->known = true;
  if (base && read_head(unwinder, DZ_UNWIND_MEMORY, base, &head) &&
      head.e_phentsize == sizeof(Elf64_Phdr))
    read_segments(unwinder, base, &head, image);
  return image;
}

bool dz_unwind_section(struct dz_unwinder *unwinder, unsigned module, const char *name,
                       uint64_t *address, uint64_t *size) {
  char text[SECTION_NAME_MAX] = "";
  Elf64_Shdr names, section;
  Elf64_Ehdr head;
  int32_t space = (int32_t)module;

  if (!read_head(unwinder, space, 0, &head) || head.e_shentsize != sizeof section ||
      !dz_unwind_read(unwinder, space, head.e_shoff + head.e_shstrndx * sizeof names, &names,
                      sizeof names))
    return false;
  for (unsigned i = 0; i < head.e_shnum && i < SECTIONS_MAX; i++) {
    if (!dz_unwind_read(unwinder, space, head.e_shoff + i * sizeof section, &section,
                        sizeof section) ||
        !dz_unwind_read(unwinder, space, names.sh_offset + section.sh_name, text, strlen(name) + 1))
      continue;
    if (memcmp(text, name, strlen(name) + 1) != 0)
      continue;
    *address = section.sh_addr;
    *size = section.sh_size;
    return true;
  }
  return false;
}
