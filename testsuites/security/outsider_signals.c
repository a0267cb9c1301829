/*
 * Signals to a process outside, by its number, its thread's, a pidfd, and with a value.
 *
 * without: membership,landlock
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  pid_t outsider = given_pid("OUTSIDER"), child;
  siginfo_t info = {.si_code = SI_QUEUE};
  int pidfd, directory, clone_fd = -1;

  must_fail("kill, 0", syscall(SYS_kill, outsider, 0));
  must_fail("kill", syscall(SYS_kill, outsider, SIGURG));
  must_fail("tkill", syscall(SYS_tkill, outsider, SIGURG));
  must_fail("tgkill", syscall(SYS_tgkill, outsider, outsider, SIGURG));
  must_fail("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, outsider, SIGURG, &info));
  must_fail("rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, outsider, outsider, SIGURG, &info));
  for (unsigned flags = 0; flags <= O_EXCL; flags += O_EXCL) {
    pidfd = (int)syscall(SYS_pidfd_open, outsider, flags);
    must_fail("pidfd_open", pidfd);
    if (pidfd >= 0)
      syscall(SYS_pidfd_send_signal, pidfd, SIGURG, NULL, 0);
  }
  /* a directory of /proc is a pidfd (pidfd_send_signal(2)) */
  directory = open("/proc/self", O_RDONLY | O_DIRECTORY);
  if (directory >= 0 && syscall(SYS_pidfd_send_signal, directory, 0, NULL, 0) == 0)
    got("a directory of /proc is a pidfd of its own process");
  /* one's own child's pidfd, and flags that widen it to a group: the group is the silo's */
  child = (pid_t)syscall(SYS_clone, 0x1000 /* CLONE_PIDFD */ | SIGCHLD, 0, &clone_fd, 0, 0);
  if (child == 0) {
    pause();
    _exit(0);
  }
  signal(SIGURG, SIG_IGN);
  syscall(SYS_pidfd_send_signal, clone_fd, SIGURG, NULL, 4 /* PIDFD_SIGNAL_PROCESS_GROUP */);
  syscall(SYS_kill, child, SIGKILL);
  pause_for(0.1);
}
