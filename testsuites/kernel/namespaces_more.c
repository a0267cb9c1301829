/* More for level `silo`: layers, filters that leave set-uid alone, and more than one id. */
#include "testsuites/kernel/guest.h"
#include "testsuites/kernel/namespaces.h"
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int make_layers(void) {
  static const char *const directories[] = {"lower", "upper", "work", "merged", "lower/dir"};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(directories); i++)
    if (mkdir(directories[i], 0755) < 0)
      return -errno;
  return dz_probe_write_file(AT_FDCWD, "lower/file", "below\n");
}

static int overlay(struct dz_probe_report *report) {
  struct stat status;

  if (make_layers() < 0)
    return dz_probe_lacks(report, -EIO, "no layers could be made");
  if (mount("overlay", "merged", "overlay", 0,
            "lowerdir=lower,upperdir=upper,workdir=work,userxattr") < 0)
    return dz_probe_lacks(report, -errno, "mount with userxattr (Linux 5.11): %s", strerror(errno));
  if (dz_probe_write_file(AT_FDCWD, "merged/file", "above\n") < 0 ||
      stat("upper/file", &status) < 0)
    return dz_probe_lacks(report, -EIO, "a file is not copied up: %s", strerror(errno));
  if (unlink("merged/file") < 0 || stat("lower/file", &status) < 0 ||
      stat("merged/file", &status) == 0)
    return dz_probe_lacks(report, -EIO, "a file below cannot be hidden");
  if (rename("merged/dir", "merged/moved") == 0)
    return dz_probe_ok(report, "mounted on the cache's filesystem; directories below can be moved");
  return dz_probe_ok(report, "mounted on the cache's filesystem; moving a directory below: %s",
                     strerror(errno));
}

int dz_probe_overlay(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, CLONE_NEWNS, overlay);
}

static int filter_without_nnp(struct dz_probe_report *report) {
  int listener;

  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
    return dz_probe_lacks(report, -EPERM, "no_new_privs is inherited from the caller");
  listener = dz_probe_install_filter(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (listener < 0)
    return dz_probe_lacks(report, listener, "seccomp: %s", strerror(-listener));
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
    return dz_probe_lacks(report, -EPROTO, "no_new_privs was set");
  return dz_probe_ok(report, "installed; set-uid programs keep their meaning");
}

int dz_probe_filter_without_nnp(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, 0, filter_without_nnp);
}

/* The first range of this user in /etc/subuid or /etc/subgid, by name or number. */
static bool own_range(const char *path, unsigned long *first, unsigned long *count) {
  const struct passwd *user = getpwuid(getuid());
  char number[16], line[256];
  FILE *file = fopen(path, "re");
  bool found = false;

  if (!file)
    return false;
  snprintf(number, sizeof number, "%u", getuid());
  while (!found && fgets(line, sizeof line, file)) {
    char *colon = strchr(line, ':');

    if (!colon)
      continue;
    *colon = '\0';
    if (strcmp(line, number) != 0 && (!user || strcmp(line, user->pw_name) != 0))
      continue;
    found = sscanf(colon + 1, "%lu:%lu", first, count) == 2 && *count > 1;
  }
  fclose(file);
  return found;
}

static int run_mapper(const char *program, pid_t pid, unsigned own, unsigned long first,
                      unsigned long count) {
  char text[5][24];
  pid_t child = dz_probe_fork();
  int status;

  if (child == 0) {
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    snprintf(text[0], sizeof text[0], "%d", (int)pid);
    snprintf(text[1], sizeof text[1], "%u", own);
    snprintf(text[2], sizeof text[2], "%lu", first);
    snprintf(text[3], sizeof text[3], "%lu", count - 1);
    dup2(null, STDERR_FILENO);
    execlp(program, program, text[0], "0", text[1], "1", "1", text[2], text[3], (char *)NULL);
    _exit(127);
  }
  status = dz_probe_wait(child);
  return status == 0 ? 0 : status == 127 ? -ENOENT : -EPERM;
}

/* In the namespace, once mapped: be somebody else. */
static _Noreturn void take_other_id(int go) {
  char byte;

  if (read(go, &byte, 1) != 1)
    _exit(1);
  _exit(setgid(7) == 0 && setuid(7) == 0 && getuid() == 7 ? 0 : 2);
}

/* newuidmap and newgidmap give a user namespace a whole range of ids. */
int dz_probe_id_range(struct dz_probe_report *report) {
  unsigned long first_uid, uids, first_gid, gids;
  double start;
  int go[2];
  pid_t child;
  int err;

  if (!own_range("/etc/subuid", &first_uid, &uids) || !own_range("/etc/subgid", &first_gid, &gids))
    return dz_probe_lacks(report, -ENOENT, "no range for this user in /etc/subuid and /etc/subgid");
  if (pipe(go) < 0)
    return dz_probe_lacks(report, -errno, "pipe");
  child = dz_probe_clone3(CLONE_NEWUSER);
  if (child < 0)
    return dz_probe_lacks(report, child, "clone3 with namespaces: %s", strerror(-child));
  if (child == 0)
    take_other_id(go[0]);
  start = dz_probe_now();
  err = run_mapper("newuidmap", child, geteuid(), first_uid, uids);
  if (err == 0)
    err = run_mapper("newgidmap", child, getegid(), first_gid, gids);
  if (err)
    return dz_probe_lacks(report, err, "%s",
                          err == -ENOENT ? "newuidmap is not installed (package uidmap)"
                                         : "newuidmap or newgidmap refused");
  start = dz_probe_now() - start;
  if (write(go[1], "", 1) != 1 || dz_probe_wait(child) != 0)
    return dz_probe_lacks(report, -EPROTO, "the mapped ids cannot be taken");
  return dz_probe_ok(report, "%lu ids mapped in %.1f ms", uids, start / 1e3);
}
