/* What the files about exec share: one exec under way. trap/exec.c tells its story. */
#ifndef DZ_TRAP_EXEC_H
#define DZ_TRAP_EXEC_H

#include "trap/engine.h"

struct exec {
  struct dz_attached attached;
  struct dz_state *state; /* the caller's */
  long number;            /* the call that the guest used: its own filters may know only that */
  bool running;           /* the second notification was answered */
  dev_t dev;              /* the file that must be executed */
  ino_t ino;
  struct dz_node node; /* the guest's own file */
  char *name;          /* what the kernel is given, relative to the guest's real cwd */
  char *shown;         /* what the guest called it: AT_EXECFN */
  uint64_t name_address;
  uint64_t argv, envp;
  struct user_regs_struct launched;      /* the registers of the call that may be continued */
  uint64_t entry;                        /* of the ELF file */
  uint64_t scratch_offset, scratch_size; /* in the copy, from its load address */
  uint64_t mapped, mapped_size;          /* scratch memory made for this exec alone, or 0 */
};

/* exec_scratch.c: put the name, and for scripts the new argv, where the guest's kernel can read it.
 * *argv is the guest address of the argv to use. 0 or a negative errno. */
int dz_exec_place(struct exec *exec, const struct dz_plan *plan, uint64_t *argv);
void dz_exec_unmap(struct exec *exec);
/* Mark a new program's room as denizen's: without the mark nothing is ever written there. */
int dz_exec_stamp(const struct dz_engine *engine, pid_t tid, uint64_t room);

/* exec_event.c: what the engine calls while the exec runs, and at its end. */
bool dz_exec_stopped(struct dz_attached *attached, int status);
bool dz_exec_notified(struct dz_attached *attached, const struct seccomp_notif *notification);
void dz_exec_release(struct dz_attached *attached);

#endif
