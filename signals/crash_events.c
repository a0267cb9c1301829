#include "signals/crash_events.h"

#include "host/calls.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Newer than Debian 12's headers: include/uapi/linux/cn_proc.h of Linux 6.6. */
struct process_input {
  uint32_t operation; /* PROC_CN_MCAST_LISTEN */
  uint32_t events;
};
#define LISTEN 1
#define EVENT_COREDUMP 0x40000000

/* include/uapi/linux/pidfd.h of Linux 6.15. */
struct process_info {
  uint64_t mask, cgroup;
  uint32_t pid, tgid, ppid, ids[8];
  int32_t exit_code;
};
#define GET_INFO _IOWR(0xff, 11, struct process_info)
#define INFO_EXIT (UINT64_C(1) << 3)

static int ask(int fd) {
  struct process_input input = {.operation = LISTEN, .events = EVENT_COREDUMP};
  struct {
    struct nlmsghdr netlink;
    struct cn_msg connector;
    struct process_input input;
  } __attribute__((packed))
  message = {.netlink = {.nlmsg_len = sizeof message, .nlmsg_type = NLMSG_DONE},
             .connector = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof input},
             .input = input};

  return (int)dz_result(send(fd, &message, sizeof message, 0));
}

int dz_crash_events_open(void) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
  int fd DZ_FD = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
  int err;

  if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address))
    return -errno;
  err = ask(fd);
  return err < 0 ? err : dz_steal_fd(&fd);
}

int dz_crash_events_next(int fd, struct dz_crash_event *event) {
  struct {
    struct nlmsghdr netlink;
    struct cn_msg connector;
    struct proc_event event;
  } __attribute__((packed)) message;
  struct sockaddr_nl from = {0};
  socklen_t size = sizeof from;
  ssize_t got = recvfrom(fd, &message, sizeof message, 0, (struct sockaddr *)&from, &size);

  if (got < 0)
    return errno == EINTR || errno == ENOBUFS ? -EAGAIN : -errno;
  /* From the kernel, and not the answer to what was asked. */
  if (from.nl_pid != 0 || got < (ssize_t)sizeof message ||
      (uint32_t)message.event.what != EVENT_COREDUMP)
    return -EAGAIN;
  event->pid = message.event.event_data.coredump.process_tgid;
  event->parent = message.event.event_data.coredump.parent_tgid;
  return 0;
}

/* Once it was waited for (Linux 6.15). */
static int status_of_pidfd(int pidfd) {
  struct process_info info = {.mask = INFO_EXIT};

  return ioctl(pidfd, GET_INFO, &info) == 0 && (info.mask & INFO_EXIT) ? info.exit_code : -ENODATA;
}

/* Before: "pid (name) Z …", field 52 (proc_pid_stat(5)). */
static int status_of_zombie(pid_t pid, int proc_fd) {
  char path[32], text[1024], *at;
  int status = 0;

  snprintf(path, sizeof path, "%d/stat", (int)pid);
  if (dz_read_file_at(proc_fd, path, text, sizeof text) < 0)
    return -ENODATA;
  at = strrchr(text, ')');
  if (!at || (at[2] != 'Z' && at[2] != 'X'))
    return -ENODATA;
  at = strrchr(text, ' ');
  return sscanf(at, " %d", &status) == 1 && status ? status : -ENODATA;
}

/* The pidfd is asked last: what /proc told may be of another who has the number by then. */
int dz_crash_status(int pidfd, pid_t pid, int proc_fd, int milliseconds) {
  struct pollfd polled = {.fd = pidfd, .events = POLLIN};
  int status, zombie;

  if (poll(&polled, 1, milliseconds) <= 0)
    return -ETIME;
  zombie = status_of_zombie(pid, proc_fd);
  status = status_of_pidfd(pidfd);
  return status >= 0 ? status : zombie;
}
