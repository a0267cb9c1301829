/*
 * Guest memory: the only place that reads or writes it. What is read is copied
 * once, and decisions are made on the copy.
 */
#ifndef DZ_PROC_MEM_H
#define DZ_PROC_MEM_H

#include "host/base.h"

#include <sys/types.h>

/* Read exactly size bytes. 0 or -EFAULT (-ESRCH when the thread is gone). */
int dz_mem_read(pid_t tid, uint64_t address, void *buffer, size_t size);

/* Read up to size bytes; returns how many could be read (0 when none). */
ssize_t dz_mem_read_some(pid_t tid, uint64_t address, void *buffer, size_t size);

/* Write exactly size bytes. 0 or -EFAULT. */
int dz_mem_write(pid_t tid, uint64_t address, const void *buffer, size_t size);

/* Read a NUL-terminated string of less than size bytes; returns its length.
 * -EFAULT, or -ENAMETOOLONG when there is no NUL within size bytes (getname_flags). */
ssize_t dz_mem_read_string(pid_t tid, uint64_t address, char *buffer, size_t size);

#endif
