/*
 * exec. The supervisor chooses the file; the kernel executes it in the guest, by
 * a name that lies in guest memory, so that name is not trusted: the thread stays
 * attached until the kernel's exec event, before the new program's first
 * instruction, and is killed if what was executed is not the file that was chosen.
 *
 *   notification ─ plan, copy, name ─ attach ─ name and argv into scratch memory,
 *   registers ─ run ─ second notification: continued ─ exec event: verified, mended,
 *   new record ─ detached        (or the call failed: restored, errno, detached)
 */
#include "trap/engine.h"

#include "host/calls.h"
#include "proc/mem.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PROGRAM_CHAIN_MAX 16
#define ARGUMENT_COUNT_MAX 0x7fffffff / 8

struct exec {
  struct dz_attached attached;
  struct dz_state *state; /* the caller's */
  long number;            /* the call that the guest used: its own filters may know only that */
  bool running;           /* the second notification was answered */
  dev_t dev;              /* the file that must be executed */
  ino_t ino;
  struct dz_node node;    /* the guest's own file */
  char *name;             /* what the kernel is given, relative to the guest's real cwd */
  char *shown;            /* what the guest called it: AT_EXECFN */
  uint64_t name_address;
  uint64_t argv, envp;
  uint64_t entry;         /* of the ELF file */
  uint64_t scratch_offset, scratch_size; /* in the copy, from its load address */
  uint64_t mapped, mapped_size; /* scratch memory made for this exec alone, or 0 */
};

/* Files opened while the plan is made, with what they are in the guest's filesystem. */
struct chain {
  struct dz_call *call;
  int fds[PROGRAM_CHAIN_MAX];
  struct dz_node nodes[PROGRAM_CHAIN_MAX];
  unsigned count;
};

static void exec_release(struct dz_attached *attached) {
  struct exec *exec = (struct exec *)attached;

  dz_state_put(exec->state);
  dz_node_drop(&exec->node);
  free(exec->name);
  free(exec->shown);
  free(exec);
}

/* Open a file for execution, as do_open_execat() of fs/exec.c does. */
static int open_program(struct dz_call *call, const struct dz_node *node, int *fd) {
  int opened;

  if (!S_ISREG(node->mode))
    return S_ISLNK(node->mode) ? -ELOOP : -EACCES;
  if (node->fd < 0 || dz_hostfs.access(&call->view, node, X_OK, 0))
    return -EACCES;
  opened = dz_reopen(node->fd, O_RDONLY | O_NONBLOCK);
  if (opened < 0)
    return opened == -EWOULDBLOCK ? -EAGAIN : opened;
  *fd = opened;
  return 0;
}

static int open_in_chain(void *context, const char *guest_path, int *fd) {
  struct chain *chain = context;
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  int err = dz_walk(&chain->call->view, NULL, guest_path, DZ_WALK_FOLLOW, &lookup);

  if (!err)
    err = open_program(chain->call, &lookup.node, fd);
  if (err || chain->count == PROGRAM_CHAIN_MAX)
    return err ? err : -ELOOP;
  chain->fds[chain->count] = *fd;
  chain->nodes[chain->count++] = dz_node_take(&lookup.node);
  return 0;
}

static void chain_drop(struct chain *chain) {
  for (unsigned i = 0; i < chain->count; i++)
    dz_node_drop(&chain->nodes[i]);
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');

  return slash ? slash + 1 : path;
}

/* The name for the kernel is filled up with slashes to the length of the guest's own, so that the
 * guest's fits where the kernel puts it, on the new stack. */
static char *pad_name(const char *name, size_t length) {
  const char *last = base_name(name);
  size_t own = strlen(name), fill = length > own ? length - own : 0;
  char *padded = malloc(own + fill + 1);

  if (!padded)
    return NULL;
  memcpy(padded, name, (size_t)(last - name));
  memset(padded + (last - name), '/', fill);
  strcpy(padded + (last - name) + fill, last);
  return padded;
}

/* ---- while it runs ---- */

