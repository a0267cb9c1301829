/*
 * Memory, descriptors and threads of processes outside: of the outsider, and of the supervisor,
 * whose number is not known but must be one of the numbers near the guest's own.
 *
 * without: call:process_vm_readv,call:ptrace,call:kcmp,call:get_robust_list,landlock,capabilities
 */
#include "testsuites/security/attack.h"

#include <sys/ptrace.h>
#include <sys/uio.h>

static void *volatile buffer;

static int outside(pid_t pid, bool talk) {
  static char byte[16];
  struct iovec local = {byte, 1}, remote = {(void *)0x400000, 1};
  struct {
    int error;
    const char *what;
  } tried[8];
  int count = 0, broken = 0;
  long size;

#define TRY(name, call)                                                                            \
  do {                                                                                             \
    long result = (call);                                                                          \
    tried[count].error = result >= 0 ? 0 : errno;                                                  \
    tried[count++].what = (name);                                                                  \
  } while (0)
  TRY("process_vm_readv", syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0));
  TRY("process_vm_writev", syscall(SYS_process_vm_writev, pid, &local, 0, &remote, 0, 0));
  TRY("ptrace attach", syscall(SYS_ptrace, PTRACE_ATTACH, (long)pid, 0, 0));
  TRY("ptrace seize", syscall(SYS_ptrace, PTRACE_SEIZE, (long)pid, 0, 0));
  TRY("kcmp", syscall(SYS_kcmp, pid, getpid(), 0, 0, 0));
  TRY("get_robust_list", syscall(SYS_get_robust_list, pid, &buffer, &size));
  TRY("perf_event_open", syscall(SYS_perf_event_open, byte, pid, -1, -1, 0));
  for (int i = 0; i < count; i++)
    if (tried[i].error == 0)
      broke("%s of process %d succeeded", tried[i].what, pid), broken++;
    else if (talk)
      got("%s: %s", tried[i].what, strerror(tried[i].error));
  return broken;
}

static void attack(void) {
  pid_t self = getpid(), parent = getppid();

  outside(given_pid("OUTSIDER"), true);
  for (pid_t pid = self > 100 ? self - 100 : 1; pid < self && !attack_broken; pid++)
    if (pid != parent && kill(pid, 0) < 0) /* those of the silo do not count */
      outside(pid, false);
}
