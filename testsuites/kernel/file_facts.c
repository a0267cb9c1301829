/* Surprises of files and sockets. */
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

/* A write lease makes another's open sleep (up to /proc/sys/fs/lease-break-time, 45 s), unless it
 * says O_NONBLOCK. */
int dz_probe_fact_lease_blocks_open(struct dz_probe_report *report) {
  int held = openat(report->scratch, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  pid_t opener;
  int status;

  signal(SIGIO, SIG_IGN);
  if (held < 0 || fcntl(held, F_SETLEASE, F_WRLCK) < 0)
    return dz_probe_lacks(report, -ENOTSUP, "no lease: %s", strerror(errno));
  opener = dz_probe_fork();
  if (opener == 0) {
    close(held);
    if (openat(report->scratch, "file", O_RDONLY | O_NONBLOCK | O_CLOEXEC) >= 0 ||
        errno != EWOULDBLOCK)
      _exit(1);
    alarm(1);
    _exit(openat(report->scratch, "file", O_RDONLY | O_CLOEXEC) < 0 ? 3 : 2);
  }
  status = dz_probe_wait(opener);
  if (status != 128 + SIGALRM)
    return dz_probe_lacks(report, -EPROTO,
                          status == 1 ? "O_NONBLOCK did not say EWOULDBLOCK"
                                      : "the open did not sleep");
  return dz_probe_ok(report, "open sleeps, with O_NONBLOCK it says EWOULDBLOCK");
}

/* A descriptor that cannot write still changes mode, times and attributes. */
int dz_probe_fact_read_only_changes(struct dz_probe_report *report) {
  struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
  struct stat status;
  int fd;

  if (dz_probe_write_file(report->scratch, "file", "text\n") < 0)
    return dz_probe_lacks(report, -EIO, "no file");
  fd = openat(report->scratch, "file", O_RDONLY | O_CLOEXEC);
  if (write(fd, "x", 1) >= 0)
    return dz_probe_lacks(report, -EPROTO, "it can write");
  if (fchmod(fd, 0640) < 0 || futimens(fd, times) < 0 || fstat(fd, &status) < 0 ||
      (status.st_mode & 0777) != 0640 || status.st_mtime != 2)
    return dz_probe_lacks(report, -EPROTO, "fchmod or futimens was denied");
  if (fsetxattr(fd, "user.denizen.probe", "v", 1, 0) < 0 && errno != ENOTSUP)
    return dz_probe_lacks(report, -EPROTO, "fsetxattr was denied");
  return dz_probe_ok(report, "fchmod, futimens and fsetxattr work on it");
}

/* Does a message sent with a name on one end of a connected pair arrive at the named socket? */
static bool goes_astray(int type, int named, const struct sockaddr_un *name, socklen_t length) {
  int pair[2];
  char byte;

  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
    abort();
  sendto(pair[0], "x", 1, MSG_DONTWAIT, (const struct sockaddr *)name, length);
  return recv(named, &byte, 1, MSG_DONTWAIT) == 1;
}

/* sendmsg with a name on a datagram socket pair reaches any socket of that name; a SEQPACKET
 * pair ignores the name. */
int dz_probe_fact_pair_reaches_names(struct dz_probe_report *report) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
  int named = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fchdir(report->scratch) < 0 || bind(named, (struct sockaddr *)&name, sizeof name) < 0)
    return dz_probe_lacks(report, -errno, "bind: %s", strerror(errno));
  if (!goes_astray(SOCK_DGRAM, named, &name, sizeof name))
    return dz_probe_lacks(report, -EPROTO, "a datagram pair did not reach the name");
  if (goes_astray(SOCK_SEQPACKET, named, &name, sizeof name))
    return dz_probe_lacks(report, -EPROTO, "a SEQPACKET pair reached the name");
  return dz_probe_ok(report, "a datagram pair does, a SEQPACKET pair does not");
}
