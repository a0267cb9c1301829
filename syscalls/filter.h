/*
 * The seccomp filter of a silo, made from the table of system calls.
 *
 * What it does with a call:
 *   another architecture than x86-64, x32, a number of no call   to the supervisor
 *   native rows, and rows that are needed for nothing the silo needs      allowed
 *   refused rows                                               answered at once
 *   checked rows    allowed where the rule holds; else the row's errno or supervisor
 *   all others                                                 to the supervisor
 *
 * The rows that are always allowed are so after nothing but loads of the
 * architecture and the number, and comparisons of these: then the kernel allows
 * them without running the filter (kernel/seccomp.c, seccomp_is_const_allow).
 */
#ifndef DZ_SYSCALLS_FILTER_H
#define DZ_SYSCALLS_FILTER_H

#include "host/base.h"

#include <linux/filter.h>

/* As many instructions as the kernel takes (linux/bpf_common.h, BPF_MAXINSNS). */
#define DZ_FILTER_MAX 4096

struct dz_filter_options {
  unsigned needs;         /* enum dz_need: what this silo needs */
  uint32_t to_supervisor; /* 0 is SECCOMP_RET_USER_NOTIF; the ptrace engine: SECCOMP_RET_TRACE */
};

/* Write the filter to program, which has room for capacity instructions.
 * Returns its length; -EINVAL for a rule that does not fit its row; -ENOSPC. */
int dz_filter_make(const struct dz_filter_options *options, struct sock_filter *program,
                   size_t capacity);

#endif
