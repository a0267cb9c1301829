/*
 * What the CHECKED rows of linux_x86_64.def leave to the host's kernel: the
 * part of the boundary that depends on register arguments.
 *
 *   RULE(call, alternatives...)
 *
 * The call is native when any alternative holds:
 *   WHEN(conditions...)           all conditions hold
 *   UNLESS(needs, conditions...)  and the silo has none of these needs
 *
 * A condition names an argument of the row and compares it at its width:
 *   IN(argument, values...), NOT_IN(argument, values...)
 *   MASK(argument, mask, value)   (argument & mask) == value
 *
 * What no alternative allows goes to the handler, or is answered with the row's
 * ERRNO. A request, option or command that Linux gains tomorrow is in no list,
 * and so is not native: write lists of what is allowed. NOT_IN is for sets
 * whose other members the kernel itself keeps harmless, old and new.
 */
#include "syscalls/table.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* Constants that are newer than Linux 6.1's headers, from include/uapi of Linux 6.18. */
#ifndef F_DUPFD_QUERY /* linux/fcntl.h */
#define F_DUPFD_QUERY 1027
#endif
#ifndef F_CREATED_QUERY /* linux/fcntl.h */
#define F_CREATED_QUERY 1028
#endif
#ifndef SO_PASSPIDFD /* asm-generic/socket.h */
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD /* asm-generic/socket.h */
#define SO_PEERPIDFD 77
#endif
#ifndef PR_SET_MDWE /* linux/prctl.h */
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_AUXV /* linux/prctl.h */
#define PR_GET_AUXV 0x41555856
#endif
#ifndef UFFDIO_MOVE /* linux/userfaultfd.h: _IOWR(0xAA, 0x05, 40 bytes) */
#define UFFDIO_MOVE 0xc028aa05
#endif
#ifndef UFFDIO_POISON /* linux/userfaultfd.h: _IOWR(0xAA, 0x08, 32 bytes) */
#define UFFDIO_POISON 0xc020aa08
#endif

#define IN(argument_, ...) VALUES(DZ_CONDITION_IN, argument_, __VA_ARGS__)
#define NOT_IN(argument_, ...) VALUES(DZ_CONDITION_NOT_IN, argument_, __VA_ARGS__)
#define VALUES(kind_, argument_, ...)                                                              \
  {                                                                                                \
    .kind = kind_, .argument = #argument_, .values = (const uint64_t[]){__VA_ARGS__},              \
    .value_count = DZ_ARRAY_SIZE(((const uint64_t[]){__VA_ARGS__})),                               \
  }
#define MASK(argument_, mask_, value_)                                                             \
  { .kind = DZ_CONDITION_MASK, .argument = #argument_, .mask = (mask_), .value = (value_) }
#define WHEN(...)                                                                                  \
  {                                                                                                \
    .all = { __VA_ARGS__ }                                                                         \
  }
#define UNLESS(needs_, ...)                                                                        \
  {                                                                                                \
    .unless = (needs_), .all = { __VA_ARGS__ }                                                     \
  }
#define RULE(name_, ...) const struct dz_rule dz_rule_##name_ = {.any = {__VA_ARGS__}};

/* clang-format off */

/* Namespaces are the silo's affair. A working directory (fs_struct) is shared by the threads of a
 * process and by nobody else, or the supervisor has to know. Flags end at bit 31: clone() takes no
 * more (kernel/fork.c, lower_32_bits). */
#define CLONE_NEW_ANY                                                                              \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |    \
   CLONE_NEWNET)
RULE(clone,
     WHEN(MASK(flags, CLONE_NEW_ANY | CLONE_FS | CLONE_THREAD, 0)),
     WHEN(MASK(flags, CLONE_NEW_ANY | CLONE_FS | CLONE_THREAD, CLONE_FS | CLONE_THREAD)))
RULE(unshare, WHEN(MASK(flags, ~(uint64_t)(CLONE_FILES | CLONE_SYSVSEM), 0)))
RULE(personality, WHEN(IN(persona, 0xffffffff, PER_LINUX, ADDR_NO_RANDOMIZE)))

