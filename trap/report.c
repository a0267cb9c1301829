#include "trap/report.h"

#include "host/calls.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

enum { REPORT_MILLISECONDS = 400, THREAD_STACK = 256 * 1024 };

struct dz_reporter {
  pthread_mutex_t lock; /* guards what follows up to `running` */
  pthread_cond_t wanted;
  struct {
    int number;
    char what[DZ_REPORT_WHAT_MAX];
  } told[DZ_REPORTS_MAX];
  size_t told_count;
  struct dz_report *requests;      /* of workers, for the receiver */
  struct dz_report *first, **last; /* for the thread, oldest first */
  struct dz_report *done;          /* by the thread, for the receiver */
  bool running;

  struct dz_report *begun; /* the receiver's: not yet back, oldest first */
};

static int64_t now_ms(void) {
  return (int64_t)(dz_monotonic_ns() / DZ_NS_PER_MS);
}

int dz_report_init(struct dz_engine *engine) {
  struct dz_reporter *reporter = calloc(1, sizeof *reporter);

  if (!reporter)
    return -ENOMEM;
  pthread_mutex_init(&reporter->lock, NULL);
  pthread_cond_init(&reporter->wanted, NULL);
  reporter->last = &reporter->first;
  engine->reporter = reporter;
  engine->messages = dz_report_open_messages();
  engine->report_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (engine->report_wake < 0)
    return -errno;
  return dz_receive_timer(&engine->report_timer, DZ_WAKE_SIGNAL);
}

static void wake(struct dz_engine *engine) {
  uint64_t one = 1;

  dz_write_all(engine->report_wake, &one, sizeof one);
  dz_receive_wake(engine);
}

/* ---- what was told ---- */

/* True the first time. */
static bool remember(struct dz_reporter *reporter, int number, const char *what) {
  bool fresh;

  pthread_mutex_lock(&reporter->lock);
  fresh = reporter->told_count < DZ_REPORTS_MAX;
  for (size_t i = 0; i < reporter->told_count && fresh; i++)
    fresh = reporter->told[i].number != number || strcmp(reporter->told[i].what, what) != 0;
  if (fresh) {
    reporter->told[reporter->told_count].number = number;
    snprintf(reporter->told[reporter->told_count].what, DZ_REPORT_WHAT_MAX, "%s", what);
    reporter->told_count++;
  }
  pthread_mutex_unlock(&reporter->lock);
  return fresh;
}

/* The call is made again. */
static void forget(struct dz_reporter *reporter, const struct dz_report *report) {
  pthread_mutex_lock(&reporter->lock);
  for (size_t i = 0; i < reporter->told_count; i++)
    if (reporter->told[i].number == report->call.number &&
        strcmp(reporter->told[i].what, report->what) == 0) {
      reporter->told[i] = reporter->told[--reporter->told_count];
      break;
    }
  pthread_mutex_unlock(&reporter->lock);
}

void dz_report_unsupported(struct dz_call *call, const char *what) {
  struct dz_report *report;
  char shown[DZ_REPORT_WHAT_MAX];

  snprintf(shown, sizeof shown, "%s", what ? what : "");
  if (call->report)
    return;
  if (!remember(call->engine->reporter, call->number, shown)) {
    dz_debug("thread %d: unsupported call %d again %s", (int)call->tid, call->number, shown);
    return;
  }
  report = calloc(1, sizeof *report);
  if (!report)
    return;
  memcpy(report->what, shown, sizeof shown);
  call->report = report;
}

/* ---- the thread ---- */

static struct dz_report *take_first(struct dz_reporter *reporter) {
  struct dz_report *report;

  pthread_mutex_lock(&reporter->lock);
  while (!reporter->first)
    pthread_cond_wait(&reporter->wanted, &reporter->lock);
  report = reporter->first;
  reporter->first = report->next;
  if (!reporter->first)
    reporter->last = &reporter->first;
  pthread_mutex_unlock(&reporter->lock);
  return report;
}

