/*
 * Printing what a call answered, so that it reads like a trace:
 *
 *   ok(mkdir("d", 0755));          prints  mkdir("d", 0755) = 0
 *   fails(rmdir("f"), ENOTDIR);    prints  rmdir("f") = -1 ENOTDIR
 *
 * ok, is and fails also state what must come out, and mark the case as failed otherwise; show
 * only prints; must prints nothing unless the call fails, and then ends the case.
 */
#ifndef GUEST_SHOW_H
#define GUEST_SHOW_H

#include "testsuites/guest/guest.h"

struct guest_name {
  int number;
  const char *name;
};

static inline const char *guest_find(const struct guest_name *table, size_t count, int number) {
  for (size_t i = 0; i < count; i++)
    if (table[i].number == number)
      return table[i].name;
  return "?";
}

#define GUEST_NAME(symbol)                                                                         \
  { symbol, #symbol }

static inline const char *errno_name(int number) {
  static const struct guest_name names[] = {GUEST_NAME(EPERM),
                                            GUEST_NAME(ENOENT),
                                            GUEST_NAME(ESRCH),
                                            GUEST_NAME(EINTR),
                                            GUEST_NAME(EIO),
                                            GUEST_NAME(ENXIO),
                                            GUEST_NAME(E2BIG),
                                            GUEST_NAME(ENOEXEC),
                                            GUEST_NAME(EBADF),
                                            GUEST_NAME(ECHILD),
                                            GUEST_NAME(EAGAIN),
                                            GUEST_NAME(ENOMEM),
                                            GUEST_NAME(EACCES),
                                            GUEST_NAME(EFAULT),
                                            GUEST_NAME(ENOTBLK),
                                            GUEST_NAME(EBUSY),
                                            GUEST_NAME(EEXIST),
                                            GUEST_NAME(EXDEV),
                                            GUEST_NAME(ENODEV),
                                            GUEST_NAME(ENOTDIR),
                                            GUEST_NAME(EISDIR),
                                            GUEST_NAME(EINVAL),
                                            GUEST_NAME(ENFILE),
                                            GUEST_NAME(EMFILE),
                                            GUEST_NAME(ENOTTY),
                                            GUEST_NAME(ETXTBSY),
                                            GUEST_NAME(EFBIG),
                                            GUEST_NAME(ENOSPC),
                                            GUEST_NAME(ESPIPE),
                                            GUEST_NAME(EROFS),
                                            GUEST_NAME(EMLINK),
                                            GUEST_NAME(EPIPE),
                                            GUEST_NAME(EDOM),
                                            GUEST_NAME(ERANGE),
                                            GUEST_NAME(EDEADLK),
                                            GUEST_NAME(ENAMETOOLONG),
                                            GUEST_NAME(ENOLCK),
                                            GUEST_NAME(ENOSYS),
                                            GUEST_NAME(ENOTEMPTY),
                                            GUEST_NAME(ELOOP),
                                            GUEST_NAME(ENODATA),
                                            GUEST_NAME(EOVERFLOW),
                                            GUEST_NAME(EILSEQ),
                                            GUEST_NAME(ENOTSOCK),
                                            GUEST_NAME(EDESTADDRREQ),
                                            GUEST_NAME(EMSGSIZE),
                                            GUEST_NAME(EPROTOTYPE),
                                            GUEST_NAME(ENOPROTOOPT),
                                            GUEST_NAME(EOPNOTSUPP),
                                            GUEST_NAME(EAFNOSUPPORT),
                                            GUEST_NAME(EADDRINUSE),
                                            GUEST_NAME(EADDRNOTAVAIL),
                                            GUEST_NAME(ENETUNREACH),
                                            GUEST_NAME(ECONNABORTED),
                                            GUEST_NAME(ECONNRESET),
                                            GUEST_NAME(EISCONN),
                                            GUEST_NAME(ENOTCONN),
                                            GUEST_NAME(ETIMEDOUT),
                                            GUEST_NAME(ECONNREFUSED),
                                            GUEST_NAME(EALREADY),
                                            GUEST_NAME(EINPROGRESS),
                                            GUEST_NAME(ESTALE),
                                            GUEST_NAME(EDQUOT),
                                            GUEST_NAME(ECANCELED),
                                            GUEST_NAME(EOWNERDEAD),
                                            GUEST_NAME(ENOTRECOVERABLE),
                                            GUEST_NAME(EPROTONOSUPPORT),
                                            GUEST_NAME(ESOCKTNOSUPPORT)};

  return guest_find(names, sizeof(names) / sizeof(*names), number);
}

static inline const char *signal_name(int number) {
  static const struct guest_name names[] = {
      GUEST_NAME(SIGHUP),  GUEST_NAME(SIGINT),  GUEST_NAME(SIGQUIT), GUEST_NAME(SIGILL),
      GUEST_NAME(SIGTRAP), GUEST_NAME(SIGABRT), GUEST_NAME(SIGBUS),  GUEST_NAME(SIGFPE),
      GUEST_NAME(SIGKILL), GUEST_NAME(SIGUSR1), GUEST_NAME(SIGSEGV), GUEST_NAME(SIGUSR2),
      GUEST_NAME(SIGPIPE), GUEST_NAME(SIGALRM), GUEST_NAME(SIGTERM), GUEST_NAME(SIGCHLD),
      GUEST_NAME(SIGCONT), GUEST_NAME(SIGSTOP), GUEST_NAME(SIGTSTP), GUEST_NAME(SIGTTIN),
      GUEST_NAME(SIGTTOU), GUEST_NAME(SIGURG),  GUEST_NAME(SIGXCPU), GUEST_NAME(SIGXFSZ),
      GUEST_NAME(SIGIO),   GUEST_NAME(SIGSYS),  GUEST_NAME(SIGWINCH)};

  return guest_find(names, sizeof(names) / sizeof(*names), number);
}

/* One write for each call: nothing is buffered, so nothing is printed twice after a fork, and
 * lines of several processes do not mix. Keeps errno. */
__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...) {
  char text[8192];
  int saved = errno, size;
  va_list arguments;

  va_start(arguments, format);
  size = vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  if (size >= (int)sizeof(text))
    size = sizeof(text) - 1;
  for (ssize_t done = 0, part; done < size; done += part) {
    part = write(STDOUT_FILENO, text + done, size - done);
    if (part < 0 && errno == EINTR)
      part = 0;
    if (part < 0)
      _exit(99);
  }
  errno = saved;
}

