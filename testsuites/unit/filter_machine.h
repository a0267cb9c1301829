/*
 * A machine for seccomp filters, written for the tests from the kernel's
 * documentation (Documentation/networking/filter.rst, seccomp(2)) and not from
 * the code that makes filters.
 */
#ifndef DZ_TESTSUITES_UNIT_FILTER_MACHINE_H
#define DZ_TESTSUITES_UNIT_FILTER_MACHINE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL when the kernel would take the program, else what is wrong with it
 * (kernel/seccomp.c, seccomp_check_filter; net/core/filter.c, bpf_check_classic). */
const char *filter_fault(const struct sock_filter *program, size_t length);

/* The action for a call. The program must be without fault. */
uint32_t filter_run(const struct sock_filter *program, const struct seccomp_data *data);

/* Would the kernel allow the number without running the program
 * (kernel/seccomp.c, seccomp_is_const_allow)? */
bool filter_always_allows(const struct sock_filter *program, uint32_t arch, int number);

#endif
