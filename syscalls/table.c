#include "syscalls/table.h"

#include <string.h>

/* A handler is linked or it is not: the table asks for none. */
#define WEAK_NATIVE(name)
#define WEAK_REFUSED(name)
#define WEAK_UNSUPPORTED(name)
#define WEAK_CHECKED(name) __attribute__((weak)) dz_handler dz_sys_##name;
#define WEAK_EMULATED(name) WEAK_CHECKED(name)
#define WEAK_INJECTED(name) WEAK_CHECKED(name)
#define CALL(number, name, area, disposition, ...) WEAK_##disposition(name)
#include "syscalls/linux_x86_64.def"
#undef CALL

#define HANDLER_NATIVE(name)
#define HANDLER_REFUSED(name)
#define HANDLER_UNSUPPORTED(name)
#define HANDLER_CHECKED(name) .handler = dz_sys_##name, .rule = &dz_rule_##name,
#define HANDLER_EMULATED(name) .handler = dz_sys_##name,
#define HANDLER_INJECTED(name) .handler = dz_sys_##name,

#define NOTHING
#define ARG(type_, name_, ...) {DZ_ARG_##type_, #name_, "" #__VA_ARGS__},
#define COUNT_ARGUMENTS(...) DZ_ARRAY_SIZE(((const struct dz_argument[]){__VA_ARGS__}))

#define ERRNO(errno_) .refusal = errno_
#define NEEDED_FOR(needs_) .needs = (needs_)
#define ON_SIGNAL(class_) .on_signal = DZ_SIGNAL_##class_
#define PARTIAL(text) .partial = text

/* By number: a number that is given twice does not compile (-Woverride-init). */
#define CALL(number_, name_, area_, disposition_, arguments_, ...)                                 \
  [number_] = {.number = number_,                                                                  \
               .name = #name_,                                                                     \
               .area = DZ_AREA_##area_,                                                            \
               .disposition = DZ_##disposition_,                                                   \
               HANDLER_##disposition_(name_).arguments = {arguments_},                             \
               .argument_count = COUNT_ARGUMENTS(arguments_),                                      \
               __VA_ARGS__},
static const struct dz_syscall rows[] = {
#include "syscalls/linux_x86_64.def"
};

const struct dz_syscall *dz_syscall_by_number(int64_t number) {
  if (number < 0 || number >= (int64_t)DZ_ARRAY_SIZE(rows) || !rows[number].name)
    return NULL;
  return &rows[number];
}

const struct dz_syscall *dz_syscall_next(const struct dz_syscall *row) {
  for (row = row ? row + 1 : rows; row < rows + DZ_ARRAY_SIZE(rows); row++)
    if (row->name)
      return row;
  return NULL;
}

const struct dz_syscall *dz_syscall_by_name(const char *name) {
  const struct dz_syscall *row = NULL;

  while ((row = dz_syscall_next(row)))
    if (strcmp(row->name, name) == 0)
      return row;
  return NULL;
}

bool dz_syscall_supported(const struct dz_syscall *row) {
  switch (row->disposition) {
  case DZ_NATIVE:
  case DZ_REFUSED:
    return true;
  case DZ_CHECKED:
    return row->handler || row->refusal;
  case DZ_EMULATED:
  case DZ_INJECTED:
    return row->handler;
  default:
    return false;
  }
}

enum dz_disposition dz_syscall_disposition(const struct dz_syscall *row) {
  return dz_syscall_supported(row) ? row->disposition : DZ_UNSUPPORTED;
}

int dz_syscall_argument(const struct dz_syscall *row, const char *name) {
  for (unsigned i = 0; i < row->argument_count; i++)
    if (strcmp(row->arguments[i].name, name) == 0)
      return (int)i;
  return -1;
}

unsigned dz_argument_bits(enum dz_argument_type type) {
#define BITS_OF(name, bits) [DZ_ARG_##name] = (bits),
  static const uint8_t bits_of[] = {DZ_ARGUMENT_TYPES(BITS_OF)};

  return bits_of[type];
}

#define NAME_OF(name, ...) #name,

const char *dz_area_name(enum dz_area area) {
  static const char *const names[] = {DZ_AREAS(NAME_OF)};

  return names[area];
}

const char *dz_disposition_name(enum dz_disposition disposition) {
  static const char *const names[] = {
      [DZ_NATIVE] = "native",     [DZ_CHECKED] = "checked", [DZ_EMULATED] = "emulated",
      [DZ_INJECTED] = "injected", [DZ_REFUSED] = "refused", [DZ_UNSUPPORTED] = "unsupported",
  };

  return names[disposition];
}

const char *dz_argument_type_name(enum dz_argument_type type) {
  static const char *const names[] = {DZ_ARGUMENT_TYPES(NAME_OF)};

  return names[type];
}

const char *dz_on_signal_name(enum dz_on_signal on_signal) {
  static const char *const names[] = {DZ_ON_SIGNAL(NAME_OF)};

  return names[on_signal];
}

const char *dz_need_name(enum dz_need need) {
  switch (need) {
  case DZ_NEED_OWNER_VIEW:
    return "owner-view";
  case DZ_NEED_MERGED_DIRS:
    return "merged-dirs";
  case DZ_NEED_GUARD:
    return "guard";
  case DZ_NEED_IDENTITY:
    return "identity";
  default:
    return "several";
  }
}