struct guest_place {
  const char *file;
  int line;
};
#define GUEST_HERE ((struct guest_place){__FILE__, __LINE__})

static inline void guest_failure(struct guest_place place, const char *what) {
  guest_failed = true;
  say("FAILED at %s:%d: %s\n", place.file, place.line, what);
}

/* Print "call = value", with the errno's name after -1. Gives the value; keeps errno. */
static inline long guest_print(const char *call, long value) {
  if (value == -1)
    say("%s = -1 %s\n", call, errno_name(errno));
  else
    say("%s = %ld\n", call, value);
  return value;
}

static inline long guest_ok(struct guest_place place, const char *call, long value) {
  guest_print(call, value);
  if (value < 0)
    guest_failure(place, "expected success");
  return value;
}

static inline bool guest_is(struct guest_place place, const char *call, long value, long expected) {
  char what[64];

  guest_print(call, value);
  if (value == expected)
    return true;
  snprintf(what, sizeof(what), "expected %ld", expected);
  guest_failure(place, what);
  return false;
}

static inline bool guest_fails(struct guest_place place, const char *call, long value, int error) {
  int got = errno;
  char what[64];

  guest_print(call, value);
  if (value == -1 && got == error)
    return true;
  snprintf(what, sizeof(what), "expected -1 %s", errno_name(error));
  guest_failure(place, what);
  return false;
}

static inline long guest_must(struct guest_place place, const char *call, long value) {
  if (value >= 0)
    return value;
  guest_print(call, value);
  guest_failure(place, "the case cannot go on");
  _exit(1);
}

#define show(call) guest_print(#call, (long)(call))
#define ok(call) guest_ok(GUEST_HERE, #call, (long)(call))
#define is(call, expected) guest_is(GUEST_HERE, #call, (long)(call), (long)(expected))
#define fails(call, error) guest_fails(GUEST_HERE, #call, (long)(call), error)
#define must(call) guest_must(GUEST_HERE, #call, (long)(call))

/* A call that returns an error number instead of setting errno (pthread_*, posix_spawn). */
#define returns(call, error) guest_returns(GUEST_HERE, #call, (call), error)
static inline void guest_returns(struct guest_place place, const char *call, int got, int error) {
  say("%s returns %s\n", call, got ? errno_name(got) : "0");
  if (got != error)
    guest_failure(place, error ? errno_name(error) : "expected 0");
}

/* Something that must be true and is not worth a line of output while it is. */
#define check(condition)                                                                           \
  do {                                                                                             \
    if (!(condition))                                                                              \
      guest_failure(GUEST_HERE, #condition);                                                       \
  } while (0)

/* Poll for something that another process brings about; 10 s at most. */
#define await(condition)                                                                           \
  do {                                                                                             \
    int tries = 0;                                                                                 \
    while (!(condition) && ++tries < 10000)                                                        \
      usleep(1000);                                                                                \
    check(tries < 10000 && "in time: " #condition);                                                \
  } while (0)

#endif