static void kill_caller(struct exec *exec, const char *why) {
  dz_debug("exec by %d killed: %s", (int)exec->attached.tid, why);
  kill(exec->attached.tid, SIGKILL);
  /* Its death is reaped later; the record of the attach goes with it. */
}

static bool name_changed(const struct exec *exec) {
  size_t size = strlen(exec->name) + 1;
  char *now DZ_FREE = malloc(size);

  return !now || dz_mem_read(exec->attached.tid, exec->name_address, now, size) ||
         memcmp(now, exec->name, size) != 0;
}

/* Errors that a name which was found to be good cannot give: they would tell the guest about
 * another file. */
static bool tells_about_files(int err) {
  static const int errors[] = {ENOENT, EACCES, ENOTDIR, ELOOP,  ENAMETOOLONG,
                               EPERM,  EISDIR, ETXTBSY, ELIBBAD};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(errors); i++)
    if (err == errors[i])
      return true;
  return false;
}

static void unmap_scratch(struct exec *exec) {
  struct dz_injection unmap = {SYS_munmap, {exec->mapped, exec->mapped_size}};
  int64_t result;

  if (exec->mapped)
    dz_attached_call(&exec->attached, &unmap, &result);
  exec->mapped = 0;
}

static bool finish_failed(struct exec *exec) {
  struct user_regs_struct now, registers = exec->attached.registers;
  int64_t result;

  if (ptrace(PTRACE_GETREGS, exec->attached.tid, 0, &now))
    return true;
  result = (int64_t)now.rax;
  if (result == -DZ_ERESTARTNOINTR) { /* interrupted by our own interrupt: once more */
    exec->running = false;
    dz_attached_continue(&exec->attached, PTRACE_CONT, 0);
    return true;
  }
  if (name_changed(exec) || tells_about_files((int)-result)) {
    kill_caller(exec, "the name was changed while the kernel read it");
    return true;
  }
  unmap_scratch(exec);
  registers.rax = (unsigned long long)result;
  registers.orig_rax = (unsigned long long)-1;
  dz_attached_leave(&exec->attached, &registers);
  return false;
}

static int read_auxv(const struct exec *exec, uint64_t *entry, uint64_t *name) {
  char path[32];
  uint64_t auxv[128];
  ssize_t size;

  snprintf(path, sizeof path, "%d/auxv", (int)exec->attached.tid);
  size = dz_read_file_at(exec->attached.engine->silo.proc.proc_fd, path, (char *)auxv,
                         sizeof auxv);
  if (size < 0)
    return (int)size;
  *entry = *name = 0;
  for (size_t i = 0; i + 1 < (size_t)size / sizeof *auxv && auxv[i] != AT_NULL; i += 2) {
    if (auxv[i] == AT_ENTRY)
      *entry = auxv[i + 1];
    if (auxv[i] == AT_EXECFN)
      *name = auxv[i + 1];
  }
  return 0;
}

/* The new record: the program; what another thread changed meanwhile is kept. */
static int give_program(struct exec *exec, uint64_t entry) {
  struct dz_states *states = exec->attached.engine->silo.proc.states;
  struct dz_state *now DZ_STATE = NULL;
  struct dz_program *program = dz_program_make(&exec->node);
  struct dz_state *draft;
  int err = program ? dz_states_of(states, exec->attached.tid, &now) : -ENOMEM;

  if (err) {
    dz_program_put(program);
    return err;
  }
  draft = dz_state_draft(now);
  if (!draft) {
    dz_program_put(program);
    return -ENOMEM;
  }
  if (exec->scratch_size) {
    program->scratch = entry - exec->entry + exec->scratch_offset;
    program->scratch_size = exec->scratch_size;
  }
  draft->undumpable = false;
  dz_state_set_program(draft, program);
  return dz_states_give(states, exec->attached.tid, now, draft);
}

