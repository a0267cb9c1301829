/*
 * Defences by name, for the proof of the attack tests: an attack that fails proves a
 * defence only if it succeeds where that defence is missing.
 *
 * In a normal build every defence is the constant true: nothing can be switched off. In a
 * build with -DDZ_WEAKENED, which is made for testsuites/security/run.sh and never
 * installed, the environment variable DENIZEN_WITHOUT names those that are off,
 * separated by commas. "call:NAME" leaves the system call NAME to the host's kernel.
 */
#ifndef DZ_HOST_DEFENCE_H
#define DZ_HOST_DEFENCE_H

#include "host/base.h"

#ifdef DZ_WEAKENED
bool dz_defence(const char *name);
bool dz_defence_of_call(const char *call);
#else
static inline bool dz_defence(const char *name DZ_UNUSED) {
  return true;
}
static inline bool dz_defence_of_call(const char *call DZ_UNUSED) {
  return true;
}
#endif

#endif
