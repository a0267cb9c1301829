/*
 * Where denizen writes the name for the kernel: into room behind the program's own memory
 * (loader/image.h). The memory is the guest's own, so it can be looked at and overwritten by its
 * other threads.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "testsuites/security/attack.h"

#define SCRATCH_LONGEST (1 << 20)

extern char end[]; /* end(3) */

static char *scratch_start;
static size_t scratch_size;

/* Can the page be read? Asked of a call that the kernel answers. */
static bool scratch_is_mapped(int fd, const char *page) {
  return write(fd, page, 1) == 1;
}

ATTACK_UNUSED static void scratch_find(void) {
  int pair[2];
  char *at = (char *)(((uintptr_t)end + 4095) & ~(uintptr_t)4095), byte;

  if (pipe(pair))
    return;
  scratch_start = at;
  while (at < scratch_start + SCRATCH_LONGEST && scratch_is_mapped(pair[1], at)) {
    (void)!read(pair[0], &byte, 1);
    at += 4096;
  }
  scratch_size = (size_t)(at - scratch_start);
  close(pair[0]);
  close(pair[1]);
  got("%zu bytes behind the program", scratch_size);
}

/* Overwrite each name that appears ("n/NUMBER/NAME") for ever. */
ATTACK_UNUSED static void scratch_overwrite(const char *name) {
  size_t length = strlen(name) + 1;

  for (;;)
    for (size_t at = 0; at + 8 < scratch_size; at += 8) {
      volatile char *there = scratch_start + at;

      if (there[0] == 'n' && there[1] == '/')
        memcpy((char *)there, name, length);
      if (at > 4096)
        break;
    }
}

#endif
