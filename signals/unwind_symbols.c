/*
 * Names of addresses from the symbol tables of the modules' files: .symtab, or where it
 * was stripped .dynsym. A table is read once for all frames of its module.
 */
#include "signals/unwind.h"

#include <elf.h>
#include <string.h>

enum { SYMBOLS_MAX = 1 << 18, SECTIONS_MAX = 512 };

/* The best name so far of each frame. */
struct candidates {
  struct {
    uint64_t start;
    uint32_t name;
    bool known, inside;
  } of[DZ_FRAMES_MAX];
};

static bool find_table(struct dz_unwinder *unwinder, int32_t space, Elf64_Shdr *table,
                       Elf64_Shdr *strings) {
  Elf64_Shdr section;
  Elf64_Ehdr head;

  table->sh_type = SHT_NULL;
  if (!dz_unwind_read(unwinder, space, 0, &head, sizeof head) ||
      memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
      head.e_shentsize != sizeof section)
    return false;
  for (unsigned i = 0; i < head.e_shnum && i < SECTIONS_MAX; i++) {
    if (!dz_unwind_read(unwinder, space, head.e_shoff + i * sizeof section, &section,
                        sizeof section))
      return false;
    if ((section.sh_type == SHT_DYNSYM && table->sh_type == SHT_NULL) ||
        section.sh_type == SHT_SYMTAB)
      *table = section;
  }
  return table->sh_type != SHT_NULL && table->sh_link < head.e_shnum &&
         dz_unwind_read(unwinder, space, head.e_shoff + table->sh_link * sizeof *strings, strings,
                        sizeof *strings);
}

/* A return address may be the first of the next function, when the call never returns. */
static uint64_t looked_up(const struct dz_unwinder *unwinder, size_t frame, uint64_t bias) {
  return unwinder->frames[frame].ip - bias - (frame > 0);
}

static void consider(const struct dz_unwinder *unwinder, struct candidates *candidates, int module,
                     uint64_t bias, const Elf64_Sym *symbol) {
  unsigned type = ELF64_ST_TYPE(symbol->st_info);

  if (symbol->st_shndx == SHN_UNDEF || !symbol->st_name ||
      (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
    return;
  for (size_t i = 0; i < unwinder->count; i++) {
    uint64_t address = looked_up(unwinder, i, bias);
    bool inside = address - symbol->st_value < symbol->st_size;

    if (unwinder->frames[i].module != module || address < symbol->st_value ||
        (!inside && symbol->st_size) || candidates->of[i].inside)
      continue;
    if (inside || !candidates->of[i].known || symbol->st_value > candidates->of[i].start) {
      candidates->of[i].known = true;
      candidates->of[i].inside = inside;
      candidates->of[i].start = symbol->st_value;
      candidates->of[i].name = symbol->st_name;
    }
  }
}

static void scan(struct dz_unwinder *unwinder, struct candidates *candidates, int module,
                 uint64_t bias, const Elf64_Shdr *table) {
  const uint32_t piece = DZ_UNWIND_PIECE / sizeof(Elf64_Sym) * sizeof(Elf64_Sym);
  uint64_t count = table->sh_size / sizeof(Elf64_Sym);

  if (count > SYMBOLS_MAX)
    count = SYMBOLS_MAX;
  for (uint64_t done = 0; done < count;) {
    uint64_t left = (count - done) * sizeof(Elf64_Sym);
    uint32_t got = dz_unwind_fetch(unwinder, module, table->sh_offset + done * sizeof(Elf64_Sym),
                                   left < piece ? (uint32_t)left : piece);
    uint32_t symbols = got / (uint32_t)sizeof(Elf64_Sym);

    if (symbols == 0)
      return;
    for (uint32_t i = 0; i < symbols; i++) {
      Elf64_Sym symbol;

      memcpy(&symbol, unwinder->answer.bytes + i * sizeof symbol, sizeof symbol);
      consider(unwinder, candidates, module, bias, &symbol);
    }
    done += symbols;
  }
}

static void read_name(struct dz_unwinder *unwinder, int32_t space, uint64_t offset,
                      char name[DZ_SYMBOL_MAX]) {
  for (size_t i = 0; i < DZ_SYMBOL_MAX - 1; i++)
    if (!dz_unwind_read(unwinder, space, offset + i, &name[i], 1) || !name[i]) {
      name[i] = '\0';
      return;
    }
  name[DZ_SYMBOL_MAX - 1] = '\0';
}

static void name_frames(struct dz_unwinder *unwinder, int module) {
  const struct dz_image *image = dz_unwind_image(unwinder, (unsigned)module);
  struct candidates candidates = {0};
  Elf64_Shdr table, strings;
  bool has_table = image->is_elf && find_table(unwinder, module, &table, &strings);

  if (has_table)
    scan(unwinder, &candidates, module, image->bias, &table);
  for (size_t i = 0; i < unwinder->count; i++) {
    struct dz_unwind_message message = {.kind = DZ_UNWIND_SYMBOL, .index = (uint32_t)i};

    if (unwinder->frames[i].module != module || !image->is_elf)
      continue;
    message.address = unwinder->frames[i].ip - image->bias;
    if (candidates.of[i].known) {
      message.offset = message.address - candidates.of[i].start;
      read_name(unwinder, module, strings.sh_offset + candidates.of[i].name, message.symbol);
    }
    dz_unwind_tell(unwinder, &message);
  }
}

void dz_unwind_symbols(struct dz_unwinder *unwinder) {
  for (size_t i = 0; i < unwinder->count; i++) {
    int module = unwinder->frames[i].module;
    bool done = module < 0;

    for (size_t earlier = 0; earlier < i; earlier++)
      done |= unwinder->frames[earlier].module == module;
    if (!done)
      name_frames(unwinder, module);
  }
}