/* The kernel put the name that it was given on the new stack: the guest's own takes its place. */
static void mend_name(const struct exec *exec, uint64_t address) {
  size_t size = strlen(exec->name) + 1;
  char *text DZ_FREE = calloc(1, size);

  if (text && address) {
    memcpy(text, exec->shown, strnlen(exec->shown, size - 1));
    dz_mem_write(exec->attached.tid, address, text, size);
  }
}

static bool finish_executed(struct exec *exec) {
  char path[32];
  uint64_t entry = 0, name = 0;
  struct stat st;
  int err;

  snprintf(path, sizeof path, "%d/exe", (int)exec->attached.tid);
  if (fstatat(exec->attached.engine->silo.proc.proc_fd, path, &st, 0) || st.st_dev != exec->dev ||
      st.st_ino != exec->ino) {
    kill_caller(exec, "another file was executed");
    return true;
  }
  err = read_auxv(exec, &entry, &name);
  if (!err) {
    mend_name(exec, name);
    err = give_program(exec, entry);
  }
  if (err == -DZ_ETAMPERED)
    dz_engine_end(exec->attached.engine, "a state tag was changed behind denizen's back");
  if (err) {
    kill_caller(exec, "its record could not be made");
    return true;
  }
  dz_attached_leave(&exec->attached, NULL);
  return false;
}

static bool exec_stopped(struct dz_attached *attached, int status) {
  struct exec *exec = (struct exec *)attached;

  if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
    return finish_executed(exec);
  if (status >> 16 == PTRACE_EVENT_STOP) {
    if (WSTOPSIG(status) != SIGTRAP) { /* a group stop: stay stopped until SIGCONT */
      dz_attached_continue(attached, PTRACE_LISTEN, 0);
      return true;
    }
    if (exec->running)
      return finish_failed(exec);
    dz_attached_continue(attached, PTRACE_CONT, 0);
    return true;
  }
  /* Signals are blocked: only one that the kernel forces can come. */
  dz_attached_continue(attached, PTRACE_CONT, WSTOPSIG(status));
  return true;
}

/* The second notification. The interrupt makes a call that fails stop before it returns. */
static bool exec_notified(struct dz_attached *attached, const struct seccomp_notif *notification) {
  struct exec *exec = (struct exec *)attached;

  if (notification->data.nr != exec->number)
    return false;
  exec->running = true;
  ptrace(PTRACE_INTERRUPT, attached->tid, 0, 0);
  dz_engine_continue_exec(attached->engine, notification->id);
  return true;
}

/* ---- beginning ---- */

/* Count the guest's argv, to make a longer one. */
static int count_arguments(pid_t tid, uint64_t argv, size_t *count) {
  uint64_t pointers[64];

  *count = 0;
  if (!argv)
    return 0;
  for (;;) {
    ssize_t got = dz_mem_read_some(tid, argv + 8 * *count, pointers, sizeof pointers);

    if (got < 8)
      return -EFAULT;
    for (size_t i = 0; i < (size_t)got / 8; i++, ++*count)
      if (!pointers[i])
        return 0;
    if (*count > ARGUMENT_COUNT_MAX)
      return -E2BIG;
  }
}

/* What goes into scratch memory: the name; for scripts the new argv and its strings. */
struct scratch {
  char *data;
  size_t size;
  size_t argv_offset; /* 0: the guest's own argv is used */
};

