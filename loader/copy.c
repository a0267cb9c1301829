#include "loader/copy.h"

#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK (128 * 1024)
#define PAGE_SIZE 4096 /* x86-64's smallest */

/* The file may have been cut or have grown between fstat and clone. */
static int clone_content(int from, int to, uint64_t size) {
  if (ioctl(to, FICLONE, from) < 0)
    return -errno;
  return lseek(to, 0, SEEK_END) == (off_t)size ? 0 : -ETXTBSY;
}

/* Copies from *done on and advances it; stops at the first error, which says nothing: what
 * works differs by kernel and filesystem (copy_file_range(2), ERRORS and BUGS). */
static void range_content(int from, int to, uint64_t size, uint64_t *done) {
  while (*done < size) {
    uint64_t left = size - *done;
    off_t in = (off_t)*done, out = in;
    ssize_t copied = copy_file_range(from, &in, to, &out, left < SSIZE_MAX ? left : SSIZE_MAX, 0);

    if (copied <= 0)
      return;
    *done += (uint64_t)copied;
  }
}

static int write_at(int to, const char *buffer, size_t size, uint64_t at) {
  while (size > 0) {
    ssize_t written = pwrite(to, buffer, size, (off_t)at);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return -errno;
    buffer += written;
    size -= (size_t)written;
    at += (uint64_t)written;
  }
  return 0;
}

static int read_write_content(int from, int to, uint64_t size, uint64_t done) {
  char *buffer DZ_FREE = NULL;

  if (done == size)
    return 0;
  buffer = malloc(CHUNK);
  if (!buffer)
    return -ENOMEM;
  while (done < size) {
    size_t want = size - done < CHUNK ? (size_t)(size - done) : CHUNK;
    ssize_t got = pread(from, buffer, want, (off_t)done);
    int result;

    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return got < 0 ? -errno : -ETXTBSY;
    result = write_at(to, buffer, (size_t)got, done);
    if (result < 0)
      return result;
    done += (uint64_t)got;
  }
  return 0;
}

int dz_copy_content(int from, int to, uint64_t size) {
  uint64_t done = 0;
  int result = clone_content(from, to, size);

  if (result == 0 || result == -ETXTBSY)
    return result;
  range_content(from, to, size, &done);
  return read_write_content(from, to, size, done);
}

static uint64_t string_offset(uint64_t size) {
  return (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

uint64_t dz_copy_patched_size(uint64_t size, const char *interpreter) {
  return string_offset(size) + strlen(interpreter) + 1;
}

int dz_copy_patch(int to, uint64_t size, const struct dz_image *image, const char *interpreter) {
  uint64_t offset_at = image->interpreter_phdr_offset + offsetof(Elf64_Phdr, p_offset);
  uint64_t filesz_at = image->interpreter_phdr_offset + offsetof(Elf64_Phdr, p_filesz);
  uint64_t offset = string_offset(size), length = strlen(interpreter) + 1;
  int result;

  if (offset_at < sizeof(Elf64_Ehdr))
    return -ENOEXEC;
  result = write_at(to, interpreter, length, offset);
  if (result == 0)
    result = write_at(to, (const char *)&offset, sizeof offset, offset_at);
  if (result == 0)
    result = write_at(to, (const char *)&length, sizeof length, filesz_at);
  return result;
}

int dz_copy_make_room(int to, const struct dz_image *image) {
  uint64_t at = image->room_phdr_offset + offsetof(Elf64_Phdr, p_memsz);

  return image->room_size
             ? write_at(to, (const char *)&image->room_memsz, sizeof image->room_memsz, at)
             : 0;
}
