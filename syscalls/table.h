/*
 * The table of Linux system calls: x86-64, as Linux 6.18 has them.
 *
 * syscalls/linux_x86_64.def holds one row per call; everything that denizen
 * says or does about a call is derived from its row: the filter, the
 * dispatcher, the tracer's printer, `denizen coverage` and the manual. What a
 * `checked` row leaves to the kernel is written in linux_x86_64_rules.c.
 *
 * Numbers and names: arch/x86/entry/syscalls/syscall_64.tbl. Argument widths:
 * the SYSCALL_DEFINE of each call, as the kernel shows them in tracefs under
 * events/syscalls/sys_enter_NAME/format.
 *
 * All data is constant; no function here allocates, fails or keeps state.
 */
#ifndef DZ_SYSCALLS_TABLE_H
#define DZ_SYSCALLS_TABLE_H

#include "host/base.h"

struct dz_call;

/* Performs a call for a guest; returns its value or a negative errno. */
typedef int64_t dz_handler(struct dz_call *call);

enum { DZ_ARGUMENTS_MAX = 6 };

/* What a call is about: groups rows for people. */
#define DZ_AREAS(X)                                                                                \
  X(file)  /* files by name, and their contents and attributes */                                  \
  X(dir)   /* directories and names */                                                             \
  X(fd)    /* descriptors, whatever is behind them */                                              \
  X(xattr) /* extended attributes */                                                               \
  X(event) /* waiting for descriptors: poll, epoll, inotify, eventfd, aio */                       \
  X(memory)                                                                                        \
  X(process)                                                                                       \
  X(sched)                                                                                         \
  X(signal)                                                                                        \
  X(time)                                                                                          \
  X(socket)                                                                                        \
  X(ipc)      /* System V, POSIX message queues, futexes */                                        \
  X(identity) /* users, groups, capabilities, keys */                                              \
  X(limit)    /* resource limits and usage */                                                      \
  X(mount)                                                                                         \
  X(security) /* seccomp, Landlock, LSMs */                                                        \
  X(system)   /* the machine as a whole */                                                         \
  X(obsolete) /* has a number and no code in Linux 6.18: ENOSYS there as well */

/* Who performs a call; docs/design.md, "What runs natively, what does not". */
#define DZ_DISPOSITIONS(X)                                                                         \
  X(NATIVE)   /* the host's kernel: moves bytes, names nobody but the caller and its children */   \
  X(CHECKED)  /* native where the rule holds; the handler or the refusal otherwise */              \
  X(EMULATED) /* the supervisor */                                                                 \
  X(INJECTED) /* the guest's own thread, once the supervisor has decided */                        \
  X(REFUSED)  /* nobody: the row's errno */                                                        \
  X(UNSUPPORTED) /* nobody yet: ENOSYS, and recorded */

/* Types of arguments, with the number of bits that the kernel looks at. What
 * lies above them in the register is garbage and is never compared. */
#define DZ_ARGUMENT_TYPES(X)                                                                       \
  X(INT, 32)                                                                                       \
  X(UINT, 32)                                                                                      \
  X(LONG, 64)                                                                                      \
  X(ULONG, 64)                                                                                     \
  X(SIZE, 64)                                                                                      \
  X(OFFSET, 64)                                                                                    \
  X(FD, 32)                                                                                        \
  X(LONG_FD, 64) /* a descriptor in a long: mmap, readv and its kin */                             \
  X(DIRFD, 32)                                                                                     \
  X(PATH, 64)                                                                                      \
  X(STRING, 64) /* NUL-terminated, not a path */                                                   \
  X(IN, 64)     /* pointers to what the kernel reads, writes, does both with; */                   \
  X(OUT, 64)    /* detail tells what it is */                                                      \
  X(INOUT, 64)                                                                                     \
  X(ADDRESS, 64) /* of the caller's memory, as such */                                             \
  X(COMMAND, 32) /* selects one of several operations; detail tells the set */                     \
  X(FLAGS, 32)                                                                                     \
  X(LONG_FLAGS, 64)                                                                                \
  X(MODE, 16)                                                                                      \
  X(DEVICE, 32)                                                                                    \
  X(PID, 32)                                                                                       \
  X(UID, 32)                                                                                       \
  X(GID, 32)                                                                                       \
  X(SIGNAL, 32)                                                                                    \
  X(CLOCK, 32)

/* What a signal that arrives meanwhile does to the call (signal(7),
 * include/linux/errno.h). */
#define DZ_ON_SIGNAL(X)                                                                            \
  X(NEVER)         /* does not wait, or not interruptibly */                                       \
  X(RESTARTSYS)    /* EINTR after a handler without SA_RESTART, else begun again */                \
  X(RESTARTNOHAND) /* EINTR after any handler, else begun again */                                 \
  X(RESTARTBLOCK)  /* as RESTARTNOHAND, and goes on with the time that is left */                  \
  X(EINTR)         /* always EINTR */

#define DZ_AREA_CONSTANT(name) DZ_AREA_##name,
enum dz_area { DZ_AREAS(DZ_AREA_CONSTANT) };

#define DZ_DISPOSITION_CONSTANT(name) DZ_##name,
enum dz_disposition { DZ_DISPOSITIONS(DZ_DISPOSITION_CONSTANT) DZ_DISPOSITION_COUNT };