/* Processes by number: 0 is the caller. PRIO_USER 0 is every process of the host's user. */
RULE(getpgid, WHEN(IN(pid, 0)))
RULE(getsid, WHEN(IN(pid, 0)))
RULE(getpriority, WHEN(IN(which, PRIO_PROCESS), IN(who, 0)))
RULE(setpriority, WHEN(IN(which, PRIO_PROCESS), IN(who, 0)))
RULE(ioprio_get, WHEN(IN(which, IOPRIO_WHO_PROCESS), IN(who, 0)))
RULE(ioprio_set, WHEN(IN(which, IOPRIO_WHO_PROCESS), IN(who, 0)))
RULE(sched_setparam, WHEN(IN(pid, 0)))
RULE(sched_getparam, WHEN(IN(pid, 0)))
RULE(sched_setscheduler, WHEN(IN(pid, 0)))
RULE(sched_getscheduler, WHEN(IN(pid, 0)))
RULE(sched_rr_get_interval, WHEN(IN(pid, 0)))
RULE(sched_setaffinity, WHEN(IN(pid, 0)))
RULE(sched_getaffinity, WHEN(IN(pid, 0)))
RULE(sched_setattr, WHEN(IN(pid, 0)))
RULE(sched_getattr, WHEN(IN(pid, 0)))
RULE(get_robust_list, WHEN(IN(pid, 0)))
RULE(migrate_pages, WHEN(IN(pid, 0)))
RULE(move_pages, WHEN(IN(pid, 0)))

/* A negative clock is a process's or thread's CPU clock, or a descriptor's:
 *   ~number << 3 | thread << 2 | kind    (include/linux/posix-timers.h; kind 3: descriptor)
 * The kernel gives thread clocks to the thread's own process only (kernel/time/posix-cpu-timers.c,
 * pid_for_clock), a process's to everybody; number 0 is the caller. */
#define CLOCK_RULE                                                                                 \
  WHEN(MASK(clockid, 0x80000000, 0)), WHEN(MASK(clockid, 0x80000004, 0x80000004)),                 \
      WHEN(MASK(clockid, 0x80000007, 0x80000003)), WHEN(MASK(clockid, 0xfffffff8, 0xfffffff8))
RULE(clock_gettime, CLOCK_RULE)
RULE(clock_getres, CLOCK_RULE)
RULE(clock_nanosleep, CLOCK_RULE)
RULE(timer_create, CLOCK_RULE)

/* RLIMIT_LOCKS carries the state tag. */
RULE(getrlimit, WHEN(NOT_IN(resource, RLIMIT_LOCKS)))
RULE(setrlimit, WHEN(NOT_IN(resource, RLIMIT_LOCKS)))
RULE(prlimit64, WHEN(IN(pid, 0), NOT_IN(resource, RLIMIT_LOCKS)))

/* Local datagram sockets can send to a host socket by its path. So can raw local ones: the kernel
 * makes datagram sockets of them (net/unix/af_unix.c, unix_create). Bits 0 to 3 are the type, the
 * others SOCK_NONBLOCK and SOCK_CLOEXEC (include/linux/net.h, SOCK_TYPE_MASK). */
RULE(socket,
     WHEN(IN(domain, AF_INET, AF_INET6), MASK(type, 0xf, SOCK_STREAM)),
     WHEN(IN(domain, AF_INET, AF_INET6), MASK(type, 0xf, SOCK_DGRAM)),
     WHEN(IN(domain, AF_UNIX), MASK(type, 0xf, SOCK_STREAM)),
     WHEN(IN(domain, AF_UNIX), MASK(type, 0xf, SOCK_SEQPACKET)),
     WHEN(IN(domain, AF_NETLINK), IN(protocol, NETLINK_ROUTE)))
RULE(socketpair,
     WHEN(IN(domain, AF_UNIX), MASK(type, 0xf, SOCK_STREAM)),
     WHEN(IN(domain, AF_UNIX), MASK(type, 0xf, SOCK_SEQPACKET)))

/* Who is at the other end: of a connection that the supervisor made, the supervisor; of one to a
 * host socket, a process of the host. A pidfd of either could be sent signals. */
RULE(getsockopt,
     WHEN(NOT_IN(level, SOL_SOCKET)),
     WHEN(NOT_IN(optname, SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD)))
RULE(setsockopt,
     WHEN(NOT_IN(level, SOL_SOCKET)),
     WHEN(NOT_IN(optname, SO_PASSPIDFD)))

RULE(userfaultfd, WHEN(MASK(flags, UFFD_USER_MODE_ONLY, UFFD_USER_MODE_ONLY)))

/* By descriptor when there is no path; the kernel wants a real one then (fs/utimes.c). */
RULE(futimesat,
     UNLESS(DZ_NEED_GUARD | DZ_NEED_OWNER_VIEW, IN(pathname, 0), NOT_IN(dirfd, AT_FDCWD)))
