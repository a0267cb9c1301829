/* What is said of a process that a signal ended. */
#ifndef DZ_SIGNALS_CRASH_H
#define DZ_SIGNALS_CRASH_H

#include "signals/note.h"

#include <sys/types.h>

enum { DZ_PROCESS_NAME_MAX = 64 };

/* "process 12 (name) was ended by signal 11 (SIGSEGV)"; name: a guest's bytes, "" when it is not
 * known. */
void dz_crash_print(pid_t pid, const char *name, int signal, struct dz_note *note);

/* The kernel's name of a process (/proc/PID/comm) in `name`, "" when it has none. proc_fd: the
 * host's /proc. */
void dz_process_name(int proc_fd, pid_t pid, char name[DZ_PROCESS_NAME_MAX]);

#endif