static int scratch_fill(const struct exec *exec, const struct dz_plan *plan, uint64_t at,
                        struct scratch *scratch) {
  size_t count, kept, strings = 0, name_size = (strlen(exec->name) + 8) & ~(size_t)7;
  uint64_t *argv;
  char *text;
  int err;

  if (!plan->prefix_count) {
    scratch->size = name_size;
    scratch->data = calloc(1, name_size);
    if (!scratch->data)
      return -ENOMEM;
    memcpy(scratch->data, exec->name, strlen(exec->name));
    return 0;
  }
  err = count_arguments(exec->attached.tid, exec->argv, &count);
  if (err)
    return err;
  kept = count ? count - 1 : 0; /* all but argv[0] */
  for (size_t i = 0; i < plan->prefix_count; i++)
    strings += strlen(plan->prefix[i]) + 1;
  scratch->argv_offset = name_size;
  scratch->size = name_size + (plan->prefix_count + kept + 1) * 8 + strings;
  scratch->data = calloc(1, scratch->size);
  if (!scratch->data)
    return -ENOMEM;
  memcpy(scratch->data, exec->name, strlen(exec->name));
  argv = (uint64_t *)(void *)(scratch->data + name_size);
  text = (char *)(argv + plan->prefix_count + kept + 1);
  for (size_t i = 0; i < plan->prefix_count; i++) {
    argv[i] = at + (uint64_t)(text - scratch->data);
    text = stpcpy(text, plan->prefix[i]) + 1;
  }
  return kept ? dz_mem_read(exec->attached.tid, exec->argv + 8, argv + plan->prefix_count,
                            kept * 8)
              : 0;
}

static int map_scratch(struct exec *exec, size_t size) {
  struct dz_injection map = {SYS_mmap,
                             {0, (size + 4095) & ~(size_t)4095, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0}};
  int64_t result;
  int err = dz_attached_call(&exec->attached, &map, &result);

  if (err)
    return err;
  if (result < 0 && result > -4096)
    return (int)result;
  exec->mapped = (uint64_t)result;
  exec->mapped_size = map.arguments[1];
  return 0;
}

/* Is the program's scratch memory in use by another exec in the same memory (a sibling of a
 * vfork, a thread)? Memories are told apart by kcmp(2). */
static bool scratch_busy(const struct exec *exec, uint64_t address) {
  for (struct dz_attached *other = exec->attached.engine->attached; other; other = other->next) {
    const struct exec *exec2 = (const struct exec *)other;

    if (other == &exec->attached || other->release != exec_release ||
        exec2->name_address != address)
      continue;
    if (syscall(SYS_kcmp, other->tid, exec->attached.tid, 1 /* KCMP_VM */, 0, 0) == 0)
      return true;
  }
  return false;
}

static int place_scratch(struct exec *exec, const struct dz_plan *plan, struct scratch *scratch) {
  const struct dz_program *program = exec->state->program;
  uint64_t at = program ? program->scratch : 0;
  int err = scratch_fill(exec, plan, at, scratch);

  if (err)
    return err;
  if (at && scratch->size <= program->scratch_size && !scratch_busy(exec, at) &&
      dz_mem_write(exec->attached.tid, at, scratch->data, scratch->size) == 0) {
    exec->name_address = at;
    return 0;
  }
  err = map_scratch(exec, scratch->size);
  if (err)
    return err;
  if (scratch->argv_offset) { /* its pointers hold addresses of the other place */
    uint64_t *argv = (uint64_t *)(void *)(scratch->data + scratch->argv_offset);

    for (size_t i = 0; i < plan->prefix_count; i++)
      argv[i] += exec->mapped - at;
  }
  exec->name_address = exec->mapped;
  return dz_mem_write(exec->attached.tid, exec->mapped, scratch->data, scratch->size);
}

/* Attached: set everything up and let the thread make the call again, on the chosen name. */
static void launch(struct exec *exec, const struct dz_plan *plan) {
  struct user_regs_struct registers = exec->attached.registers;
  struct scratch scratch = {0};
  int err = dz_attached_block_signals(&exec->attached);

  if (!err)
    err = place_scratch(exec, plan, &scratch);
  if (err) {
    unmap_scratch(exec);
    registers.rax = (unsigned long long)(int64_t)err;
    registers.orig_rax = (unsigned long long)-1;
    dz_attached_leave(&exec->attached, &registers);
    free(scratch.data);
    return;
  }
  registers.rip -= 2;
  registers.rax = (unsigned long long)exec->number;
  registers.orig_rax = (unsigned long long)-1;
  if (exec->number == SYS_execveat) {
    registers.rdi = (unsigned long long)(int64_t)AT_FDCWD;
    registers.rsi = exec->name_address;
    registers.rdx = scratch.argv_offset ? exec->name_address + scratch.argv_offset : exec->argv;
    registers.r10 = exec->envp;
    registers.r8 = 0;
  } else {
    registers.rdi = exec->name_address;
    registers.rsi = scratch.argv_offset ? exec->name_address + scratch.argv_offset : exec->argv;
    registers.rdx = exec->envp;
  }
  free(scratch.data);
  dz_attached_set_registers(&exec->attached, &registers);
  dz_attached_continue(&exec->attached, PTRACE_CONT, 0);
}

