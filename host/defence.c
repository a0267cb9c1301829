#include "host/defence.h"

#ifdef DZ_WEAKENED

#include <string.h>

#define CALL "call:"

/* Is prefix + name one of the names in the variable? */
static bool is_off(const char *prefix, const char *name) {
  const char *at = getenv("DENIZEN_WITHOUT");
  size_t prefix_length = strlen(prefix), length = strlen(name);

  while (at && *at) {
    size_t part = strcspn(at, ",");

    if (part == prefix_length + length && memcmp(at, prefix, prefix_length) == 0 &&
        memcmp(at + prefix_length, name, length) == 0)
      return true;
    at += part;
    at += *at == ',';
  }
  return false;
}

bool dz_defence(const char *name) {
  return !is_off("", name);
}

bool dz_defence_of_call(const char *call) {
  return !is_off(CALL, call);
}

#endif
