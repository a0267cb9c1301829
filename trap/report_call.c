/* A call with its arguments as its row describes them. */
#include "trap/report.h"

#include "proc/mem.h"
#include "signals/names.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

enum { STRING_SHOWN = 256, SMALL = 4096 };

static void show_address(uint64_t value, struct dz_note *note) {
  if (value)
    dz_note_print(note, "0x%llx", (unsigned long long)value);
  else
    dz_note_print(note, "NULL");
}

static void show_string(const struct dz_call *call, uint64_t address, struct dz_note *note) {
  char text[STRING_SHOWN];
  ssize_t length = dz_mem_read_string(call->tid, address, text, sizeof text);

  if (!address || (length < 0 && length != -ENAMETOOLONG)) {
    show_address(address, note);
    return;
  }
  dz_note_print(note, "\"");
  dz_note_escaped(note, text, length < 0 ? sizeof text : (size_t)length);
  dz_note_print(note, length < 0 ? "\"..." : "\"");
}

static void show_signed(uint64_t value, struct dz_note *note) {
  dz_note_print(note, "%lld", (long long)value);
}

static void show_int(uint64_t value, struct dz_note *note) {
  dz_note_print(note, "%d", (int)(uint32_t)value);
}

static void show_unsigned(uint64_t value, struct dz_note *note) {
  dz_note_print(note, "%llu", (unsigned long long)value);
}

/* Small ones are numbers, large ones bits or addresses. */
static void show_word(uint64_t value, struct dz_note *note) {
  dz_note_print(note, value < SMALL ? "%llu" : "0x%llx", (unsigned long long)value);
}

static void show_flags(uint64_t value, struct dz_note *note) {
  dz_note_print(note, value ? "0x%llx" : "%llu", (unsigned long long)value);
}

static void show_mode(uint64_t value, struct dz_note *note) {
  dz_note_print(note, value ? "0%llo" : "%llo", (unsigned long long)value);
}

static void show_directory(uint64_t value, struct dz_note *note) {
  if ((int)(uint32_t)value == AT_FDCWD)
    dz_note_print(note, "AT_FDCWD");
  else
    show_int(value, note);
}

static void show_device(uint64_t value, struct dz_note *note) {
  dz_note_print(note, "%u:%u", major(value), minor(value));
}

static void show_signal(uint64_t value, struct dz_note *note) {
  char buffer[DZ_SIGNAL_NAME_MAX];

  dz_note_print(note, "%s", dz_signal_name((int)(uint32_t)value, buffer));
}

/* PATH and STRING are shown apart. */
static void (*const shows[])(uint64_t value, struct dz_note *note) = {
    [DZ_ARG_INT] = show_int,      [DZ_ARG_UINT] = show_unsigned,  [DZ_ARG_LONG] = show_signed,
    [DZ_ARG_ULONG] = show_word,   [DZ_ARG_SIZE] = show_unsigned,  [DZ_ARG_OFFSET] = show_signed,
    [DZ_ARG_FD] = show_int,       [DZ_ARG_LONG_FD] = show_int,    [DZ_ARG_DIRFD] = show_directory,
    [DZ_ARG_PATH] = show_address, [DZ_ARG_STRING] = show_address, [DZ_ARG_IN] = show_address,
    [DZ_ARG_OUT] = show_address,  [DZ_ARG_INOUT] = show_address,  [DZ_ARG_ADDRESS] = show_address,
    [DZ_ARG_COMMAND] = show_word, [DZ_ARG_FLAGS] = show_flags,    [DZ_ARG_LONG_FLAGS] = show_flags,
    [DZ_ARG_MODE] = show_mode,    [DZ_ARG_DEVICE] = show_device,  [DZ_ARG_PID] = show_int,
    [DZ_ARG_UID] = show_int,      [DZ_ARG_GID] = show_int,        [DZ_ARG_SIGNAL] = show_signal,
    [DZ_ARG_CLOCK] = show_int,
};

static void show_argument(const struct dz_call *call, unsigned index, bool may_read,
                          struct dz_note *note) {
  const struct dz_argument *argument = &call->row->arguments[index];
  unsigned bits = dz_argument_bits(argument->type);
  uint64_t value = call->arguments[index];

  if (bits < 64)
    value &= (UINT64_C(1) << bits) - 1;
  dz_note_print(note, "%s%s=", index ? ", " : "", argument->name);
  if (may_read && (argument->type == DZ_ARG_PATH || argument->type == DZ_ARG_STRING))
    show_string(call, value, note);
  else
    shows[argument->type](value, note);
}

void dz_report_call(const struct dz_call *call, bool may_read, struct dz_note *note) {
  if (!call->row) {
    dz_note_print(note, "number %d(", call->number);
    for (unsigned i = 0; i < DZ_ARGUMENTS_MAX; i++)
      dz_note_print(note, "%s0x%llx", i ? ", " : "", (unsigned long long)call->arguments[i]);
    dz_note_print(note, ")");
    return;
  }
  dz_note_print(note, "%s(", call->row->name);
  for (unsigned i = 0; i < call->row->argument_count; i++)
    show_argument(call, i, may_read, note);
  dz_note_print(note, ")");
}