static struct exec *exec_make(struct dz_call *call, const struct dz_exec *program) {
  struct exec *exec = calloc(1, sizeof *exec);

  if (!exec)
    return NULL;
  exec->attached.engine = call->engine;
  exec->attached.tid = call->tid;
  exec->attached.stopped = exec_stopped;
  exec->attached.notified = exec_notified;
  exec->attached.release = exec_release;
  exec->state = call->state;
  atomic_fetch_add(&exec->state->references, 1);
  exec->node = DZ_NODE_NONE;
  exec->number = call->number;
  exec->argv = program->argv;
  exec->envp = program->envp;
  exec->shown = strdup(program->path);
  return exec;
}

/* Which of the opened files the plan ends in. */
static int take_program_node(struct exec *exec, struct chain *chain, const struct dz_plan *plan,
                             struct dz_node *program) {
  for (unsigned i = 0; i < chain->count; i++)
    if (chain->fds[i] == plan->program && plan->program_owned) {
      exec->node = dz_node_take(&chain->nodes[i]);
      return 0;
    }
  exec->node = dz_node_take(program);
  return 0;
}

static int name_program(struct exec *exec, const struct dz_plan *plan, bool may_copy,
                        struct dz_error *error) {
  struct dz_program_name name;
  int err = dz_programs_prepare(exec->attached.engine->programs, plan, base_name(exec->shown),
                                may_copy, &name, error);

  if (err)
    return err;
  exec->dev = name.device;
  exec->ino = name.inode;
  exec->entry = plan->image.entry;
  exec->name = pad_name(name.path, strlen(exec->shown));
  return exec->name && exec->shown ? 0 : -ENOMEM;
}

/* A worker may copy; only the receiver may attach. So the worker fills the cache, and the receiver
 * runs the call again and finds the copy. */
int dz_notify_exec(struct dz_call *call, const struct dz_exec *program) {
  struct chain chain = {.call = call};
  struct dz_program_source source = {.open = open_in_chain, .context = &chain};
  struct dz_plan plan = {0};
  struct dz_error error = {0};
  struct exec *exec;
  int fd DZ_FD = -1;
  int err = open_program(call, program->node, &fd);

  if (err)
    return err == -EAGAIN ? -DZ_EBLOCK : err;
  exec = exec_make(call, program);
  if (!exec)
    return -ENOMEM;
  err = dz_plan_make(&source, fd, program->path, &plan, &error);
  if (!err && program->gone_after && plan.prefix_count)
    err = -ENOENT; /* BINPRM_FLAGS_PATH_INACCESSIBLE of fs/binfmt_script.c */
  if (!err)
    err = take_program_node(exec, &chain, &plan, program->node);
  if (!err)
    err = name_program(exec, &plan, call->may_block, &error);
  if (!err && call->may_block)
    err = -DZ_ERETRY;
  if (!err)
    err = dz_attach(call, &exec->attached, PTRACE_O_TRACEEXEC);
  if (!err) {
    launch(exec, &plan);
    err = -DZ_EANSWERED;
  } else {
    exec_release(&exec->attached);
  }
  if (error.code) {
    dz_debug("exec of %s: %s", program->path, error.text);
    if (call->tid == call->engine->init)
      snprintf(call->engine->exec_error, sizeof call->engine->exec_error, "%s", error.text);
  }
  dz_plan_release(&plan);
  chain_drop(&chain);
  return err == -EAGAIN ? -DZ_EBLOCK : err;
}
