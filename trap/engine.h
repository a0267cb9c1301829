/* What the files of trap/ share: the notify engine's state. */
#ifndef DZ_TRAP_ENGINE_H
#define DZ_TRAP_ENGINE_H

#include "loader/programs.h"
#include "syscalls/call.h"
#include "trap/silo.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/user.h>
#include <time.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6, include/uapi/linux/seccomp.h */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* Wakes the receiver up. */
#define DZ_WAKE_SIGNAL SIGIO

#define DZ_QUEUE_MAX 1024
/* Each waits for one guest thread, so there are never more than those. */
#define DZ_WORKERS_MAX 16384

/* A thread of a guest that is attached for a moment. Only the receiver attaches and waits. */
struct dz_attached {
  struct dz_attached *next;
  struct dz_engine *engine;
  pid_t tid;
  pid_t tgid;
  struct user_regs_struct registers; /* at the trapped call */
  uint64_t signal_mask;
  bool is_exec;
  bool calling;    /* in dz_attached_call: kept although the thread is gone */
  int held_signal; /* one that came although all are blocked (SIGSTOP): delivered at the end */
  /* Called at each stop (status as of waitpid). Returns false when the thread was let go. */
  bool (*stopped)(struct dz_attached *attached, int status);
  /* Called when the thread makes a call that notifies: true when it was answered here. */
  bool (*notified)(struct dz_attached *attached, const struct seccomp_notif *notification);
  void (*release)(struct dz_attached *attached);
};

struct dz_job; /* a call in a worker */

struct dz_engine {
  struct dz_silo silo;
  int listener;
  bool listener_gone; /* no guest is left that could call */
  int events;         /* epoll of lifeline, commands and wake */
  int lifeline;       /* the parent's end is held by the command denizen */
  int reports;
  int messages;           /* standard error, never waited for; or -1 */
  int commands;           /* signals to pass on, from dz_silo_signal */
  uint8_t room_stamp[16]; /* random: begins each program's room */
  struct dz_programs *programs;
  struct dz_cache *cache;
  pid_t init;
  int init_pidfd;
  bool ended;      /* the first process has ended, or the silo is being ended */
  int init_status; /* as of waitpid */
  bool killed;     /* ended by denizen: see report_text */
  char report_text[512];
  char exec_error[768]; /* why the first process's last exec failed, for people */

  struct seccomp_notif queue[DZ_QUEUE_MAX]; /* received, not yet handled */
  unsigned queue_head, queue_count;

  struct dz_attached *attached;
  struct dz_job *aside;  /* the receiver's: calls that wait for an exec's end */
  bool exec_ended;       /* they can go on */
  timer_t attach_timer;  /* interrupts the receiver's waits for stops */
  uint64_t attach_began; /* CLOCK_MONOTONIC, nanoseconds */
  uint64_t attach_ran;   /* by the thread, when it was last looked at */

  pthread_mutex_t worker_lock; /* guards the fields below */
  pthread_cond_t worker_wake;
  struct dz_job *jobs; /* waiting, oldest first */
  struct dz_job **jobs_end;
  struct dz_job *returned; /* back from workers, or put aside: for the receiver */
  int wake;                /* eventfd: something was returned */
  unsigned workers, idle_workers;
  struct dz_wait *waits; /* host calls that are watched */
  bool watching;         /* the watcher's thread runs */

  struct dz_reporter *reporter; /* report.c's */
  int report_wake;              /* eventfd: something for the receiver */
  timer_t report_timer;         /* a guest has waited long enough for its report */
  int crash_events;             /* report_watch.c's: netlink, or a negative errno */
  atomic_bool crash_told;       /* no event that was received is still to be told */
};

extern const struct dz_call_ops dz_notify_ops;

/* notify.c */
int dz_engine_reply(struct dz_engine *engine, uint64_t id, int64_t value);
/* Let the kernel perform the call: for a verified exec alone. */
int dz_engine_continue_exec(struct dz_engine *engine, uint64_t id);
void dz_engine_run(struct dz_engine *engine);
void dz_engine_end(struct dz_engine *engine, const char *format, ...) DZ_PRINTF(2, 3);
void dz_engine_answer(struct dz_call *call, int64_t result);
/* On the receiver: run the call's handler and see to its answer. */
void dz_engine_perform(struct dz_call *call);

/* receive.c: all on the receiver's thread */
int dz_receive_init(struct dz_engine *engine);
/* Receive what is pending; with nothing to do, sleep until a call or something else comes. */
void dz_receive(struct dz_engine *engine);
/* From any thread: the receiver looks at what happened besides calls. */
void dz_receive_wake(const struct dz_engine *engine);
/* A timer of CLOCK_MONOTONIC that sends the calling thread, the receiver, a signal. */
int dz_receive_timer(timer_t *timer, int signal);

/* report.c */
int dz_report_init(struct dz_engine *engine);
/* The call that is being handled owes a report: made when it is answered. */
void dz_report_unsupported(struct dz_call *call, const char *what);
/* Takes call->report: reports, then gives the answer. False when the answer is still to be given.
 */
