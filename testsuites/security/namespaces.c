/*
 * Namespaces: a user namespace gives all capabilities inside it, and with them a great part of the
 * kernel.
 *
 * without: call:clone,call:unshare
 */
#include "testsuites/security/attack.h"

static const struct {
  const char *name;
  unsigned long flag;
} kinds[] = {{"mnt", 0x00020000}, {"cgroup", 0x02000000},      {"uts", 0x04000000},
             {"ipc", 0x08000000}, {"user", 0x10000000},        {"pid", 0x20000000},
             {"net", 0x40000000}, {"user and mnt", 0x10020000}};

struct clone3_arguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

/* In a child: an unshare that works must not change the attack itself. */
static void try_unshare(const char *name, unsigned long flags) {
  pid_t child = fork();
  int status;

  if (child == 0)
    _exit(syscall(SYS_unshare, flags) == 0 ? 1 : 0);
  waitpid(child, &status, 0);
  if (status)
    broke("unshare of %s (flags %#lx) succeeded", name, flags);
}

static void try_clone(const char *name, unsigned long flags) {
  pid_t child = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

  if (child == 0)
    _exit(0);
  if (child > 0) {
    waitpid(child, NULL, 0);
    broke("clone with a new %s (flags %#lx) succeeded", name, flags);
  }
}

static void try_clone3(const char *name, unsigned long flags) {
  struct clone3_arguments arguments = {.flags = flags, .exit_signal = SIGCHLD};
  pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);

  if (child == 0)
    _exit(0);
  if (child > 0) {
    waitpid(child, NULL, 0);
    broke("clone3 with a new %s succeeded", name);
  }
}

static void attack(void) {
  static const char *const names[] = {"user", "mnt", "net", "pid"};
  char path[64];

  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    try_unshare(kinds[i].name, kinds[i].flag);
    try_unshare(kinds[i].name, kinds[i].flag | 1UL << 40);
    try_clone(kinds[i].name, kinds[i].flag);
    try_clone(kinds[i].name, kinds[i].flag | 1UL << 40);
    try_clone3(kinds[i].name, kinds[i].flag);
  }
  try_unshare("time", 0x80);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    int fd;

    snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
    fd = open(path, O_RDONLY);
    if (fd >= 0)
      must_fail("setns", syscall(SYS_setns, fd, 0));
    fd = open(path, O_PATH);
    if (fd >= 0)
      must_fail("setns by O_PATH", syscall(SYS_setns, fd, 0));
  }
  must_fail("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
  must_fail("pivot_root", syscall(SYS_pivot_root, ".", "."));
}
