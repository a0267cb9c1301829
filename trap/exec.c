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
#include "trap/exec.h"

#include "host/calls.h"
#include "proc/mem.h"

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

/* Files opened while the plan is made, with what they are in the guest's filesystem. */
struct chain {
  struct dz_call *call;
  int fds[PROGRAM_CHAIN_MAX];
  struct dz_node nodes[PROGRAM_CHAIN_MAX];
  unsigned count;
};

/* Open a file for execution, as do_open_execat() of fs/exec.c does. */
static int open_program(struct dz_call *call, const struct dz_node *node, int *fd) {
  int opened;

  if (!S_ISREG(node->mode))
    return S_ISLNK(node->mode) ? -ELOOP : -EACCES;
  if (node->fd < 0 || dz_hostfs.access(&call->view, node, X_OK, 0))
    return -EACCES;
  /* Another process's lease on the file makes the open wait until it was given up. */
  if (call->may_block) {
    call->ops->begin_wait(call);
    opened = dz_reopen(node->fd, O_RDONLY);
    call->ops->end_wait(call);
  } else {
    opened = dz_reopen(node->fd, O_RDONLY | O_NONBLOCK);
  }
  if (opened < 0)
    return opened == -EWOULDBLOCK ? -EAGAIN : opened == -EINTR ? -DZ_ERESTARTSYS : opened;
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
  memcpy(padded + (last - name) + fill, last, strlen(last) + 1);
  return padded;
}

/* Attached: set everything up and let the thread make the call again, on the chosen name. */
static void launch(struct exec *exec, const struct dz_plan *plan) {
  struct user_regs_struct registers = exec->attached.registers;
  uint64_t argv;
  int err = dz_attached_block_signals(&exec->attached);

  if (!err)
    err = dz_exec_place(exec, plan, &argv);
  if (err) {
    dz_exec_unmap(exec);
    registers.rax = (unsigned long long)(int64_t)err;
    registers.orig_rax = (unsigned long long)-1;
    dz_attached_leave(&exec->attached, &registers);
    return;
  }
  registers.rip -= 2;
  registers.rax = (unsigned long long)exec->number;
  registers.orig_rax = (unsigned long long)-1;
  if (exec->number == SYS_execveat) {
    registers.rdi = (unsigned long long)(int64_t)AT_FDCWD;
    registers.rsi = exec->name_address;
    registers.rdx = argv;
    registers.r10 = exec->envp;
    registers.r8 = 0;
  } else {
    registers.rdi = exec->name_address;
    registers.rsi = argv;
    registers.rdx = exec->envp;
  }
  exec->launched = registers;
  dz_attached_set_registers(&exec->attached, &registers);
  dz_attached_continue(&exec->attached, PTRACE_CONT, 0);
}

static struct exec *exec_make(struct dz_call *call, const struct dz_exec *program) {
  struct exec *exec = calloc(1, sizeof *exec);

  if (!exec)
    return NULL;
  exec->attached.engine = call->engine;
  exec->attached.tid = call->tid;
  exec->attached.stopped = dz_exec_stopped;
  exec->attached.notified = dz_exec_notified;
  exec->attached.release = dz_exec_release;
  exec->attached.is_exec = true;
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
  exec->scratch_offset = plan->image.room_address;
  exec->scratch_size = plan->image.room_size;
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
  int err;

  if (!call->may_block && dz_attach_later(call, 0))
    return -DZ_EANSWERED;
  err = open_program(call, program->node, &fd);
  if (err)
    return err == -EAGAIN && !call->may_block ? -DZ_EBLOCK : err;
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
    dz_exec_release(&exec->attached);
  }
  if (error.code) {
    dz_debug("exec of %s: %s", program->path, error.text);
    if (call->tid == call->engine->init)
      snprintf(call->engine->exec_error, sizeof call->engine->exec_error, "%s", error.text);
  }
  dz_plan_release(&plan);
  chain_drop(&chain);
  return err == -EAGAIN && !call->may_block ? -DZ_EBLOCK : err;
}
