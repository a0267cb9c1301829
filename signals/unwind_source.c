/* The child's way to bytes: it asks its parent, and remembers blocks. */
#include "signals/unwind.h"

#include <string.h>
#include <sys/socket.h>

void dz_unwind_tell(struct dz_unwinder *unwinder, const struct dz_unwind_message *message) {
  if (send(unwinder->socket, message, sizeof *message, MSG_NOSIGNAL) != sizeof *message)
    _exit(1); /* the parent has given up */
}

uint32_t dz_unwind_fetch(struct dz_unwinder *unwinder, int32_t space, uint64_t offset,
                         uint32_t size) {
  struct dz_unwind_message message = {
      .kind = DZ_UNWIND_READ, .space = space, .offset = offset, .size = size};
  ssize_t got;

  dz_unwind_tell(unwinder, &message);
  got = recv(unwinder->socket, &unwinder->answer, sizeof unwinder->answer, 0);
  if (got < (ssize_t)offsetof(struct dz_unwind_bytes, bytes))
    _exit(1);
  return unwinder->answer.size;
}

static const struct dz_unwind_block *block_of(struct dz_unwinder *unwinder, int32_t space,
                                              uint64_t start) {
  uint64_t mixed = (start / DZ_UNWIND_BLOCK) ^ ((uint64_t)(uint32_t)space * 31);
  struct dz_unwind_block *block = &unwinder->blocks[mixed % DZ_UNWIND_BLOCKS];

  if (block->used && block->space == space && block->start == start)
    return block;
  block->size = dz_unwind_fetch(unwinder, space, start, DZ_UNWIND_BLOCK);
  memcpy(block->bytes, unwinder->answer.bytes, block->size);
  block->used = true;
  block->space = space;
  block->start = start;
  return block;
}

bool dz_unwind_read(struct dz_unwinder *unwinder, int32_t space, uint64_t offset, void *buffer,
                    size_t size) {
  char *to = buffer;

  if (unwinder->work == 0)
    return false;
  unwinder->work--;
  while (size > 0) {
    uint64_t within = offset % DZ_UNWIND_BLOCK;
    const struct dz_unwind_block *block = block_of(unwinder, space, offset - within);
    size_t piece = DZ_UNWIND_BLOCK - within;

    if (piece > size)
      piece = size;
    if (within + piece > block->size)
      return false;
    memcpy(to, block->bytes + within, piece);
    to += piece;
    offset += piece;
    size -= piece;
  }
  return true;
}
