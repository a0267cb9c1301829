/*
 * Started by root, a guest has no capability of the host, neither itself nor through what the
 * supervisor does for it. run.sh also looks at the process from the host.
 *
 * users: root
 * without: capabilities
 */
#include "testsuites/security/attack.h"

#include <sys/resource.h>
#include <sys/socket.h>

static void attack(void) {
  struct rlimit limit, more;
  int priority = 1;
  pid_t self = getpid();

  /* those that the kernel answers */
  must_fail("setpriority", syscall(SYS_setpriority, PRIO_PROCESS, 0, -5));
  must_fail("sched_setscheduler", syscall(SYS_sched_setscheduler, 0, 1 /* FIFO */, &priority));
  must_fail("ioprio_set", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
  /* those that name a process: the supervisor's */
  must_fail("setpriority by number", syscall(SYS_setpriority, PRIO_PROCESS, self, -5));
  must_fail("setpriority of the group", syscall(SYS_setpriority, PRIO_PGRP, 0, -5));
  must_fail("sched_setscheduler by number", syscall(SYS_sched_setscheduler, self, 1, &priority));
  must_fail("ioprio_set by number", syscall(SYS_ioprio_set, 1, self, 1 << 13));
  syscall(SYS_prlimit64, self, 7, NULL, &limit);
  more = (struct rlimit){limit.rlim_cur, limit.rlim_max + 1};
  if (limit.rlim_max != RLIM_INFINITY) {
    must_fail("a higher limit", syscall(SYS_prlimit64, 0, 7, &more, NULL));
    must_fail("a higher limit by number", syscall(SYS_prlimit64, self, 7, &more, NULL));
  }
  must_fail("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
  must_fail("a raw socket", socket(AF_INET, SOCK_RAW, 1));
  must_fail("a packet socket", socket(AF_PACKET, SOCK_RAW, 0));
  must_fail("a device node", mknod("/tmp/node", S_IFCHR | 0666, 0x103));
  must_fail("settimeofday", syscall(SYS_settimeofday, (long[]){1, 1}, NULL));
  must_fail("sethostname", syscall(SYS_sethostname, "attack", 6));
  must_fail("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
  must_fail("init_module", syscall(SYS_init_module, "", 0, ""));
  must_fail("iopl", syscall(SYS_iopl, 3));
  must_fail("bpf", syscall(SYS_bpf, 0, NULL, 0));
  must_fail("a file capability", syscall(SYS_setxattr, "/bin/chosen", "security.capability",
                                         "\1\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0));
  must_fail("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, "x", O_RDONLY));
}
