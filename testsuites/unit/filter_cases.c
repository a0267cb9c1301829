#include "testsuites/unit/filter_cases.h"
#include "syscalls/table.h"

#define ALLOWS(call, ...)                                                                          \
  {                                                                                                \
    call, DZ_NEED_ALL, FILTER_ALLOWS, {                                                            \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
#define ASKS(call, ...)                                                                            \
  {                                                                                                \
    call, DZ_NEED_ALL, FILTER_ASKS, {                                                              \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
#define ANSWERS(errno_, call, ...)                                                                 \
  {                                                                                                \
    call, DZ_NEED_ALL, errno_, {                                                                   \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
#define ALLOWS_IN(needs, call, ...)                                                                \
  {                                                                                                \
    call, needs, FILTER_ALLOWS, {                                                                  \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }
#define ASKS_IN(needs, call, ...)                                                                  \
  {                                                                                                \
    call, needs, FILTER_ASKS, {                                                                    \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  }

/* What a register may hold above an argument of 32 bits. */
#define HIGH 0xdeadbeef00000000
#define ABOVE (1UL << 32)
#define NO_FD 0xffffffffUL
#define CWD_FD 0xffffff9cUL /* AT_FDCWD */

/* clang-format off */
const struct filter_case filter_cases[] = {
    ALLOWS("read", NO_FD),
    ALLOWS("getpid"),
    ALLOWS("futex", 0, 1),
    ALLOWS("setpgid", 0, 0),
    ALLOWS("pidfd_send_signal", NO_FD),
    ALLOWS("accept4", NO_FD),
    ALLOWS("sendmsg", NO_FD),

    /* names */
    ASKS("open"), ASKS("openat", CWD_FD), ASKS("openat", NO_FD), ASKS("openat", 5),
    ASKS("openat2", 5),
    ASKS("newfstatat", 3), ASKS("statx", 3), ASKS("faccessat2", 3), ASKS("readlinkat", 3),
    ASKS("unlinkat", 3), ASKS("renameat2", 3), ASKS("fchmodat2", 3), ASKS("setxattrat", 3),
    ASKS("file_setattr", 3), ASKS("execve"), ASKS("execveat", 3), ASKS("inotify_add_watch", NO_FD),
    ASKS("chdir"), ASKS("fchdir", NO_FD), ASKS("chroot"), ASKS("getcwd"), ASKS("umask", 022),
    ASKS("connect", NO_FD), ASKS("bind", NO_FD), ASKS("getsockname", NO_FD),
    ASKS("getpeername", NO_FD), ASKS("mq_open"), ASKS("shmget"), ASKS("shmat"), ASKS("msgsnd"),
    ASKS("keyctl"), ASKS("statmount"), ASKS("statfs"),

    /* processes */
    ASKS("kill"), ASKS("tkill", 1), ASKS("tgkill", 1, 1), ASKS("rt_sigqueueinfo", 1),
    ASKS("rt_tgsigqueueinfo", 1, 1), ASKS("ptrace", 0), ASKS("process_vm_readv", 1),
    ASKS("process_vm_writev", 1), ASKS("kcmp", 1, 1), ASKS("pidfd_open", 1), ASKS("pidfd_getfd"),
    ASKS("setns", NO_FD), ASKS("getppid"), ASKS("seccomp", 99),
    ALLOWS("getpgid", 0), ALLOWS("getpgid", HIGH), ASKS("getpgid", 1), ASKS("getpgid", HIGH | 1),
    ALLOWS("getsid", 0), ASKS("getsid", 1),
    ALLOWS("getpriority", 0, 0), ALLOWS("getpriority", HIGH, HIGH), ASKS("getpriority", 0, 1),
    ASKS("getpriority", 1, 0), ASKS("getpriority", 2, 0), ASKS("setpriority", 2, 0, 19),
    ALLOWS("setpriority", 0, 0, 19), ASKS("setpriority", HIGH, HIGH | 1, 19),
    ALLOWS("ioprio_get", 1, 0), ASKS("ioprio_get", 1, 1), ASKS("ioprio_get", 3, 0),
    ASKS("ioprio_set", 2, 0), ALLOWS("sched_getscheduler", 0), ASKS("sched_getscheduler", 1),
    ALLOWS("sched_getaffinity", HIGH, 0, 0), ASKS("sched_getaffinity", HIGH | 7, 0, 0),
    ASKS("sched_setaffinity", 1), ASKS("sched_setattr", 1), ALLOWS("sched_getattr", 0),
    ALLOWS("get_robust_list", 0), ASKS("get_robust_list", 1), ALLOWS("move_pages", 0),
    ASKS("move_pages", 1), ASKS("migrate_pages", 1),

    /* clocks of processes: ~pid << 3 | thread << 2 | kind */
    ALLOWS("clock_gettime", 0), ALLOWS("clock_gettime", HIGH | 1), ALLOWS("clock_gettime", 99),
    ALLOWS("clock_gettime", (uint64_t)-6), ALLOWS("clock_gettime", 0xfffffffa),
    ALLOWS("clock_gettime", 0xfffffff6),  /* thread 1 */
    ALLOWS("clock_gettime", 0xfffffff3),  /* descriptor 1 */
    ASKS("clock_gettime", 0xfffffff0), ASKS("clock_gettime", 0xfffffff2), /* process 1 */
    ASKS("clock_gettime", (uint64_t)-14), ASKS("clock_gettime", HIGH | 0xfffffff1),
    ASKS("clock_gettime", 0x80000000), ASKS("clock_getres", 0xfffffff2),
    ASKS("clock_nanosleep", 0xfffffff2), ASKS("timer_create", 0xfffffff2),
    ALLOWS("clock_getres", 1),
    ALLOWS("timer_create", 77),

    /* clone; SIGHAND without VM, and THREAD without SIGHAND, are EINVAL */
    ALLOWS("clone", 0x800), ALLOWS("clone", HIGH | 0x800), ALLOWS("clone", 0x10200),
    ASKS("clone", 0xa00), ASKS("clone", 0x10000), ASKS("clone", 0x10020800),
    ASKS("clone", 0x20000800), ASKS("clone", 0x40000800), ASKS("clone", 0x00020800),
    ASKS("clone", 0x02000800), ASKS("clone", 0x04000800), ASKS("clone", 0x08000800),
    ASKS("clone", HIGH | 0x10010200), ANSWERS(ENOSYS, "clone3"),
    ALLOWS("unshare", 0), ALLOWS("unshare", 0x400), ASKS("unshare", 0x200),
    ASKS("unshare", 0x10000000), ASKS("unshare", 0x80), ASKS("unshare", ABOVE),
    ASKS("unshare", ABOVE << 31),

    /* the state tag */
    ALLOWS("getrlimit", 7), ALLOWS("getrlimit", HIGH | 7), ASKS("getrlimit", 10),
    ASKS("getrlimit", HIGH | 10), ASKS("setrlimit", 10), ASKS("setrlimit", ABOVE | 10),
    ALLOWS("prlimit64", 0, 7), ALLOWS("prlimit64", HIGH, HIGH | 7), ASKS("prlimit64", 1, 7),
    ASKS("prlimit64", 0, 10), ASKS("prlimit64", HIGH, HIGH | 10), ASKS("prlimit64", HIGH | 1, 7),

    /* sockets: families 1 local, 2 and 10 internet, 16 netlink; types 1 stream, 2 datagram, 3 raw,
     * 5 sequenced packets, 10 packet; flags 0x800 and 0x80000 */
    ALLOWS("socket", 2, 0x80001), ALLOWS("socket", 10, 0x802), ALLOWS("socket", 1, 0x80801),
    ALLOWS("socket", 1, 5), ALLOWS("socket", HIGH | 1, HIGH | 1, HIGH), ALLOWS("socket", 16, 3),
    ALLOWS("socket", 16, 2, HIGH), ASKS("socket", 1, 2), ASKS("socket", ABOVE | 1, 2),
    ASKS("socket", HIGH | 1, HIGH | 0x80002), ASKS("socket", 1, 3), ASKS("socket", 1, 0x80803),
    ASKS("socket", 2, 3), ASKS("socket", 2, 10), ASKS("socket", 10, 3), ASKS("socket", 16, 3, 9),
    ASKS("socket", 17, 3), ASKS("socket", 40, 1), ASKS("socket", 38, 5), ASKS("socket", 0, 1),
    ALLOWS("socketpair", 1, 1), ALLOWS("socketpair", 1, 0x80005), ASKS("socketpair", 1, 2),
    ASKS("socketpair", 1, 3), ASKS("socketpair", ABOVE | 1, ABOVE | 2), ASKS("socketpair", 2, 1),
    ALLOWS("getsockopt", NO_FD, 1, 3), ALLOWS("getsockopt", NO_FD, 6, 17),
    ASKS("getsockopt", NO_FD, 1, 17), ASKS("getsockopt", NO_FD, 1, 59),
    ASKS("getsockopt", NO_FD, 1, 77), ASKS("getsockopt", NO_FD, HIGH | 1, HIGH | 77),
    ALLOWS("setsockopt", NO_FD, 1, 2), ALLOWS("setsockopt", NO_FD, 6, 76),
    ANSWERS(ENOPROTOOPT, "setsockopt", NO_FD, 1, 76),
    ANSWERS(ENOPROTOOPT, "setsockopt", NO_FD, HIGH | 1, HIGH | 76),

    /* fcntl: O_ASYNC is 0x2000 */
    ALLOWS("fcntl", NO_FD, 1), ALLOWS("fcntl", NO_FD, HIGH | 1030), ALLOWS("fcntl", NO_FD, 38),
    ALLOWS("fcntl", NO_FD, 4, 0x800), ALLOWS("fcntl", NO_FD, 4, HIGH | 0x400),
    ASKS("fcntl", NO_FD, 4, 0x2000), ASKS("fcntl", NO_FD, 4, 0x2c00),
    ASKS("fcntl", NO_FD, HIGH | 4, HIGH | 0x2000), ASKS("fcntl", NO_FD, 8),
    ASKS("fcntl", NO_FD, ABOVE | 8), ASKS("fcntl", NO_FD, 9), ASKS("fcntl", NO_FD, 10),
    ASKS("fcntl", NO_FD, 15), ASKS("fcntl", NO_FD, 16), ASKS("fcntl", NO_FD, 1024),
    ASKS("fcntl", NO_FD, HIGH | 1024), ASKS("fcntl", NO_FD, 1026), ASKS("fcntl", NO_FD, 4000),
    ALLOWS("fcntl", NO_FD, 1035), ASKS("fcntl", NO_FD, 1036),
    ALLOWS_IN(DZ_NEED_OWNER_VIEW, "fcntl", NO_FD, 1036),

    /* ioctl: TCGETS, TIOCGWINSZ, FIONREAD, SIOCGIFCONF, UFFDIO_COPY, FICLONE, FS_IOC_GETFLAGS */
    ALLOWS("ioctl", NO_FD, 0x5401), ALLOWS("ioctl", NO_FD, HIGH | 0x5401),
    ALLOWS("ioctl", NO_FD, 0x5413), ALLOWS("ioctl", NO_FD, 0x541b), ALLOWS("ioctl", NO_FD, 0x8912),
    ALLOWS("ioctl", NO_FD, 0xc028aa03), ALLOWS("ioctl", NO_FD, 0x40049409),
    ALLOWS("ioctl", NO_FD, 0x80086601), ALLOWS("ioctl", NO_FD, 0xffffffff80086601),
    /* TIOCSTI, TIOCLINUX, TIOCGPTPEER, TIOCCONS, TIOCSETD; TIOCSPGRP keeps to its own session */
    ALLOWS("ioctl", NO_FD, 0x5410),
    ASKS("ioctl", NO_FD, 0x5412), ASKS("ioctl", NO_FD, ABOVE | 0x5412),
    ASKS("ioctl", NO_FD, 0x541c),
    ASKS("ioctl", NO_FD, 0x5441), ASKS("ioctl", NO_FD, 0x541d),
    ASKS("ioctl", NO_FD, 0x5423),
    /* FIOASYNC, FIOSETOWN, SIOCSPGRP, BLKRRPART, SIOCSIFFLAGS, SIOCUNIXFILE, NS_GET_PARENT,
     * USERFAULTFD_IOC_NEW, none */
    ASKS("ioctl", NO_FD, 0x5452), ASKS("ioctl", NO_FD, 0x8901), ASKS("ioctl", NO_FD, 0x8902),
    ASKS("ioctl", NO_FD, 0x125f), ASKS("ioctl", NO_FD, 0x8914), ASKS("ioctl", NO_FD, 0x89e0),
    ASKS("ioctl", NO_FD, 0xb702), ASKS("ioctl", NO_FD, 0xaa00), ASKS("ioctl", NO_FD, 0),
    /* FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR */
    ASKS("ioctl", NO_FD, 0x40086602), ASKS_IN(DZ_NEED_GUARD, "ioctl", NO_FD, 0x40086602),
    ASKS_IN(DZ_NEED_OWNER_VIEW, "ioctl", NO_FD, 0x401c5820),
    ALLOWS_IN(DZ_NEED_IDENTITY, "ioctl", NO_FD, 0x40086602),
    ALLOWS_IN(0, "ioctl", NO_FD, 0x401c5820), ASKS_IN(0, "ioctl", NO_FD, 0x5412),

    /* prctl: names, no_new_privs; then DUMPABLE, SECCOMP, MM, PTRACER, SCHED_CORE, KEEPCAPS,
     * CAPBSET_DROP, SECUREBITS, CAP_AMBIENT */
    ALLOWS("prctl", 15), ALLOWS("prctl", HIGH | 15), ALLOWS("prctl", 16), ALLOWS("prctl", 38, 1),
    ALLOWS("prctl", 0x53564d41, 1), ASKS("prctl", 4), ASKS("prctl", HIGH | 4), ASKS("prctl", 3),
    ASKS("prctl", 22), ASKS("prctl", 21), ASKS("prctl", 35), ASKS("prctl", 0x59616d61),
    ASKS("prctl", 62), ASKS("prctl", 8), ASKS("prctl", 24), ASKS("prctl", 28), ASKS("prctl", 47),
    ASKS("prctl", 5000),
    ALLOWS("personality", 0xffffffff), ALLOWS("personality", HIGH | 0xffffffff),
    ALLOWS("personality", 0), ALLOWS("personality", 0x40000), ASKS("personality", 8),
    ASKS("personality", 0x440000),

    ALLOWS("userfaultfd", 1), ALLOWS("userfaultfd", HIGH | 0x80801),
    ANSWERS(EPERM, "userfaultfd", 0), ANSWERS(EPERM, "userfaultfd", HIGH),
    ANSWERS(EPERM, "userfaultfd", 0x80800),

    /* what a silo may not need */
    ASKS("utimensat", NO_FD), ASKS_IN(DZ_NEED_GUARD, "utimensat", NO_FD),
    ASKS_IN(DZ_NEED_OWNER_VIEW, "utimensat", NO_FD), ALLOWS_IN(0, "utimensat", NO_FD),
    ALLOWS_IN(DZ_NEED_IDENTITY, "utimensat", HIGH | NO_FD), ASKS_IN(0, "utimensat", CWD_FD),
    ASKS_IN(0, "utimensat", HIGH | CWD_FD), ASKS_IN(0, "utimensat", NO_FD, 1),
    ASKS_IN(0, "utimensat", NO_FD, ABOVE), ASKS_IN(0, "utimensat", NO_FD, HIGH),
    ALLOWS_IN(0, "futimesat", NO_FD), ASKS_IN(0, "futimesat", CWD_FD),
    ASKS_IN(0, "futimesat", NO_FD, ABOVE),
    ASKS("fstat", NO_FD), ASKS_IN(DZ_NEED_OWNER_VIEW, "fstat", NO_FD), ALLOWS_IN(0, "fstat", NO_FD),
    ALLOWS_IN(DZ_NEED_GUARD, "fstat", NO_FD), ASKS_IN(DZ_NEED_GUARD, "fchmod", NO_FD),
    ASKS_IN(DZ_NEED_OWNER_VIEW, "fchmod", NO_FD), ALLOWS_IN(DZ_NEED_IDENTITY, "fchmod", NO_FD),
    ASKS_IN(DZ_NEED_GUARD, "fchown", NO_FD), ALLOWS_IN(0, "fchown", NO_FD),
    ASKS_IN(DZ_NEED_GUARD, "fsetxattr", NO_FD), ALLOWS_IN(DZ_NEED_GUARD, "fgetxattr", NO_FD),
    ASKS_IN(DZ_NEED_OWNER_VIEW, "flistxattr", NO_FD), ALLOWS_IN(0, "fremovexattr", NO_FD),
    ASKS_IN(DZ_NEED_MERGED_DIRS, "getdents64", NO_FD),
    ASKS_IN(DZ_NEED_MERGED_DIRS, "getdents", NO_FD),
    ALLOWS_IN(DZ_NEED_ALL & ~DZ_NEED_MERGED_DIRS, "getdents64", NO_FD),
    ASKS_IN(DZ_NEED_IDENTITY, "getuid"), ALLOWS_IN(0, "getuid"), ASKS_IN(0, "setuid", 0),
    ASKS_IN(DZ_NEED_IDENTITY, "getgroups"), ALLOWS_IN(DZ_NEED_GUARD, "getresgid"),
    ASKS_IN(0, "open"), ASKS_IN(0, "kill"), ASKS_IN(0, "execve"), ASKS_IN(0, "fchdir", NO_FD),

    /* refused */
    ANSWERS(EPERM, "reboot"), ANSWERS(EPERM, "mount"), ANSWERS(EPERM, "umount2"),
    ANSWERS(EPERM, "pivot_root"), ANSWERS(EPERM, "bpf"), ANSWERS(EPERM, "io_uring_setup"),
    ANSWERS(EPERM, "io_uring_enter"), ANSWERS(EPERM, "io_uring_register"),
    ANSWERS(EPERM, "init_module"), ANSWERS(EPERM, "finit_module"), ANSWERS(EPERM, "kexec_load"),
    ANSWERS(EPERM, "open_by_handle_at"), ANSWERS(EOPNOTSUPP, "name_to_handle_at"),
    ANSWERS(EPERM, "open_tree"), ANSWERS(EPERM, "fsopen"), ANSWERS(EPERM, "mount_setattr"),
    ANSWERS(EPERM, "settimeofday"), ANSWERS(EPERM, "clock_settime"), ANSWERS(EPERM, "syslog"),
    ANSWERS(EACCES, "perf_event_open"), ANSWERS(EPERM, "fanotify_init"), ANSWERS(EPERM, "vhangup"),
    ANSWERS(EOPNOTSUPP, "landlock_create_ruleset"), ANSWERS(ENOSYS, "nfsservctl"),
    ANSWERS(ENOSYS, "uselib"), ANSWERS(ENOSYS, "_sysctl"),
};
/* clang-format on */

const size_t filter_case_count = DZ_ARRAY_SIZE(filter_cases);
