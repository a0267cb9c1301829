/*
 * Copies of program files: content first, then the interpreter's name.
 *
 * Functions return 0 or a negative errno; descriptors are borrowed.
 */
#ifndef DZ_LOADER_COPY_H
#define DZ_LOADER_COPY_H

#include "loader/image.h"

/* Copy exactly size bytes from the start of from to the empty file to: shared blocks
 * where the filesystem can (FICLONE), else copy_file_range(2), else read and write.
 * -ETXTBSY when the source turns out shorter. */
int dz_copy_content(int from, int to, uint64_t size);

/*
 * Let the kernel take interpreter, a path relative to the working directory of whoever
 * executes the file, instead of the one that the program names.
 *
 * to is a copy of size bytes. The new string goes to the first page behind its end and
 * only p_offset and p_filesz of the PT_INTERP program header change: the kernel reads the
 * string from the file (elf_read() in fs/binfmt_elf.c) wherever it lies, while ld.so and
 * debuggers read it in memory at p_vaddr and go on finding the program's own. What is
 * mapped of the last page behind the file's end stays zero. Only a program whose segments
 * reach beyond its file's last page could tell: it finds a page where natively SIGBUS is.
 *
 * -ENOEXEC when these fields overlap the ELF header (programs made by hand may do that).
 */
int dz_copy_patch(int to, uint64_t size, const struct dz_image *image, const char *interpreter);

/* Make room behind the program's memory (struct dz_image's room_…); nothing when there is none. */
int dz_copy_make_room(int to, const struct dz_image *image);

/* Size of a copy after dz_copy_patch(). */
uint64_t dz_copy_patched_size(uint64_t size, const char *interpreter);

#endif
