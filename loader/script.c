#include "loader/script.h"

#include <string.h>

/* Positions run from 0 to LAST; NONE is the kernel's NULL. */
enum { LAST = DZ_SCRIPT_BUFFER - 1, NONE = -1 };

static bool blank(unsigned char c) {
  return c == ' ' || c == '\t';
}

static int skip_blanks(const unsigned char *head, int from, int last) {
  for (; from <= last; from++)
    if (!blank(head[from]))
      return from;
  return NONE;
}

static int find_terminator(const unsigned char *head, int from, int last) {
  for (; from <= last; from++)
    if (blank(head[from]) || head[from] == '\0')
      return from;
  return NONE;
}

/* strnchr() of the kernel gives up at a NUL. */
static int find_newline(const unsigned char *head) {
  int at;

  for (at = 0; at <= LAST && head[at] != '\0'; at++)
    if (head[at] == '\n')
      return at;
  return NONE;
}

/* Where the line ends, or NONE when the interpreter's name is missing or may be cut. */
static int find_end(const unsigned char *head) {
  int end = find_newline(head);

  if (end == NONE) {
    int name = skip_blanks(head, 2, LAST);

    if (name == NONE || find_terminator(head, name, LAST) == NONE)
      return NONE;
    end = LAST;
  }
  while (blank(head[end - 1]))
    end--;
  return end;
}

static void copy_text(char *to, const unsigned char *head, int from, int end) {
  size_t length = strnlen((const char *)head + from, (size_t)(end - from));

  memcpy(to, head + from, length);
  to[length] = '\0';
}

int dz_script_parse(const unsigned char head[DZ_SCRIPT_BUFFER], struct dz_script *script) {
  int end, name, separator, argument = NONE;

  if (head[0] != '#' || head[1] != '!')
    return -ENOEXEC;
  end = find_end(head);
  if (end == NONE)
    return -ENOEXEC;
  name = skip_blanks(head, 2, end);
  if (name == NONE || name == end)
    return -ENOEXEC;
  separator = find_terminator(head, name, end);
  if (separator != NONE && head[separator] != '\0')
    argument = skip_blanks(head, separator, end);
  copy_text(script->interpreter, head, name, argument == NONE ? end : separator);
  script->has_argument = argument != NONE;
  script->argument[0] = '\0';
  if (script->has_argument)
    copy_text(script->argument, head, argument, end);
  return 0;
}
