/*
 * The search of .eh_frame for the entry of an address. Layout: Linux Standard Base
 * Core 5.0, 10.6.1, "The .eh_frame section"; pointer encodings: 10.5.1.
 */
#include "signals/unwind.h"

#include <string.h>

enum { FRAME_BYTES_MAX = 8 << 20, AUGMENTATION_MAX = 8 };

/* DW_EH_PE_*: low four bits the format, the next three what it is relative to. */
enum { PE_ABSPTR = 0x00, PE_UDATA4 = 0x03, PE_UDATA8 = 0x04, PE_SDATA4 = 0x0b, PE_SDATA8 = 0x0c };
enum { PE_FORMAT = 0x0f, PE_RELATIVE = 0x70, PE_PCREL = 0x10, PE_OMIT = 0xff };

struct reader {
  struct dz_unwinder *unwinder;
  uint64_t at;
  bool failed;
};

static uint64_t take(struct reader *reader, unsigned size) {
  uint64_t value = 0;

  if (!dz_unwind_read(reader->unwinder, DZ_UNWIND_MEMORY, reader->at, &value, size))
    reader->failed = true;
  reader->at += size;
  return value;
}

static void skip_leb128(struct reader *reader) {
  while ((take(reader, 1) & 0x80) && !reader->failed)
    continue;
}

static unsigned width_of(unsigned encoding) {
  switch (encoding & PE_FORMAT) {
  case PE_ABSPTR:
  case PE_UDATA8:
  case PE_SDATA8:
    return 8;
  case PE_UDATA4:
  case PE_SDATA4:
    return 4;
  default:
    return 0;
  }
}

static uint64_t take_encoded(struct reader *reader, unsigned encoding) {
  unsigned width = width_of(encoding);
  uint64_t place = reader->at, value;

  if (width == 0) {
    reader->failed = true;
    return 0;
  }
  value = take(reader, width);
  if ((encoding & PE_FORMAT) == PE_SDATA4)
    value = (uint64_t)(int64_t)(int32_t)(uint32_t)value;
  return (encoding & PE_RELATIVE) == PE_PCREL ? place + value : value;
}

/* How the entries of a common information entry write addresses. */
static unsigned encoding_of(struct dz_unwinder *unwinder, uint64_t cie) {
  struct reader reader = {.unwinder = unwinder, .at = cie + 8};
  char augmentation[AUGMENTATION_MAX];
  unsigned version = (unsigned)take(&reader, 1), length = 0;

  while (length < AUGMENTATION_MAX && (augmentation[length] = (char)take(&reader, 1)))
    length++;
  if (reader.failed || length == AUGMENTATION_MAX)
    return PE_OMIT;
  if (augmentation[0] != 'z')
    return length ? PE_OMIT : PE_ABSPTR;
  skip_leb128(&reader); /* code alignment */
  skip_leb128(&reader); /* data alignment */
  if (version == 1)
    take(&reader, 1);
  else
    skip_leb128(&reader); /* return address register */
  skip_leb128(&reader);   /* length of the augmentation data */
  for (unsigned i = 1; i < length && !reader.failed; i++)
    switch (augmentation[i]) {
    case 'R':
      return (unsigned)take(&reader, 1);
    case 'P':
      take_encoded(&reader, (unsigned)take(&reader, 1));
      break;
    case 'L':
      take(&reader, 1);
      break;
    default:
      break;
    }
  return reader.failed ? PE_OMIT : PE_ABSPTR;
}

/* Entries of one object file follow their common information entry: that is remembered. */
struct search {
  uint64_t ip;
  uint64_t cie;
  unsigned encoding;
};

static bool covers(struct dz_unwinder *unwinder, struct search *search, struct reader entry,
                   uint32_t to_cie) {
  uint64_t cie = entry.at - 4 - to_cie, start, length;

  if (cie != search->cie) {
    search->cie = cie;
    search->encoding = encoding_of(unwinder, cie);
  }
  if (search->encoding == PE_OMIT)
    return false;
  start = take_encoded(&entry, search->encoding);
  length = take_encoded(&entry, search->encoding & PE_FORMAT);
  return !entry.failed && search->ip - start < length;
}

uint64_t dz_unwind_search(struct dz_unwinder *unwinder, unsigned module, uint64_t ip) {
  const struct dz_image *image = dz_unwind_image(unwinder, module);
  struct search search = {.ip = ip};
  struct reader reader = {.unwinder = unwinder};
  uint64_t size, end;

  if (!dz_unwind_section(unwinder, module, ".eh_frame", &reader.at, &size) ||
      size > FRAME_BYTES_MAX)
    return 0;
  reader.at += image->bias;
  end = reader.at + size;
  while (reader.at < end) {
    uint64_t start = reader.at;
    uint32_t length = (uint32_t)take(&reader, 4);
    uint32_t id = (uint32_t)take(&reader, 4);

    /* 0 ends it, 0xffffffff begins an entry of 64 bits, which nobody makes. */
    if (reader.failed || length < 4 || length == UINT32_MAX)
      return 0;
    if (id != 0 && covers(unwinder, &search, reader, id))
      return start;
    reader.at = start + 4 + length;
  }
  return 0;
}