RULE(utimensat,
     UNLESS(DZ_NEED_GUARD | DZ_NEED_OWNER_VIEW, IN(pathname, 0), NOT_IN(dirfd, AT_FDCWD)))

/* Not here: owners and signals of a descriptor (F_SETOWN and its kin, O_ASYNC) send signals to
 * processes by number, leases and F_NOTIFY send them at another process's doing. */
RULE(fcntl,
     WHEN(IN(cmd, F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL,
             F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
             F_GETPIPE_SZ, F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
             F_DUPFD_QUERY, F_CREATED_QUERY, F_GET_RW_HINT)),
     WHEN(IN(cmd, F_SETFL), MASK(arg, O_ASYNC, 0)),
     UNLESS(DZ_NEED_GUARD, IN(cmd, F_SET_RW_HINT)))

/* TIOCSPGRP takes a process group only of the caller's own session, which is the silo's, and answers
 * EPERM for all others, existing or not (tiocspgrp() of drivers/tty/tty_jobctrl.c).
 * Not here: TIOCSTI, TIOCLINUX (type into a terminal), TIOCGPTPEER (opens by a descriptor what the silo names by path), TIOCCONS, TIOCSETD, FIOASYNC,
 * FIOSETOWN and SIOCSPGRP (signals), everything of block devices and other drivers. */
RULE(ioctl,
     WHEN(IN(request, TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX,
             /* terminals */
             TCSETS, TCSETSW, TCSETSF, TCGETA, TCSETA, TCSETAW, TCSETAF, TCGETS2, TCSETS2,
             TCSETSW2, TCSETSF2, TCSBRK, TCSBRKP, TIOCSBRK, TIOCCBRK, TCXONC, TCFLSH, TIOCSWINSZ,
             TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY, TIOCNOTTY, TIOCOUTQ, TIOCEXCL, TIOCNXCL,
             TIOCGEXCL, TIOCGETD, TIOCMGET,
             /* pseudo-terminal masters */
             TIOCGPTN, TIOCSPTLCK, TIOCGPTLCK, TIOCPKT, TIOCGPKT)),
     /* files: they read, or write through a descriptor that is open for writing */
     WHEN(IN(request, FIOQSIZE, FIGETBSZ, FS_IOC_GETFLAGS, FS_IOC_GETVERSION, FS_IOC_FSGETXATTR,
             FS_IOC_FIEMAP, FICLONE, FICLONERANGE)),
     /* files: they change attributes, through any descriptor */
     UNLESS(DZ_NEED_GUARD | DZ_NEED_OWNER_VIEW, IN(request, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR)),
     /* sockets and the host's network interfaces, which are the guest's */
     WHEN(IN(request, SIOCATMARK, SIOCGSTAMP_OLD, SIOCGSTAMPNS_OLD, SIOCGSTAMP_NEW,
             SIOCGSTAMPNS_NEW, SIOCOUTQNSD, SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR,
             SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK, SIOCGIFMETRIC, SIOCGIFMTU,
             SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFTXQLEN, SIOCGIFMAP)),
     /* userfaultfd: the memory of the process that made the descriptor */
     WHEN(IN(request, UFFDIO_API, UFFDIO_REGISTER, UFFDIO_UNREGISTER, UFFDIO_WAKE, UFFDIO_COPY,
             UFFDIO_ZEROPAGE, UFFDIO_MOVE, UFFDIO_WRITEPROTECT, UFFDIO_CONTINUE, UFFDIO_POISON)))

/* Not here: PR_SET_DUMPABLE (shuts the supervisor out), PR_SET_SECCOMP, PR_SET_MM, PR_SET_PTRACER
 * and PR_SCHED_CORE (name processes), what the guest's own credentials answer. */
RULE(prctl,
     WHEN(IN(option, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_SET_PDEATHSIG, PR_GET_PDEATHSIG,
             PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS,
             PR_GET_NO_NEW_PRIVS, PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_SET_THP_DISABLE,
             PR_GET_THP_DISABLE, PR_SET_TIMING, PR_GET_TIMING, PR_SET_TSC, PR_GET_TSC,
             PR_MCE_KILL, PR_MCE_KILL_GET, PR_GET_TID_ADDRESS, PR_GET_SPECULATION_CTRL,
             PR_SET_SPECULATION_CTRL, PR_SET_SYSCALL_USER_DISPATCH, PR_SET_MDWE, PR_GET_MDWE,
             PR_TASK_PERF_EVENTS_DISABLE, PR_TASK_PERF_EVENTS_ENABLE, PR_GET_AUXV)))

/* clang-format on */