#define DZ_ARGUMENT_CONSTANT(name, bits) DZ_ARG_##name,
enum dz_argument_type { DZ_ARGUMENT_TYPES(DZ_ARGUMENT_CONSTANT) };

#define DZ_ON_SIGNAL_CONSTANT(name) DZ_SIGNAL_##name,
enum dz_on_signal { DZ_ON_SIGNAL(DZ_ON_SIGNAL_CONSTANT) };

/* What a silo may need. A row with `needs` is intercepted in silos that have
 * one of these needs, and is the kernel's in all others. */
enum dz_need {
  DZ_NEED_OWNER_VIEW = 1 << 0,  /* guests are shown other owners than the host's */
  DZ_NEED_MERGED_DIRS = 1 << 1, /* some directory is merged of several */
  DZ_NEED_GUARD = 1 << 2,       /* some file that a guest can hold a descriptor of is read-only or
                                   shared by policy: a read-only mount, a volume, inherited stdio */
  DZ_NEED_IDENTITY = 1 << 3,    /* the guest's user is not the host's */
  DZ_NEED_ALL = (1 << 4) - 1,
};

struct dz_argument {
  enum dz_argument_type type;
  const char *name;   /* as in its manual page */
  const char *detail; /* of a pointer: to what; of COMMAND and FLAGS: which set; or "" */
};

enum dz_condition_kind {
  DZ_CONDITION_NONE,
  DZ_CONDITION_IN,
  DZ_CONDITION_NOT_IN,
  DZ_CONDITION_MASK
};

/* One comparison of an argument, made at the argument's width. */
struct dz_condition {
  enum dz_condition_kind kind;
  const char *argument;   /* its name in the row */
  const uint64_t *values; /* IN, NOT_IN */
  size_t value_count;
  uint64_t mask, value; /* MASK: (argument & mask) == value */
};

enum { DZ_CONDITIONS_MAX = 4, DZ_ALTERNATIVES_MAX = 6 };

/* Holds when all conditions do (up to the first of kind NONE), in a silo that
 * has none of the needs in `unless`. */
struct dz_alternative {
  unsigned unless;
  struct dz_condition all[DZ_CONDITIONS_MAX];
};

/* Holds when any alternative does (up to the first without a condition). */
struct dz_rule {
  struct dz_alternative any[DZ_ALTERNATIVES_MAX];
};

struct dz_syscall {
  int number;
  const char *name;
  enum dz_area area;
  enum dz_disposition disposition;
  dz_handler *handler; /* CHECKED, EMULATED, INJECTED; NULL when it is not linked */
  struct dz_argument arguments[DZ_ARGUMENTS_MAX];
  unsigned argument_count;
  const struct dz_rule *rule; /* CHECKED: what is native */
  unsigned needs;             /* enum dz_need; 0: intercepted in every silo */
  int refusal;                /* REFUSED, and CHECKED without a handler: the errno, positive */
  enum dz_on_signal on_signal;
  const char *partial; /* what is missing or differs and why: a sentence, or NULL */
};

/* The row of a number, or NULL. x32 numbers and those of no call have none. */
const struct dz_syscall *dz_syscall_by_number(int64_t number);

/* The row of a name, or NULL. */
const struct dz_syscall *dz_syscall_by_name(const char *name);

/* The row after `row` in rising order of numbers; the first for NULL; NULL after the last. */
const struct dz_syscall *dz_syscall_next(const struct dz_syscall *row);

/* Whether each call that reaches the supervisor by this row finds a handler,
 * and each that does not is performed or refused as the row says. */
bool dz_syscall_supported(const struct dz_syscall *row);

/* The row's disposition as it works in this program: UNSUPPORTED when not supported. */
enum dz_disposition dz_syscall_disposition(const struct dz_syscall *row);

/* The position of an argument by its name, or -1. */
int dz_syscall_argument(const struct dz_syscall *row, const char *name);

/* The bits of an argument that the kernel looks at: 16, 32 or 64. */
unsigned dz_argument_bits(enum dz_argument_type type);

/* Lowercase names for people and for JSON. */
const char *dz_area_name(enum dz_area area);
const char *dz_disposition_name(enum dz_disposition disposition);
const char *dz_argument_type_name(enum dz_argument_type type);
const char *dz_on_signal_name(enum dz_on_signal on_signal);
const char *dz_need_name(enum dz_need need);

/* Every handler that the table may name, for the files that define them,
 * int64_t dz_sys_NAME(struct dz_call *); and every rule. */
#define DZ_DECLARE_NATIVE(name)
#define DZ_DECLARE_REFUSED(name)
#define DZ_DECLARE_UNSUPPORTED(name)
#define DZ_DECLARE_CHECKED(name)                                                                   \
  dz_handler dz_sys_##name;                                                                        \
  extern const struct dz_rule dz_rule_##name;
#define DZ_DECLARE_EMULATED(name) dz_handler dz_sys_##name;
#define DZ_DECLARE_INJECTED(name) dz_handler dz_sys_##name;
#define CALL(number, name, area, disposition, ...) DZ_DECLARE_##disposition(name)
#include "syscalls/linux_x86_64.def"
#undef CALL

#endif
