/*
 * Calls that the guest's own thread has to make, because the caller must be the
 * guest. They are calls that every filter leaves to the kernel: nothing is added
 * to the filter for them.
 */
#include "trap/engine.h"

#include "host/calls.h"
#include "proc/mem.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define RED_ZONE 128 /* System V ABI for x86-64, 3.2.2 */

static bool never_stops(struct dz_attached *attached DZ_UNUSED, int status DZ_UNUSED) {
  return false;
}

/* Make calls one after the other until one fails; the last result. */
static int64_t calls(struct dz_attached *attached, const struct dz_injection *injections,
                     size_t count) {
  int64_t result = 0;

  for (size_t i = 0; i < count && result >= 0; i++)
    if (dz_attached_call(attached, &injections[i], &result))
      return -ESRCH;
  return result;
}

static void leave_with(struct dz_attached *attached, int64_t result) {
  struct user_regs_struct registers = attached->registers;

  registers.rax = (unsigned long long)result;
  registers.orig_rax = (unsigned long long)-1;
  dz_attached_leave(attached, &registers);
}

/* ---- signals ---- */

/* Let go of the numbers that were borrowed in the caller's table. */
static void forget(struct dz_attached *attached, const int *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct dz_injection close_one = {SYS_close, {(uint64_t)numbers[i]}};

    calls(attached, &close_one, 1);
  }
}

/* Guest memory for the time of a call: of the program's room, else below the stack pointer and its
 * red zone, where what was there is put back afterwards. */
static uint64_t borrow(const struct dz_call *call, const struct dz_attached *attached,
                       size_t size) {
  uint64_t room = dz_exec_borrow(call->engine, call->state, call->tid);

  return room ? room : (attached->registers.rsp - RED_ZONE - size) & ~UINT64_C(15);
}

static int64_t send_all(struct dz_attached *attached, const int *numbers, size_t count, int signal,
                        uint64_t info, unsigned flags) {
  int64_t first_error = 0;
  bool sent = false;

  for (size_t i = 0; i < count; i++) {
    struct dz_injection send = {SYS_pidfd_send_signal,
                                {(uint64_t)numbers[i], (uint64_t)signal, info, flags}};
    int64_t result = calls(attached, &send, 1);

    sent |= result == 0;
    if (result < 0 && !first_error)
      first_error = result;
  }
  return sent ? 0 : first_error;
}

/* With the siginfo_t in guest memory for the time of the call. */
static int64_t send_with(const struct dz_call *call, struct dz_attached *attached,
                         const int *numbers, size_t count, int signal, const siginfo_t *info,
                         unsigned flags) {
  uint64_t at = borrow(call, attached, sizeof *info);
  siginfo_t saved;
  int64_t result;

  if (!info)
    return send_all(attached, numbers, count, signal, 0, flags);
  if (dz_mem_read(attached->tid, at, &saved, sizeof saved) ||
      dz_mem_write(attached->tid, at, info, sizeof *info))
    return -EFAULT;
  result = send_all(attached, numbers, count, signal, at, flags);
  dz_mem_write(attached->tid, at, &saved, sizeof saved);
  return result;
}

/* A caller without a free descriptor: the supervisor sends, with its own number as the sender's,
 * and before the caller's own part, which may be its end. */
static void send_rest(const int *pidfds, size_t count, int signal, const siginfo_t *info,
                      unsigned flags) {
  for (size_t i = 0; i < count; i++)
    if (!info || syscall(SYS_pidfd_send_signal, pidfds[i], signal, info, flags))
      dz_pidfd_send_signal(pidfds[i], signal, flags);
}

int dz_notify_send_signal(struct dz_call *call, const int *pidfds, size_t count, int signal,
                          const siginfo_t *info, unsigned flags) {
  struct dz_attached attached = {.stopped = never_stops};
  int *numbers DZ_FREE = calloc(count, sizeof *numbers);
  size_t given = 0;
  int err = 0;

  if (call->may_block)
    return -DZ_ERETRY; /* only the receiver attaches */
  if (dz_attach_later(call, 0))
    return -DZ_EANSWERED;
  if (!numbers)
    return -ENOMEM;
  while (given < count && (numbers[given] = call->ops->add_fd(call, pidfds[given], O_CLOEXEC)) >= 0)
    given++;
  if (given < count)
    send_rest(pidfds + given, count - given, signal, info, flags);
  if (given == 0)
    return 0;
  err = dz_attach(call, &attached, 0);
  if (err)
    return err;
  dz_attached_block_signals(&attached);
  {
    int64_t result = send_with(call, &attached, numbers, given, signal, info, flags);

    forget(&attached, numbers, given);
    leave_with(&attached, result);
  }
  return -DZ_EANSWERED;
}

