/* The parent's side: starts the child, hands it bytes, takes what it found. */
#include "signals/backtrace.h"

#include "host/calls.h"
#include "proc/mem.h"
#include "signals/unwind.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

/* A module's file is opened when it is first asked for, and one is kept open. */
struct service {
  const struct dz_backtrace_source *source;
  struct dz_backtrace *backtrace;
  int socket;
  int file;   /* of `module` */
  int module; /* -1: none yet */
  struct dz_unwind_bytes *answer;
  unsigned requests;
};

static int64_t now_ms(void) {
  return (int64_t)(dz_monotonic_ns() / DZ_NS_PER_MS);
}

static ssize_t read_file(struct service *service, const struct dz_unwind_message *message) {
  const struct dz_modules *modules = service->source->modules;

  if (message->space < 0 || (size_t)message->space >= modules->module_count)
    return -EINVAL;
  if (service->module != message->space) {
    if (service->file >= 0)
      close(service->file);
    service->module = message->space;
    service->file =
        service->source->open_module(service->source->context, &modules->modules[message->space]);
  }
  if (service->file < 0 || message->offset > INT64_MAX)
    return -ENOENT;
  return pread(service->file, service->answer->bytes, message->size, (off_t)message->offset);
}

static int answer_read(struct service *service, const struct dz_unwind_message *message) {
  ssize_t got;
  size_t size;

  if (message->size > DZ_UNWIND_PIECE)
    return -EPROTO;
  service->requests++;
  if (message->space == DZ_UNWIND_MEMORY)
    got = dz_mem_read_some(service->source->tid, message->offset, service->answer->bytes,
                           message->size);
  else
    got = read_file(service, message);
  service->answer->size = got > 0 ? (uint32_t)got : 0;
  size = offsetof(struct dz_unwind_bytes, bytes) + service->answer->size;
  return send(service->socket, service->answer, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -EPROTO;
}

static void take_frame(struct service *service, const struct dz_unwind_message *message) {
  struct dz_backtrace *backtrace = service->backtrace;
  bool in_module =
      message->space >= 0 && (size_t)message->space < service->source->modules->module_count;

  if (backtrace->count < DZ_FRAMES_MAX)
    backtrace->frames[backtrace->count++] =
        (struct dz_frame){.ip = message->ip, .module = in_module ? message->space : -1};
}

static void take_symbol(struct service *service, const struct dz_unwind_message *message) {
  struct dz_frame *frame = &service->backtrace->frames[message->index % DZ_FRAMES_MAX];

  frame->has_address = true;
  frame->address = message->address;
  frame->offset = message->offset;
  memcpy(frame->symbol, message->symbol, sizeof frame->symbol);
  frame->symbol[sizeof frame->symbol - 1] = '\0';
}

/* 1 when the child is done, 0 to go on, or a negative errno. */
static int take_message(struct service *service) {
  struct dz_unwind_message message;
  ssize_t got = recv(service->socket, &message, sizeof message, 0);

  if (got != sizeof message) /* 0: it has died */
    return -EPROTO;
  switch (message.kind) {
  case DZ_UNWIND_READ:
    return answer_read(service, &message);
  case DZ_UNWIND_FRAME:
    take_frame(service, &message);
    return 0;
  case DZ_UNWIND_SYMBOL:
    take_symbol(service, &message);
    return 0;
  case DZ_UNWIND_DONE:
    service->backtrace->end = message.index <= DZ_BACKTRACE_BROKEN ? message.index : 0;
    return 1;
  default:
    return -EPROTO;
  }
}

static int serve(struct service *service) {
  int64_t start = now_ms(), end = start + service->source->milliseconds;
  int done = 0;

  while (done == 0) {
    struct pollfd polled = {.fd = service->socket, .events = POLLIN};
    int64_t left = end - now_ms();
    int ready = left > 0 ? poll(&polled, 1, (int)left) : 0;

    if (ready == 0)
      return -ETIME;
    if (ready > 0)
      done = take_message(service);
    else if (errno != EINTR)
      return -errno;
  }
  dz_debug("unwound %zu frames in %d ms by %u requests", service->backtrace->count,
           (int)(now_ms() - start), service->requests);
  return done > 0 ? 0 : done;
}

/* The supervisor's receiver may reap any child, so this one is known by a pidfd, taken while the
 * child still waits for its first message. */
static int run_child(struct service *service, struct dz_unwinder *unwinder, int child_end) {
  siginfo_t ended = {0};
  pid_t child = fork();
  int pidfd DZ_FD = -1;
  int err;

  if (child < 0)
    return -errno;
  if (child == 0) {
    unwinder->socket = child_end;
    dz_unwind_run(unwinder);
  }
  close(child_end);
  pidfd = dz_pidfd_open(child, 0);
  if (pidfd < 0)
    return pidfd; /* it ends when the socket is closed */
  err = send(service->socket, "g", 1, MSG_NOSIGNAL) == 1 ? serve(service) : -EPROTO;
  dz_pidfd_send_signal(pidfd, SIGKILL, 0);
  waitid(P_PIDFD, (id_t)pidfd, &ended, WEXITED);
  return err;
}

static void drop_unwinder(struct dz_unwinder **unwinder) {
  if (*unwinder)
    free((*unwinder)->images);
  free(*unwinder);
}

int dz_backtrace_make(const struct dz_backtrace_source *source, struct dz_backtrace *backtrace) {
  struct dz_unwinder *unwinder DZ_CLEANUP(drop_unwinder) = calloc(1, sizeof *unwinder);
  struct dz_unwind_bytes *answer DZ_FREE = malloc(sizeof *answer);
  struct service service = {
      .source = source, .backtrace = backtrace, .file = -1, .module = -1, .answer = answer};
  const struct dz_mapping *first = dz_modules_find(source->modules, source->registers->rip);
  int pair[2], err;
  *backtrace = (struct dz_backtrace){.end = DZ_BACKTRACE_BROKEN};
  if (unwinder)
    unwinder->images = calloc(source->modules->module_count + 1, sizeof *unwinder->images);
  if (!unwinder || !unwinder->images || !answer)
    return -ENOMEM;
  unwinder->source = source;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
    return -errno;
  service.socket = pair[0];
  err = run_child(&service, unwinder, pair[1]);
  close(pair[0]);
  if (service.file >= 0)
    close(service.file);
  if (backtrace->count == 0)
    backtrace->frames[backtrace->count++] =
        (struct dz_frame){.ip = source->registers->rip, .module = first ? (int)first->module : -1};
  return err;
}

const char *dz_backtrace_why(const struct dz_backtrace *backtrace, int err) {
  static const char *const texts[] = {
      [DZ_BACKTRACE_CUT] = "there are more frames",
      [DZ_BACKTRACE_BLIND] = "the code has no unwind tables",
      [DZ_BACKTRACE_BROKEN] = "the stack or the unwind tables are broken",
  };

  if (err == -EPROTO)
    return "the stack or the unwind tables broke the process that read them";
  if (err == -ETIME)
    return "it took too long";
  return err ? strerrordesc_np(-err) : texts[backtrace->end];
}

static void print_place(const struct dz_frame *frame, const struct dz_modules *modules,
                        struct dz_note *note) {
  const char *name = modules->modules[frame->module].name;

  dz_note_print(note, " (");
  dz_note_escaped(note, name, strlen(name));
  if (frame->has_address)
    dz_note_print(note, "+0x%llx", (unsigned long long)frame->address);
  dz_note_print(note, ")");
}

void dz_backtrace_print(const struct dz_backtrace *backtrace, const struct dz_modules *modules,
                        struct dz_note *note) {
  for (size_t i = 0; i < backtrace->count; i++) {
    const struct dz_frame *frame = &backtrace->frames[i];

    dz_note_print(note, "  #%-2zu 0x%016llx ", i, (unsigned long long)frame->ip);
    if (frame->symbol[0]) {
      dz_note_escaped(note, frame->symbol, strlen(frame->symbol));
      dz_note_print(note, "+0x%llx", (unsigned long long)frame->offset);
    } else {
      dz_note_print(note, "??");
    }
    if (frame->module >= 0)
      print_place(frame, modules, note);
    dz_note_print(note, "\n");
  }
}
