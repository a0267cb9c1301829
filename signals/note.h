/*
 * A note for people in a buffer of fixed size: what does not fit is left out, and
 * nothing that a guest chose reaches a terminal as it is.
 */
#ifndef DZ_SIGNALS_NOTE_H
#define DZ_SIGNALS_NOTE_H

#include "host/base.h"

struct dz_note {
  char *text; /* NUL-terminated */
  size_t size;
  size_t length;
};

/* A note in the array `buffer`. */
#define DZ_NOTE(buffer) ((struct dz_note){.text = (buffer), .size = sizeof(buffer)})

void dz_note_print(struct dz_note *note, const char *format, ...) DZ_PRINTF(2, 3);

/* Bytes of a guest's: printable ASCII as it is, the rest (and quotes and backslashes) as C escapes,
 * octal ones of three digits. */
void dz_note_escaped(struct dz_note *note, const char *bytes, size_t length);

/* "-1 ENOSYS (Function not implemented)", or the value. */
void dz_note_result(struct dz_note *note, int64_t result);

#endif
