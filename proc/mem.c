#include "proc/mem.h"

#include <string.h>
#include <sys/uio.h>

#define GUEST_PAGE 4096
#define FIRST_PIECE 256

ssize_t dz_mem_read_some(pid_t tid, uint64_t address, void *buffer, size_t size) {
  struct iovec local = {buffer, size}, remote = {(void *)(uintptr_t)address, size};
  ssize_t got = process_vm_readv(tid, &local, 1, &remote, 1, 0);

  if (got < 0)
    return errno == ESRCH ? -ESRCH : 0;
  return got;
}

int dz_mem_read(pid_t tid, uint64_t address, void *buffer, size_t size) {
  ssize_t got = size ? dz_mem_read_some(tid, address, buffer, size) : 0;

  if (got < 0)
    return (int)got;
  return (size_t)got == size ? 0 : -EFAULT;
}

int dz_mem_write(pid_t tid, uint64_t address, const void *buffer, size_t size) {
  struct iovec local = {(void *)(uintptr_t)buffer, size};
  struct iovec remote = {(void *)(uintptr_t)address, size};
  ssize_t put = size ? process_vm_writev(tid, &local, 1, &remote, 1, 0) : 0;

  if (put < 0)
    return errno == ESRCH ? -ESRCH : -EFAULT;
  return (size_t)put == size ? 0 : -EFAULT;
}

/* A string may end just before an unmapped page, so each read stays within one page. */
ssize_t dz_mem_read_string(pid_t tid, uint64_t address, char *buffer, size_t size) {
  size_t length = 0;

  while (length < size) {
    size_t piece = GUEST_PAGE - ((address + length) & (GUEST_PAGE - 1));
    ssize_t got;
    char *end;

    if (length == 0 && piece > FIRST_PIECE) /* most strings end within it */
      piece = FIRST_PIECE;
    if (piece > size - length)
      piece = size - length;
    got = dz_mem_read_some(tid, address + length, buffer + length, piece);
    if (got < 0)
      return got;
    if (got == 0)
      return -EFAULT;
    end = memchr(buffer + length, '\0', (size_t)got);
    if (end)
      return end - buffer;
    length += (size_t)got;
  }
  return -ENAMETOOLONG;
}