bool dz_report_answer(struct dz_call *call, int64_t result);
/* On the receiver: when report_wake is readable, and whenever it was woken. */
void dz_report_take(struct dz_engine *engine);
void dz_report_expire(struct dz_engine *engine);
/* On the receiver: the caller is about to end itself. True when it makes the call again after the
 * report, or has died. */
bool dz_report_ending(struct dz_call *call, int signal);
/* report_crash.c: dz_notify_send_signal after a report where the signal ends the caller. */
int dz_report_send_signal(struct dz_call *call, const int *pidfds, size_t count, int signal,
                          const siginfo_t *info, unsigned flags);
/* report_watch.c: from now on, crashes are told of that only guests wait for; at the end, those
 * that have happened, if it takes no longer than a moment. */
void dz_report_watch(struct dz_engine *engine);
void dz_report_finish(struct dz_engine *engine);
/* Before a death is waited for, and when it was. */
struct dz_death {
  pid_t pid; /* of a guest that crashed, or 0 */
  char name[64];
};
void dz_report_look(struct dz_engine *engine, struct dz_death *death);
void dz_report_death(struct dz_engine *engine, const struct dz_death *death, pid_t pid, int status);

/* worker.c */
/* A detached thread with all signals blocked: the receiver's are for no other. */
int dz_thread_start(void *(*run)(void *), struct dz_engine *engine);
void dz_worker_begin_wait(struct dz_call *call);
void dz_worker_end_wait(struct dz_call *call);
void dz_worker_settle(struct dz_call *call);
int dz_worker_submit(struct dz_engine *engine, const struct dz_call *call);
/* On the receiver: put a call aside; go on with all that were; go on with what workers gave back.
 */
int dz_worker_put_aside(struct dz_engine *engine, const struct dz_call *call, int64_t result);
void dz_worker_take_aside(struct dz_engine *engine);
void dz_worker_take_returned(struct dz_engine *engine);

/* attach.c */
int dz_attach_init(struct dz_engine *engine); /* on the receiver */
/* While a process's exec is under way, no other thread of it may be attached: PTRACE_SEIZE and exec
 * take the same lock (cred_guard_mutex), and the exec waits until its other threads were reaped,
 * which their tracer alone can do. True when the call was put aside for that: it is performed, or
 * restarted when result is -DZ_ERESTARTSYS, once the exec has ended. Asked before anything is
 * given to the caller. */
bool dz_attach_later(struct dz_call *call, int64_t result);
bool dz_attach_is_busy(const struct dz_call *call);

/* The reply is -DZ_ERESTARTNOINTR, or -DZ_ERESTARTSYS for a wait that a signal ended. */
int dz_attach(struct dz_call *call, struct dz_attached *attached, uint64_t options);
/* Answer ERESTARTSYS: the kernel acts on it only on its way through signal delivery, which an
 * attach and detach make certain even when another thread has taken the signal meanwhile. */
void dz_attach_restart(struct dz_call *call);
struct dz_attached *dz_attached_find(struct dz_engine *engine, pid_t tid);
void dz_attached_continue(struct dz_attached *attached, int request, int signal);
/* Detach with these registers and the thread's own signal mask. */
void dz_attached_leave(struct dz_attached *attached, const struct user_regs_struct *registers);
int dz_attached_call(struct dz_attached *attached, const struct dz_injection *injection,
                     int64_t *result);
void dz_attached_drop(struct dz_attached *attached);
int dz_attached_set_registers(struct dz_attached *attached,
                              const struct user_regs_struct *registers);
int dz_attached_block_signals(struct dz_attached *attached);
void dz_attached_reap(struct dz_engine *engine);

/* exec_scratch.c: guest memory that denizen may write to for a moment, DZ_BORROWED_MAX bytes at the
 * end of the program's room; 0 where there is none. */
#define DZ_BORROWED_MAX 512
uint64_t dz_exec_borrow(const struct dz_engine *engine, const struct dz_state *state, pid_t tid);

/* exec.c */
int dz_notify_exec(struct dz_call *call, const struct dz_exec *program);
/* inject.c */
int dz_notify_send_path_fd(struct dz_call *call, int fd, unsigned fd_flags);
int dz_notify_send_signal(struct dz_call *call, const int *pidfds, size_t count, int signal,
                          const siginfo_t *info, unsigned flags);

/* first.c: runs in the first process, never returns. */
struct dz_first {
  const struct dz_silo_config *config;
  int programs_fd;   /* its real working directory for good */
  int to_supervisor; /* writes: listener number, then errors */
  int from_supervisor;
  unsigned needs;
};
struct dz_first_message {
  int32_t kind;  /* enum dz_first_kind */
  int32_t value; /* listener's number, or errno */
};
enum dz_first_kind { DZ_FIRST_LISTENER, DZ_FIRST_FAILED_SETUP, DZ_FIRST_FAILED_EXEC };
void dz_first_run(const struct dz_first *entry) __attribute__((noreturn));

/* confine.c */
int dz_confine_capabilities(void); /* a guest: none at all; after dz_confine_supervisor */
int dz_confine_supervisor(void);
int dz_confine_landlock(int programs_fd);

#endif
