/*
 * Functions without unwind tables, as all of musl's: their return address is looked for on the
 * stack. A number that lies there by chance is told from it by the instruction before the place
 * that it names: a call that leads, directly or through a linkage table, to where the function is.
 * Encodings: Intel SDM volume 2, CALL, JMP, ENDBR64.
 */
#include "signals/unwind.h"

#include <string.h>

enum { SLOTS_MAX = 512, FUNCTION_MAX = 4096 };

static bool read_memory(struct dz_unwinder *unwinder, uint64_t address, void *data, size_t size) {
  return dz_unwind_read(unwinder, DZ_UNWIND_MEMORY, address, data, size);
}

/* What 32 bits relative to the end of their instruction mean. */
static uint64_t relative(uint64_t after, const uint8_t *bytes) {
  int32_t distance;

  memcpy(&distance, bytes, sizeof distance);
  return after + (uint64_t)(int64_t)distance;
}

/* A linkage table's entry is [endbr64] [bnd] jmp *slot(%rip). */
static uint64_t through_table(struct dz_unwinder *unwinder, uint64_t target) {
  static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa}, bnd[] = {0xf2}, jump[] = {0xff, 0x25};
  uint8_t bytes[16];
  size_t at = 0;
  uint64_t function;

  if (!read_memory(unwinder, target, bytes, sizeof bytes))
    return target;
  if (memcmp(bytes, endbr64, sizeof endbr64) == 0)
    at += sizeof endbr64;
  if (memcmp(bytes + at, bnd, sizeof bnd) == 0)
    at += sizeof bnd;
  if (memcmp(bytes + at, jump, sizeof jump) != 0)
    return target;
  at += sizeof jump + 4;
  return read_memory(unwinder, relative(target + at, bytes + at - 4), &function, sizeof function)
             ? function
             : target;
}

/* Where the call before a return address leads, or 0. */
static uint64_t called_before(struct dz_unwinder *unwinder, uint64_t after) {
  uint8_t bytes[6];
  uint64_t function;

  if (!read_memory(unwinder, after - sizeof bytes, bytes, sizeof bytes))
    return 0;
  if (bytes[0] == 0xff && bytes[1] == 0x15) /* call *slot(%rip) */
    return read_memory(unwinder, relative(after, bytes + 2), &function, sizeof function) ? function
                                                                                         : 0;
  if (bytes[1] == 0xe8) /* call function */
    return through_table(unwinder, relative(after, bytes + 2));
  return 0;
}

bool dz_unwind_find_return(struct dz_unwinder *unwinder, uint64_t ip, uint64_t stack,
                           uint64_t *slot) {
  for (unsigned i = 0; i < SLOTS_MAX; i++) {
    uint64_t address, function;

    *slot = stack + i * sizeof address;
    if (!read_memory(unwinder, *slot, &address, sizeof address))
      return false;
    if (!dz_modules_find(unwinder->source->modules, address))
      continue;
    function = called_before(unwinder, address);
    if (function && ip - function < FUNCTION_MAX)
      return true;
  }
  return false;
}
