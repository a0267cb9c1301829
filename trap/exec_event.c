/*
 * An exec while it runs: the second notification is the one call that is ever
 * continued; the exec event is where the file is verified; a call that failed is
 * answered with its errno if that tells of nothing but the file that was chosen.
 */
#include "trap/exec.h"

#include "host/calls.h"
#include "host/defence.h"
#include "proc/mem.h"

#include <elf.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

void dz_exec_release(struct dz_attached *attached) {
  struct exec *exec = (struct exec *)attached;

  dz_state_put(exec->state);
  dz_node_drop(&exec->node);
  free(exec->name);
  free(exec->shown);
  free(exec);
}

static void kill_caller(struct exec *exec, const char *why) {
  dz_debug("exec by %d killed: %s", (int)exec->attached.tid, why);
  kill(exec->attached.tid, SIGKILL);
  /* Its death is reaped later; the record of the attach goes with it. */
}

static bool name_changed(const struct exec *exec) {
  size_t size = strlen(exec->name) + 1;
  char *now DZ_FREE = malloc(size);

  if (!dz_defence("exec_name"))
    return false;
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
      return dz_defence("exec_errno");
  return false;
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
  dz_exec_unmap(exec);
  registers.rax = (unsigned long long)result;
  registers.orig_rax = (unsigned long long)-1;
  dz_attached_leave(&exec->attached, &registers);
  return false;
}

#define STACK_CHUNK 512

/* Where the new program's auxiliary vector lies on its stack: behind argc, argv and envp
 * (create_elf_tables() of fs/binfmt_elf.c). 0 or a negative errno. */
static int find_vector(const struct exec *exec, uint64_t *vector) {
  struct user_regs_struct registers;
  uint64_t words[STACK_CHUNK], at, argc;
  pid_t tid = exec->attached.tid;

  if (ptrace(PTRACE_GETREGS, tid, 0, &registers))
    return -ESRCH;
  if (dz_mem_read(tid, registers.rsp, &argc, sizeof argc))
    return -EFAULT;
  at = registers.rsp + 8 * (argc + 2);
  for (;;) {
    ssize_t got = dz_mem_read_some(tid, at, words, sizeof words);

    if (got < 8)
      return -EFAULT;
    for (ssize_t i = 0; i < got / 8; i++)
      if (!words[i]) {
        *vector = at + 8 * (uint64_t)(i + 1);
        return 0;
      }
    at += (uint64_t)got & ~UINT64_C(7);
  }
}

/* The kernel put the host's ids into the vector: the guest's own take their place. Where the
 * program and the name lie is read on the way. */
static int mend_vector(const struct exec *exec, const struct dz_identity *identity, uint64_t *entry,
                       uint64_t *name) {
  const struct {
    uint64_t type, value;
  } ids[] = {{AT_UID, identity->ruid},
             {AT_EUID, identity->euid},
             {AT_GID, identity->rgid},
             {AT_EGID, identity->egid}};
  uint64_t vector, words[2 * 64];
  bool changed = false;
  ssize_t size;
  int err = find_vector(exec, &vector);

  if (err)
    return err;
  size = dz_mem_read_some(exec->attached.tid, vector, words, sizeof words);
  if (size < 16)
    return -EFAULT;
  for (ssize_t i = 0; i + 1 < size / 8 && words[i] != AT_NULL; i += 2) {
    if (words[i] == AT_ENTRY)
      *entry = words[i + 1];
    if (words[i] == AT_EXECFN)
      *name = words[i + 1];
    for (size_t k = 0; k < DZ_ARRAY_SIZE(ids); k++)
      if (words[i] == ids[k].type && words[i + 1] != ids[k].value) {
        words[i + 1] = ids[k].value;
        changed = true;
      }
  }
  return changed ? dz_mem_write(exec->attached.tid, vector, words, (size_t)size) : 0;
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
    dz_exec_stamp(exec->attached.engine, exec->attached.tid, program->scratch);
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
  if ((fstatat(exec->attached.engine->silo.proc.proc_fd, path, &st, 0) || st.st_dev != exec->dev ||
       st.st_ino != exec->ino) &&
      dz_defence("exec_verify")) {
    kill_caller(exec, "another file was executed");
    return true;
  }
  err = mend_vector(exec, &exec->state->identity, &entry, &name);
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

bool dz_exec_stopped(struct dz_attached *attached, int status) {
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

/* Another thread may have overwritten the instruction that makes the call: what is continued must
 * be what was set up. */
static bool is_launched(const struct exec *exec, const struct seccomp_data *data) {
  const struct user_regs_struct *set = &exec->launched;

  return data->arch == AUDIT_ARCH_X86_64 && data->args[0] == set->rdi &&
         data->args[1] == set->rsi && data->args[2] == set->rdx &&
         (exec->number != SYS_execveat || (data->args[3] == set->r10 && data->args[4] == set->r8));
}

/* The second notification. The interrupt makes a call that fails stop before it returns. */
bool dz_exec_notified(struct dz_attached *attached, const struct seccomp_notif *notification) {
  struct exec *exec = (struct exec *)attached;

  if (notification->data.nr != exec->number)
    return false;
  if (!is_launched(exec, &notification->data) && dz_defence("exec_arguments")) {
    kill_caller(exec, "another call than the one that was set up");
    return true;
  }
  exec->running = true;
  ptrace(PTRACE_INTERRUPT, attached->tid, 0, 0);
  dz_engine_continue_exec(attached->engine, notification->id);
  return true;
}
