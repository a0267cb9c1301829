/*
 * The child process that unwinds (backtrace.h), and how it speaks with its parent: by
 * messages on a sequenced-packet socket.
 */
#ifndef DZ_SIGNALS_UNWIND_H
#define DZ_SIGNALS_UNWIND_H

#include "signals/backtrace.h"

/* The largest piece that is read at once. */
enum { DZ_UNWIND_PIECE = 32768 };

enum dz_unwind_kind {
  DZ_UNWIND_READ,   /* wants bytes; the answer is a struct dz_unwind_bytes */
  DZ_UNWIND_FRAME,  /* the next frame was found */
  DZ_UNWIND_SYMBOL, /* what frame `index` is called */
  DZ_UNWIND_DONE,   /* index: enum dz_backtrace_end */
};

/* What bytes are of: DZ_UNWIND_MEMORY, or the file of module n as n. */
enum { DZ_UNWIND_MEMORY = -1 };

/* From the child. */
struct dz_unwind_message {
  uint32_t kind;
  int32_t space;    /* READ; FRAME: its module or -1 */
  uint32_t index;   /* SYMBOL */
  uint32_t size;    /* READ */
  uint64_t offset;  /* READ: where; SYMBOL: from its start */
  uint64_t ip;      /* FRAME */
  uint64_t address; /* SYMBOL */
  char symbol[DZ_SYMBOL_MAX];
};

/* From the parent. */
struct dz_unwind_bytes {
  uint32_t size; /* what could be read; less than was asked for at an end, 0 for nothing */
  char bytes[DZ_UNWIND_PIECE];
};

/* ---- in the child ---- */

enum { DZ_UNWIND_BLOCK = 4096, DZ_UNWIND_BLOCKS = 64 };

struct dz_unwind_block {
  bool used;
  int32_t space;
  uint64_t start;
  uint32_t size;
  char bytes[DZ_UNWIND_BLOCK];
};

/* A module's image in memory, as its headers there describe it. */
struct dz_image {
  bool known; /* looked at */
  bool is_elf;
  uint64_t bias;     /* what to add to its own addresses */
  uint64_t eh_table; /* .eh_frame_hdr in memory, or 0 */
};

struct dz_unwinder {
  int socket;
  const struct dz_backtrace_source *source;
  unsigned work; /* reads that are still allowed: ends loops in hostile tables */
  struct user_regs_struct registers; /* of the frame that libunwind begins with */
  uint32_t known;                    /* bits by UNW_X86_64_*: which of them are known */
  struct dz_image *images;           /* one for each module */
  struct {
    uint64_t base, entry; /* a table of one row that eh_frame was searched for */
  } found;
  struct dz_frame frames[DZ_FRAMES_MAX];
  size_t count;
  struct dz_unwind_block blocks[DZ_UNWIND_BLOCKS];
  struct dz_unwind_bytes answer;
};

/* Up to size bytes (at most DZ_UNWIND_PIECE) directly; they lie in unwinder->answer. */
uint32_t dz_unwind_fetch(struct dz_unwinder *unwinder, int32_t space, uint64_t offset,
                         uint32_t size);

/* Exactly size bytes through the cache. */
bool dz_unwind_read(struct dz_unwinder *unwinder, int32_t space, uint64_t offset, void *buffer,
                    size_t size);
void dz_unwind_tell(struct dz_unwinder *unwinder, const struct dz_unwind_message *message);

/* The image that a module is (unwind_image.c). */
const struct dz_image *dz_unwind_image(struct dz_unwinder *unwinder, unsigned module);

/* Where the section of this name is in the module's file: its address and size there. */
bool dz_unwind_section(struct dz_unwinder *unwinder, unsigned module, const char *name,
                       uint64_t *address, uint64_t *size);

/* The frame description entry for an address by a search of all (unwind_frames.c): for programs
 * without a sorted table, as static ones are. 0 when there is none. */
uint64_t dz_unwind_search(struct dz_unwinder *unwinder, unsigned module, uint64_t ip);

/* For a function without tables: where on the stack, from `stack` upwards, its return address lies,
 * known by the call before it, which leads to where the function is (unwind_calls.c). */
bool dz_unwind_find_return(struct dz_unwinder *unwinder, uint64_t ip, uint64_t stack,
                           uint64_t *slot);

/* Tell the names of all frames (unwind_symbols.c). */
void dz_unwind_symbols(struct dz_unwinder *unwinder);

/* Unwind, tell, end. The unwinder is made before the fork. */
void dz_unwind_run(struct dz_unwinder *unwinder) __attribute__((noreturn));

#endif
