#include "host/base.h"

#include <stdio.h>
#include <string.h>

bool dz_debug_enabled;

int dz_fail(struct dz_error *error, int code, const char *format, ...) {
  va_list arguments;

  if (!error || error->code)
    return code;
  error->code = code;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  return code;
}

void dz_debug_init(void) {
  const char *level = getenv("DENIZEN_LOG");

  dz_debug_enabled = level && strcmp(level, "debug") == 0;
}

void dz_debug_print(const char *format, ...) {
  char line[1024];
  va_list arguments;
  int length;

  va_start(arguments, format);
  length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length < 0)
    return;
  if (length > (int)sizeof line - 2)
    length = (int)sizeof line - 2;
  line[length] = '\n';
  dprintf(STDERR_FILENO, "denizen: %.*s", length + 1, line);
}
