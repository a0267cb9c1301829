/* Files: what the walk, the cache and ownership beside files stand on. */
#include "testsuites/kernel/probes.h"

#include "host/calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define BENEATH (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)

static int try_open(int directory, const char *path, uint64_t resolve) {
  int fd DZ_FD = dz_openat2(directory, path, O_PATH, 0, resolve);

  return fd < 0 ? fd : 0;
}

/* Each RESOLVE flag keeps a walk where it belongs. */
int dz_probe_openat2(struct dz_probe_report *report) {
  static const struct {
    const char *path;
    uint64_t resolve;
    int result;
  } cases[] = {
      {"dir", BENEATH, 0},
      {"dir/..", BENEATH, 0},
      {"..", BENEATH, -EXDEV},
      {"/", BENEATH, -EXDEV},
      {"absolute", BENEATH, -EXDEV},
      {"absolute", RESOLVE_IN_ROOT, 0},
      {"../../dir", RESOLVE_IN_ROOT, 0},
      {"absolute", RESOLVE_NO_SYMLINKS, -ELOOP},
      {"magic", RESOLVE_NO_MAGICLINKS, -ELOOP},
  };

  if (mkdirat(report->scratch, "dir", 0700) < 0 || symlinkat("/dir", report->scratch, "absolute") ||
      symlinkat("/proc/self/exe", report->scratch, "magic"))
    return dz_probe_lacks(report, -errno, "no files to test with: %s", strerror(errno));
  for (size_t i = 0; i < DZ_ARRAY_SIZE(cases); i++) {
    int err = try_open(report->scratch, cases[i].path, cases[i].resolve);

    if (err == -ENOSYS || err == -EPERM)
      return dz_probe_lacks(report, err, "openat2 (Linux 5.6): %s", strerror(-err));
    if (err != cases[i].result)
      return dz_probe_lacks(report, -EPROTO, "resolve %#lx of %s: %s",
                            (unsigned long)cases[i].resolve, cases[i].path, strerror(-err));
  }
  return dz_probe_ok(report, "BENEATH, IN_ROOT, NO_SYMLINKS and NO_MAGICLINKS hold");
}

int dz_probe_hard_links(struct dz_probe_report *report) {
  struct stat status;

  if (dz_probe_write_file(report->scratch, "one", "text\n") < 0)
    return dz_probe_lacks(report, -EIO, "no file could be written");
  if (linkat(report->scratch, "one", report->scratch, "two", 0) < 0)
    return dz_probe_lacks(report, -errno, "link: %s", strerror(errno));
  if (fstatat(report->scratch, "two", &status, 0) < 0 || status.st_nlink != 2)
    return dz_probe_lacks(report, -EPROTO, "the link count is %u", (unsigned)status.st_nlink);
  return dz_probe_ok(report, "linked");
}

int dz_probe_reflink(struct dz_probe_report *report) {
  int from, to;

  if (dz_probe_write_file(report->scratch, "from", "text\n") < 0)
    return dz_probe_lacks(report, -EIO, "no file could be written");
  from = openat(report->scratch, "from", O_RDONLY | O_CLOEXEC);
  to = openat(report->scratch, "to", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (ioctl(to, FICLONE, from) < 0)
    return dz_probe_lacks(report, -errno, "FICLONE: %s", strerror(errno));
  return dz_probe_ok(report, "cloned");
}

#define XATTR "user.denizen.probe"

/* On a file, a directory and a file without permissions, as ownership is kept. */
int dz_probe_user_xattrs(struct dz_probe_report *report) {
  char value[64], back[sizeof value];
  int fd;

  memset(value, 'v', sizeof value);
  if (fsetxattr(report->scratch, XATTR, value, sizeof value, 0) < 0)
    return dz_probe_lacks(report, -errno, "on a directory: %s", strerror(errno));
  fremovexattr(report->scratch, XATTR);
  fd = openat(report->scratch, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || fsetxattr(fd, XATTR, value, sizeof value, 0) < 0 ||
      fgetxattr(fd, XATTR, back, sizeof back) != sizeof value ||
      memcmp(value, back, sizeof value) != 0)
    return dz_probe_lacks(report, -errno, "on a file: %s", strerror(errno));
  return dz_probe_ok(report, "kept on files and directories");
}

/* O_TMPFILE, and a name given to the finished file without CAP_DAC_READ_SEARCH. */
int dz_probe_unnamed_files(struct dz_probe_report *report) {
  char path[DZ_SELF_FD_MAX];
  int fd = openat(report->scratch, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0)
    return dz_probe_lacks(report, -errno, "O_TMPFILE: %s", strerror(errno));
  if (linkat(AT_FDCWD, dz_self_fd_path(fd, path), report->scratch, "named", AT_SYMLINK_FOLLOW) < 0)
    return dz_probe_lacks(report, -errno, "naming it: %s", strerror(errno));
  return dz_probe_ok(report, "made without a name, named when finished");
}

static volatile sig_atomic_t broken;

static void lease_broken(int signal DZ_UNUSED) {
  broken = 1;
}

/* A write lease is given, and its holder hears of another's open before that goes on. */
int dz_probe_leases(struct dz_probe_report *report) {
  struct sigaction action = {.sa_handler = lease_broken};
  pid_t opener;
  int fd;

  sigaction(SIGIO, &action, NULL);
  fd = openat(report->scratch, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
    return dz_probe_lacks(report, -errno, "F_SETLEASE: %s", strerror(errno));
  opener = dz_probe_fork();
  if (opener == 0) {
    close(fd);
    _exit(openat(report->scratch, "file", O_RDONLY | O_CLOEXEC) < 0);
  }
  for (int i = 0; i < 500 && !broken; i++)
    usleep(1000);
  if (!broken)
    return dz_probe_lacks(report, -EPROTO, "the holder is not told");
  if (fcntl(fd, F_SETLEASE, F_UNLCK) < 0 || dz_probe_wait(opener) != 0)
    return dz_probe_lacks(report, -EPROTO, "the opener does not go on");
  return dz_probe_ok(report, "given, and its break is told");
}

/* An anonymous file that can be mapped, and sealed against writing. */
int dz_probe_memfd(struct dz_probe_report *report) {
  int fd = memfd_create("denizen-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  void *map;

  if (fd < 0)
    return dz_probe_lacks(report, -errno, "memfd_create: %s", strerror(errno));
  if (write(fd, "dz\n", 3) != 3 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW) < 0)
    return dz_probe_lacks(report, -errno, "sealing: %s", strerror(errno));
  map = mmap(NULL, 3, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED || memcmp(map, "dz\n", 3) != 0)
    return dz_probe_lacks(report, -EPROTO, "it cannot be mapped");
  if (pwrite(fd, "x", 1, 0) >= 0 || errno != EPERM)
    return dz_probe_lacks(report, -EPROTO, "the seal does not hold");
  return dz_probe_ok(report, "made, sealed, mapped");
}