/* ---- O_PATH descriptors ---- */

/* What recvmsg needs in guest memory. */
struct mailbox {
  struct msghdr header;
  struct iovec vector;
  char control[CMSG_SPACE(sizeof(int))];
  char byte[8];
};

static int post(int socket_fd, int fd) {
  char control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec vector = {(char[1]){0}, 1};
  struct msghdr header = {.msg_iov = &vector,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control};
  struct cmsghdr *message = CMSG_FIRSTHDR(&header);

  message->cmsg_level = SOL_SOCKET;
  message->cmsg_type = SCM_RIGHTS;
  message->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(message), &fd, sizeof fd);
  return (int)dz_result(sendmsg(socket_fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* The thread receives the descriptor, moves it onto the socket's number and is done. */
static int64_t receive(const struct dz_call *call, struct dz_attached *attached, int number,
                       unsigned fd_flags) {
  uint64_t at = borrow(call, attached, sizeof(struct mailbox));
  struct mailbox box = {0}, saved;
  struct dz_injection receive = {SYS_recvmsg,
                                 {(uint64_t)number, at, MSG_DONTWAIT | MSG_CMSG_CLOEXEC}};
  int64_t result;
  int got;

  if (dz_mem_read(attached->tid, at, &saved, sizeof saved))
    return -EFAULT;
  box.vector = (struct iovec){(void *)(uintptr_t)(at + offsetof(struct mailbox, byte)), 1};
  box.header.msg_iov = (void *)(uintptr_t)(at + offsetof(struct mailbox, vector));
  box.header.msg_iovlen = 1;
  box.header.msg_control = (void *)(uintptr_t)(at + offsetof(struct mailbox, control));
  box.header.msg_controllen = sizeof box.control;
  if (dz_mem_write(attached->tid, at, &box, sizeof box))
    return -EFAULT;
  result = calls(attached, &receive, 1);
  if (dz_mem_read(attached->tid, at, &box, sizeof box) && result >= 0)
    result = -EFAULT;
  dz_mem_write(attached->tid, at, &saved, sizeof saved);
  if (result < 0)
    return result;
  /* Without a second free number the kernel drops the descriptor and says so. */
  if ((box.header.msg_flags & MSG_CTRUNC) || box.header.msg_controllen < CMSG_LEN(sizeof got))
    return -EMFILE;
  memcpy(&got, box.control + CMSG_LEN(0), sizeof got);
  {
    struct dz_injection move[] = {
        {SYS_dup3, {(uint64_t)got, (uint64_t)number, fd_flags & O_CLOEXEC}},
        {SYS_close, {(uint64_t)got}}};

    result = calls(attached, move, DZ_ARRAY_SIZE(move));
  }
  return result < 0 ? result : number;
}

int dz_notify_send_path_fd(struct dz_call *call, int fd, unsigned fd_flags) {
  struct dz_attached attached = {.stopped = never_stops};
  int pair[2], number, err;
  int64_t result;

  if (call->may_block)
    return -DZ_ERETRY;
  /* Another thread can copy the guest's end: sends on a sequenced pair cannot name a socket of the
   * host, as those on a datagram pair could (unix_seqpacket_sendmsg() of net/unix/af_unix.c). */
  if (dz_attach_later(call, 0))
    return -DZ_EANSWERED;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
    return -errno;
  err = post(pair[0], fd);
  number = err < 0 ? err : call->ops->add_fd(call, pair[1], O_CLOEXEC);
  if (number < 0) {
    close(pair[0]);
    close(pair[1]);
    return number;
  }
  err = dz_attach(call, &attached, 0);
  if (!err) {
    dz_attached_block_signals(&attached);
    result = receive(call, &attached, number, fd_flags);
    if (result < 0)
      forget(&attached, &number, 1);
    leave_with(&attached, result);
    err = -DZ_EANSWERED;
  }
  close(pair[0]);
  close(pair[1]);
  return err;
}
