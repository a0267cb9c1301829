/*
 * What every room stands on: results, errors with context, and resources that
 * are freed by scope.
 *
 * Functions return a value or a negative errno, as the kernel does. Functions
 * that a person's command ends in also fill a struct dz_error; only cli/ prints.
 */
#ifndef DZ_HOST_BASE_H
#define DZ_HOST_BASE_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define DZ_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define DZ_PRINTF(string, first) __attribute__((format(printf, string, first)))
#define DZ_UNUSED __attribute__((unused))

/* Run cleanup(&variable) when the variable's scope ends. */
#define DZ_CLEANUP(function) __attribute__((cleanup(function)))

/* Errno values that the kernel keeps to itself (include/linux/errno.h); a
 * supervisor may answer them and the kernel restarts the call. */
#define DZ_ERESTARTSYS 512
#define DZ_ERESTARTNOINTR 513

/* Exit codes of the command denizen, as docker and podman use them. */
enum dz_exit {
  DZ_EXIT_OWN_ERROR = 125,
  DZ_EXIT_CANNOT_EXECUTE = 126,
  DZ_EXIT_NOT_FOUND = 127,
  DZ_EXIT_SIGNAL_BASE = 128,
};

/* An error for people: what failed, on what, why, what to do next. */
struct dz_error {
  int code;       /* negative errno, 0 when nothing failed */
  int exit_code;  /* one of enum dz_exit, 0 to let the caller choose */
  char text[768]; /* one line, no newline */
};

/* Fill error (which may be NULL) and return code, a negative errno. The first
 * failure wins: an error that is already filled is not overwritten. */
int dz_fail(struct dz_error *error, int code, const char *format, ...) DZ_PRINTF(3, 4);

/* Close a descriptor when its variable's scope ends; -1 means none. */
static inline void dz_close_scope(int *fd) {
  if (*fd >= 0)
    close(*fd);
}
#define DZ_FD DZ_CLEANUP(dz_close_scope)

/* Take a descriptor out of a DZ_FD variable. */
static inline int dz_steal_fd(int *fd) {
  int taken = *fd;
  *fd = -1;
  return taken;
}

static inline void dz_free_scope(void *pointer) {
  free(*(void **)pointer);
}
#define DZ_FREE DZ_CLEANUP(dz_free_scope)

/* -errno of the call that just failed, or its value. */
static inline long dz_result(long value) {
  return value < 0 ? -errno : value;
}

/* Log to standard error when DENIZEN_LOG=debug; costs a branch otherwise. */
extern bool dz_debug_enabled;
void dz_debug_init(void);
void dz_debug_print(const char *format, ...) DZ_PRINTF(1, 2);
#define dz_debug(...)                                                                              \
  do {                                                                                             \
    if (dz_debug_enabled)                                                                          \
      dz_debug_print(__VA_ARGS__);                                                                 \
  } while (0)

#endif
