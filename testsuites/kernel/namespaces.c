/* Namespaces: what level `silo` needs, each thing done as a user without privileges. */
#include "testsuites/kernel/namespaces.h"
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

pid_t dz_probe_clone3(uint64_t flags) {
  struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
  pid_t pid = (pid_t)dz_result(syscall(SYS_clone3, &arguments, sizeof arguments));

  if (pid == 0)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  return pid;
}

static int write_maps(uid_t uid, gid_t gid) {
  char map[32];
  int err = dz_probe_write_file(AT_FDCWD, "/proc/self/setgroups", "deny");

  if (err && err != -ENOENT)
    return err;
  snprintf(map, sizeof map, "0 %u 1", uid);
  err = dz_probe_write_file(AT_FDCWD, "/proc/self/uid_map", map);
  snprintf(map, sizeof map, "0 %u 1", gid);
  return err ? err : dz_probe_write_file(AT_FDCWD, "/proc/self/gid_map", map);
}

int dz_probe_in_namespaces(struct dz_probe_report *report, uint64_t flags,
                           int (*body)(struct dz_probe_report *report)) {
  int *value = dz_probe_shared(sizeof *value);
  uid_t uid = geteuid();
  gid_t gid = getegid();
  pid_t child;

  /* The working directory moves to the new mount namespace; a held descriptor does not. */
  if (fchdir(report->scratch) < 0)
    return dz_probe_lacks(report, -errno, "fchdir: %s", strerror(errno));
  child = dz_probe_clone3(CLONE_NEWUSER | flags);
  if (child < 0)
    return dz_probe_lacks(report, child, "clone3 with namespaces: %s", strerror(-child));
  if (child == 0) {
    *value = write_maps(uid, gid);
    if (*value)
      dz_probe_lacks(report, *value, "the id maps cannot be written: %s", strerror(-*value));
    else
      *value = body(report);
    _exit(0);
  }
  if (dz_probe_wait(child) != 0)
    return dz_probe_lacks(report, -ECHILD, "the child in the namespaces died");
  return *value;
}

static int be_root(struct dz_probe_report *report) {
  if (getuid() != 0 || getgid() != 0)
    return dz_probe_lacks(report, -EPROTO, "the maps have no effect");
  if (setuid(1) == 0 || errno != EINVAL)
    return dz_probe_lacks(report, -EPROTO, "an id without a map can be taken");
  return dz_probe_ok(report, "created, ids mapped");
}

int dz_probe_user_namespace(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, 0, be_root);
}

/* Make scratch/root a mount and the root of this mount namespace, with the old root on top. */
static int enter_root(struct dz_probe_report *report) {
  if (mkdir("root", 0755) < 0 || mkdir("root/inside", 0755) < 0)
    return dz_probe_lacks(report, -errno, "mkdir: %s", strerror(errno));
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return dz_probe_lacks(report, -errno, "private mounts: %s", strerror(errno));
  if (mount("root", "root", NULL, MS_BIND | MS_REC, NULL) < 0)
    return dz_probe_lacks(report, -errno, "bind mount: %s", strerror(errno));
  if (chdir("root") < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
    return dz_probe_lacks(report, -errno, "pivot_root: %s", strerror(errno));
  return 0;
}

static int pivot(struct dz_probe_report *report) {
  struct stat status;
  int err = enter_root(report);

  if (err)
    return err;
  if (umount2(".", MNT_DETACH) < 0)
    return dz_probe_lacks(report, -errno, "detaching the old root: %s", strerror(errno));
  if (chdir("/") < 0 || stat("/inside", &status) < 0 || stat("/proc", &status) == 0)
    return dz_probe_lacks(report, -EPROTO, "the root is another one");
  return dz_probe_ok(report, "the kernel holds another root");
}

int dz_probe_pivot_root(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
                                pivot);
}

/* The old root still covers the new one: the kernel looks whether a /proc in sight is whole. */
static int mount_proc(struct dz_probe_report *report) {
  char link[32] = "";

  if (mkdir("proc", 0755) < 0)
    return dz_probe_lacks(report, -errno, "mkdir: %s", strerror(errno));
  if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
    return dz_probe_lacks(report, -errno, "mount: %s", strerror(errno));
  if (readlink("proc/self", link, sizeof link - 1) < 0 || strcmp(link, "1") != 0)
    return dz_probe_lacks(report, -EPROTO, "it shows another pid namespace");
  return dz_probe_ok(report, "mounted; the first process is 1");
}

int dz_probe_mount_proc(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, CLONE_NEWNS | CLONE_NEWPID, mount_proc);
}

static int mount_devpts(struct dz_probe_report *report) {
  int master, unlock = 0;
  unsigned number = 99;

  if (mkdir("pts", 0755) < 0)
    return dz_probe_lacks(report, -errno, "mkdir: %s", strerror(errno));
  if (mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC,
            "newinstance,ptmxmode=0666,mode=0620") < 0)
    return dz_probe_lacks(report, -errno, "mount: %s", strerror(errno));
  master = open("pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
    return dz_probe_lacks(report, -errno, "pts/ptmx: %s", strerror(errno));
  if (number != 0 || open("pts/0", O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
    return dz_probe_lacks(report, -EPROTO, "it is not an instance of its own");
  return dz_probe_ok(report, "mounted; its first terminal is pts/0");
}

int dz_probe_mount_devpts(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, CLONE_NEWNS, mount_devpts);
}

static int loopback_up(struct dz_probe_report *report) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo"};

  if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
    return dz_probe_lacks(report, -errno, "SIOCGIFFLAGS: %s", strerror(errno));
  if (request.ifr_flags & IFF_UP)
    return dz_probe_lacks(report, -EPROTO, "the network is the host's");
  request.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
    return dz_probe_lacks(report, -errno, "SIOCSIFFLAGS: %s", strerror(errno));
  return dz_probe_ok(report, "created; its loopback was brought up");
}

int dz_probe_network_namespace(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, CLONE_NEWNET, loopback_up);
}

static int mount_by_descriptor(struct dz_probe_report *report) {
  if (mkdir("here", 0755) < 0)
    return dz_probe_lacks(report, -errno, "mkdir: %s", strerror(errno));
  if (mount("tmpfs", "here", "tmpfs", 0, NULL) < 0)
    return dz_probe_lacks(report, -errno, "mount below the working directory: %s", strerror(errno));
  if (fchdir(report->scratch) < 0 || mkdir("there", 0755) < 0)
    return dz_probe_lacks(report, -errno, "mkdir: %s", strerror(errno));
  if (mount("tmpfs", "there", "tmpfs", 0, NULL) == 0 || errno != EINVAL)
    return dz_probe_lacks(report, -EPROTO, "a mount below a held descriptor is possible");
  return dz_probe_ok(report, "EINVAL below a descriptor that was opened before");
}

/* A directory that was opened before CLONE_NEWNS stays in the old namespace: no mount there. */
int dz_probe_fact_old_descriptor_no_mount(struct dz_probe_report *report) {
  return dz_probe_in_namespaces(report, CLONE_NEWNS, mount_by_descriptor);
}
