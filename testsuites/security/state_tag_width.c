/*
 * The kernel looks at 32 bits of a resource's number: a filter that compares 64 lets it pass with
 * garbage in the upper half. In an earlier draft socket(AF_UNIX | 1 << 32) passed so.
 *
 * without: width
 */
#include "testsuites/security/tag.h"

static void attack(void) {
  static const long garbage[] = {1L << 32, 1L << 63, 0x7fffffffL << 32, -(1L << 32)};

  for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
    tag_try("setrlimit", SET_LIMIT, 0, garbage[i]);
    tag_try("prlimit of 0", SET_BY_NUMBER, 0, garbage[i]);
    tag_try("prlimit of itself", SET_BY_NUMBER, 1, garbage[i]);
  }
}