static void *tell(void *argument) {
  struct dz_engine *engine = argument;
  struct dz_reporter *reporter = engine->reporter;
  char text[DZ_REPORT_TEXT_MAX];

  for (;;) {
    struct dz_report *report = take_first(reporter);
    struct dz_note note = DZ_NOTE(text);

    dz_report_text(report, &note);
    dz_report_say(engine, note.text, note.length);
    pthread_mutex_lock(&reporter->lock);
    report->next = reporter->done;
    reporter->done = report;
    pthread_mutex_unlock(&reporter->lock);
    wake(engine);
  }
  return NULL;
}

/* ---- the receiver ---- */

static bool stays(struct dz_attached *attached DZ_UNUSED, int status DZ_UNUSED) {
  return true;
}

static void let_go(struct dz_attached *attached) {
  struct dz_report *report =
      (struct dz_report *)((char *)attached - offsetof(struct dz_report, attached));

  atomic_store(&report->gone, true);
  report->is_attached = false;
  report->answered = true;
}

static void answer(struct dz_report *report) {
  struct user_regs_struct registers = report->attached.registers;

  if (report->answered)
    return;
  report->answered = true;
  if (report->signal) {
    if (report->is_attached)
      dz_attached_leave(&report->attached, NULL); /* the call is made again */
  } else if (report->is_attached) {
    registers.rax = (unsigned long long)report->result;
    registers.orig_rax = (unsigned long long)-1;
    dz_attached_leave(&report->attached, &registers);
  } else {
    dz_engine_reply(report->call.engine, report->call.id, report->result);
  }
}

static void conclude(struct dz_report *report) {
  const struct dz_call *call = &report->call;

  if (call->silo->strict && !report->signal)
    dz_engine_end(call->engine, "the guest made an unsupported call: %s (%d)%s%s",
                  call->row ? call->row->name : "unknown", call->number,
                  report->what[0] ? ": " : "", report->what);
  else
    answer(report);
}

static void drop(struct dz_report *report) {
  dz_state_put(report->call.state);
  free(report);
}

/* For the oldest that is not answered. */
static void set_timer(struct dz_engine *engine) {
  struct itimerspec at = {{0}, {0}};

  for (struct dz_report *report = engine->reporter->begun; report; report = report->next_begun)
    if (!report->answered) {
      at.it_value.tv_sec = report->deadline / 1000;
      at.it_value.tv_nsec = report->deadline % 1000 * 1000000;
      break;
    }
  timer_settime(engine->report_timer, TIMER_ABSTIME, &at, NULL);
}

/* Without ptrace (another traces the guest) the kernel tells two registers of a thread that waits:
 * "number six-arguments sp pc" (proc_pid_syscall(5)). */
static void read_two_registers(struct dz_report *report) {
  unsigned long long sp, pc;
  char path[32], text[256];

  snprintf(path, sizeof path, "%d/syscall", (int)report->call.tid);
  if (dz_read_file_at(report->call.silo->proc.proc_fd, path, text, sizeof text) <= 0 ||
      sscanf(text, "%*d %*x %*x %*x %*x %*x %*x %llx %llx", &sp, &pc) != 2)
    return;
  report->registers.rsp = sp;
  report->registers.rip = pc;
  report->known = DZ_REGISTERS_TWO;
}

/* False when the call is made again or the caller has died: there is nothing to report. */
static bool stop_guest(struct dz_report *report) {
  int err;

  if (report->result == -DZ_EANSWERED) {
    report->answered = true;
    return true;
  }
  if (dz_attach_is_busy(&report->call)) {
    read_two_registers(report);
    return true;
  }
  report->attached = (struct dz_attached){.stopped = stays, .release = let_go};
  err = dz_attach(&report->call, &report->attached, 0);
  if (err == -DZ_EANSWERED)
    return false;
  if (err) {
    read_two_registers(report);
    return true;
  }
  report->is_attached = true;
  report->registers = report->attached.registers;
  report->known = DZ_REGISTERS_ALL;
  return true;
}

/* A report that the thread does not finish must not hold up the others' guests. */
static bool is_stuck(const struct dz_reporter *reporter) {
  return reporter->begun && reporter->begun->answered && now_ms() > reporter->begun->deadline;
}

