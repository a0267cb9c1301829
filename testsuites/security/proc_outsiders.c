/*
 * /proc of processes outside: the outsider's, the supervisor's and everybody's, and what stands in
 * /proc for all of the host.
 *
 * without: - a process without a record has no node in the guest's /proc: there is no check to
 * leave out
 */
#include "testsuites/security/attack.h"

#define HIGHEST 32768

static void look_into(pid_t pid) {
  static const char *const entries[] = {"",           "/root",    "/cwd",     "/exe",
                                        "/mem",       "/environ", "/maps",    "/fd",
                                        "/fd/0",      "/fd/3",    "/ns/mnt",  "/map_files",
                                        "/task",      "/status",  "/cmdline", "/root/etc/passwd",
                                        "/cwd/secret"};

  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    char path[64], text[64];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d%s", pid, entries[i]);
    if (open(path, O_RDONLY) >= 0 || open(path, O_PATH) >= 0 || lstat(path, &st) == 0 ||
        readlink(path, text, sizeof text) >= 0)
      broke("%s of a process outside is there", path);
  }
}

static void attack(void) {
  static const char *const of_host[] = {"/proc/kcore",    "/proc/kmsg",      "/proc/sysrq-trigger",
                                        "/proc/kallsyms", "/proc/keys",      "/proc/1/root",
                                        "/proc/modules",  "/proc/timer_list"};
  pid_t self = getpid();
  char path[32];
  int seen = 0;

  look_into(given_pid("OUTSIDER"));
  for (size_t i = 0; i < sizeof of_host / sizeof *of_host; i++)
    must_fail(of_host[i], open(of_host[i], O_RDONLY));
  for (pid_t pid = 1; pid < HIGHEST; pid++) {
    struct stat st;

    snprintf(path, sizeof path, "/proc/%d", pid);
    if (pid == self || lstat(path, &st))
      continue;
    broke("%s is there", path);
    seen++;
  }
  must_fail("a write to /proc/sys", open("/proc/sys/kernel/core_pattern", O_WRONLY));
  must_fail("a write to /proc/sys", open("/proc/sys/kernel/hostname", O_WRONLY));
  got("%d processes besides this one", seen);
}
