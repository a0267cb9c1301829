#include "signals/note.h"

#include <stdio.h>
#include <string.h>

void dz_note_print(struct dz_note *note, const char *format, ...) {
  size_t room = note->size - note->length;
  va_list arguments;
  int length;

  va_start(arguments, format);
  length = vsnprintf(note->text + note->length, room, format, arguments);
  va_end(arguments);
  if (length > 0)
    note->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void add_escaped(struct dz_note *note, unsigned char byte) {
  static const struct {
    char byte, letter;
  } letters[] = {{'\n', 'n'}, {'\t', 't'}, {'\r', 'r'}, {'"', '"'}, {'\\', '\\'}};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(letters); i++)
    if (byte == (unsigned char)letters[i].byte) {
      dz_note_print(note, "\\%c", letters[i].letter);
      return;
    }
  if (byte >= ' ' && byte <= '~')
    dz_note_print(note, "%c", byte);
  else
    dz_note_print(note, "\\%03o", (unsigned)byte);
}

void dz_note_escaped(struct dz_note *note, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    add_escaped(note, (unsigned char)bytes[i]);
}

void dz_note_result(struct dz_note *note, int64_t result) {
  const char *name = result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;

  if (name)
    dz_note_print(note, "-1 %s (%s)", name, strerrordesc_np((int)-result));
  else
    dz_note_print(note, "%lld", (long long)result);
}