/* To the thread, which gives it back to dz_report_take. */
static void hand_over(struct dz_report *report) {
  struct dz_engine *engine = report->call.engine;
  struct dz_reporter *reporter = engine->reporter;
  struct dz_report **at = &reporter->begun;

  report->deadline = now_ms() + REPORT_MILLISECONDS;
  while (*at)
    at = &(*at)->next_begun;
  *at = report;
  report->next_begun = NULL;
  report->next = NULL;
  pthread_mutex_lock(&reporter->lock);
  *reporter->last = report;
  reporter->last = &report->next;
  if (!reporter->running)
    reporter->running = dz_thread_start(tell, engine) == 0;
  pthread_cond_signal(&reporter->wanted);
  pthread_mutex_unlock(&reporter->lock);
  set_timer(engine);
}

static void tell_bare(struct dz_report *report) {
  char text[512];
  struct dz_note note = DZ_NOTE(text);

  dz_report_text_bare(report, &note);
  dz_report_say(report->call.engine, note.text, note.length);
  conclude(report);
}

static void begin(struct dz_report *report) {
  struct dz_reporter *reporter = report->call.engine->reporter;
  bool stuck = is_stuck(reporter);

  dz_call_tgid(&report->call);
  if (!stuck && stop_guest(report)) {
    hand_over(report);
    return;
  }
  if (stuck)
    tell_bare(report);
  else
    forget(reporter, report);
  drop(report);
}

bool dz_report_answer(struct dz_call *call, int64_t result) {
  struct dz_report *report = call->report;
  struct dz_reporter *reporter = call->engine->reporter;

  call->report = NULL;
  if (result == -DZ_ETAMPERED) {
    free(report);
    return false;
  }
  report->call = *call;
  report->result = result;
  atomic_fetch_add(&call->state->references, 1);
  if (!call->may_block) {
    begin(report);
    return true;
  }
  pthread_mutex_lock(&reporter->lock);
  report->next = reporter->requests;
  reporter->requests = report;
  pthread_mutex_unlock(&reporter->lock);
  wake(call->engine);
  return true;
}

/* Told by the thread's number and start, so that the call passes when it is made again. */
bool dz_report_ending(struct dz_call *call, int signal) {
  struct dz_reporter *reporter = call->engine->reporter;
  char who[DZ_REPORT_WHAT_MAX];
  struct dz_report *report;
  uint64_t start;

  if (is_stuck(reporter) || dz_proc_start_time(&call->silo->proc, call->tid, &start))
    return false;
  snprintf(who, sizeof who, "%d %llu", (int)call->tid, (unsigned long long)start);
  if (!remember(reporter, call->number, who))
    return false;
  report = calloc(1, sizeof *report);
  if (!report)
    return false;
  dz_call_tgid(call);
  report->call = *call;
  report->call.report = NULL;
  report->signal = signal;
  memcpy(report->what, who, sizeof who);
  atomic_fetch_add(&call->state->references, 1);
  if (!stop_guest(report)) {
    forget(reporter, report);
    drop(report);
    return true;
  }
  if (report->is_attached) {
    hand_over(report);
    return true;
  }
  drop(report);
  return false;
}

static void take_back(struct dz_reporter *reporter, struct dz_report *report) {
  struct dz_report **at = &reporter->begun;

  while (*at != report)
    at = &(*at)->next_begun;
  *at = report->next_begun;
  conclude(report);
  drop(report);
}

void dz_report_take(struct dz_engine *engine) {
  struct dz_reporter *reporter = engine->reporter;
  struct dz_report *requests, *done, *next;
  uint64_t count;

  if (read(engine->report_wake, &count, sizeof count) < 0)
    return;
  pthread_mutex_lock(&reporter->lock);
  requests = reporter->requests;
  done = reporter->done;
  reporter->requests = reporter->done = NULL;
  pthread_mutex_unlock(&reporter->lock);
  for (; done; done = next) {
    next = done->next;
    take_back(reporter, done);
  }
  for (; requests; requests = next) {
    next = requests->next;
    requests->call.may_block = false;
    begin(requests);
  }
  set_timer(engine);
}

void dz_report_expire(struct dz_engine *engine) {
  int64_t now;

  if (!engine->reporter->begun)
    return;
  now = now_ms();
  for (struct dz_report *report = engine->reporter->begun; report; report = report->next_begun)
    if (now >= report->deadline && !report->answered)
      conclude(report);
  set_timer(engine);
}
