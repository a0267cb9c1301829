/*
 * The soft value of RLIMIT_LOCKS tells the supervisor who a process is. The guest must not set it,
 * by any call, number of its own, or garbage in the upper half of a register. A process whose tag
 * was changed is unknown to the supervisor: its next call ends it.
 *
 * without: call:setrlimit,call:prlimit64
 */
#include "testsuites/security/tag.h"

static void attack(void) {
  tag_try("setrlimit", SET_LIMIT, 0, 0);
  tag_try("prlimit of 0", SET_BY_NUMBER, 0, 0);
  tag_try("prlimit of itself", SET_BY_NUMBER, 1, 0);
  tag_try("prlimit of its thread", SET_BY_NUMBER, 2, 0);
  tag_try("prlimit of its parent", SET_BY_NUMBER, 3, 0);
}
