/*
 * The load plan: what exec of a guest's program comes to. Scripts are followed,
 * the ELF program at their end is inspected, its interpreter opened and checked;
 * nothing is copied yet (loader/programs.h does that).
 *
 * The order of checks and the errnos are those of do_open_execat(), exec_binprm()
 * (Linux fs/exec.c), load_script() and load_elf_binary(), 6.18.
 *
 * It opens files only through the caller's callback and makes no call that can wait
 * for anybody, reads of the files' first pages apart.
 */
#ifndef DZ_LOADER_PLAN_H
#define DZ_LOADER_PLAN_H

#include "loader/image.h"

/*
 * Opens a guest path for execution as the guest would, a relative one from its working
 * directory: 0 and an O_RDONLY descriptor with an open file description of its own, or
 * what open_exec() would give: -ENOENT, -EACCES (no regular file, no x bit, noexec),
 * -ELOOP, -ENOTDIR … -EAGAIN means that it would have to wait; dz_plan_make() then ends
 * with -EAGAIN, and the caller makes the plan again where waiting is allowed.
 */
struct dz_program_source {
  int (*open)(void *context, const char *guest_path, int *fd);
  void *context;
};

enum dz_plan_kind {
  DZ_PLAN_NONE,     /* there is no plan: dz_plan_make failed */
  DZ_PLAN_ORIGINAL, /* no interpreter: executed as it is */
  DZ_PLAN_PATCHED,  /* executed with another name for the interpreter */
  DZ_PLAN_FOREIGN,  /* of another system; only image is of use */
};

struct dz_plan {
  enum dz_plan_kind kind;
  int program; /* the ELF program; borrowed from the caller when no script was followed */
  bool program_owned;
  int interpreter; /* owned; -1 without PT_INTERP */
  struct dz_file_key program_key;
  struct dz_file_key interpreter_key; /* all zeroes without PT_INTERP */
  char *program_path;                 /* guest path of the ELF program, as it was opened */
  /* What replaces argv[0] when scripts were followed: interpreter, its argument if there
   * is one, script. A descriptor that the new program will not have (execveat with
   * AT_EMPTY_PATH and FD_CLOEXEC) cannot be a script's: then, with prefix_count > 0, the
   * kernel gives ENOENT (BINPRM_FLAGS_PATH_INACCESSIBLE), which is the caller's to do. */
  char **prefix;
  size_t prefix_count;
  struct dz_image image; /* of the ELF program */
};

/*
 * Make the plan for the program behind program_fd: O_RDONLY, with an open file
 * description that no guest shares (dz_head_busy), opened as dz_program_source.open
 * would; it is borrowed and stays open until dz_plan_release(). guest_path is the name
 * that the guest gave (bprm->interp: "/dev/fd/N" or "/dev/fd/N/path" for execveat);
 * it becomes a script's argument.
 *
 * Errors: -ETXTBSY when a file in the chain is open for writing, -ENOEXEC for what
 * cannot be executed here (kind is DZ_PLAN_FOREIGN when that is for its personality),
 * -ELOOP for more than five scripts, -ELIBBAD for an interpreter that is none, what the
 * callback gave, -ENOMEM. error names the file. The plan can be released in any case.
 */
int dz_plan_make(const struct dz_program_source *source, int program_fd, const char *guest_path,
                 struct dz_plan *plan, struct dz_error *error);

/* Close and free; harmless on a plan that is all zeroes or was released already. */
void dz_plan_release(struct dz_plan *plan);

#endif
