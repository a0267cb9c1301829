#include "testsuites/kernel/guest.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

int dz_probe_install_filter(unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DZ_PROBE_CALL, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {DZ_ARRAY_SIZE(code), code};

  return (int)dz_result(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program));
}

/* One descriptor, or an errno as the data byte when there is none. */
static int send_message(int channel, int fd, int err) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec data = {&err, sizeof err};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

  if (fd >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  }
  return sendmsg(channel, &message, MSG_NOSIGNAL) == sizeof err ? 0 : -errno;
}

int dz_probe_send_fd(int channel, int fd) {
  return send_message(channel, fd, 0);
}

int dz_probe_receive_fd(int channel) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control;
  int err = 0;
  struct iovec data = {&err, sizeof err};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  int fd;

  if (got != sizeof err)
    return got < 0 ? -errno : -EPIPE;
  if (err < 0)
    return err;
  if (message.msg_controllen < CMSG_LEN(sizeof fd))
    return -EMFILE;
  memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
  return fd;
}

static _Noreturn void guest_child(int channel, unsigned flags, int (*body)(void *),
                                  void *argument) {
  int listener;

  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  listener = dz_probe_install_filter(flags);
  send_message(channel, listener, listener < 0 ? listener : 0);
  if (listener < 0)
    _exit(1);
  close(listener);
  close(channel);
  _exit(body(argument));
}

int dz_probe_guest_start(struct dz_probe_guest *guest, unsigned flags, int (*body)(void *),
                         void *argument) {
  int channel[2];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
    return -errno;
  guest->pid = dz_probe_fork();
  if (guest->pid == 0) {
    close(channel[0]);
    guest_child(channel[1], flags, body, argument);
  }
  close(channel[1]);
  guest->listener = dz_probe_receive_fd(channel[0]);
  close(channel[0]);
  return guest->listener < 0 ? guest->listener : 0;
}

long dz_probe_call(long argument) {
  return dz_result(syscall(DZ_PROBE_CALL, argument));
}

int dz_probe_receive(int listener, union dz_probe_notice *notice) {
  int value;

  do {
    memset(notice, 0, sizeof *notice); /* the kernel refuses a structure that is not zeroed */
    value = (int)dz_result(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notice));
  } while (value == -EINTR);
  return value;
}

bool dz_probe_pending(int listener, int milliseconds) {
  struct pollfd entry = {.fd = listener, .events = POLLIN};

  return poll(&entry, 1, milliseconds) == 1 && (entry.revents & POLLIN);
}

int dz_probe_answer(int listener, uint64_t id, int64_t value, int error) {
  struct seccomp_notif_resp answer = {.id = id, .val = value, .error = -error};

  return (int)dz_result(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

int dz_probe_serve(int listener, int64_t value) {
  union dz_probe_notice notice;
  int err = dz_probe_receive(listener, &notice);

  return err ? err : dz_probe_answer(listener, notice.call.id, value, 0);
}
