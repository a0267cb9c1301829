/* A child in namespaces of its own, root there with one id mapped: what level `silo` starts as. */
#ifndef DZ_TESTSUITES_KERNEL_NAMESPACES_H
#define DZ_TESTSUITES_KERNEL_NAMESPACES_H

#include "testsuites/kernel/probe.h"

/*
 * clone3(2) a child into CLONE_NEWUSER and flags, map its ids to 0, run body(report) there,
 * with the scratch directory as working directory.
 * The body's value, or a negative errno with report filled when there is no such child.
 */
int dz_probe_in_namespaces(struct dz_probe_report *report, uint64_t flags,
                           int (*body)(struct dz_probe_report *report));

/* Fork-like clone3(2): 0 in the child, its number in the parent, or a negative errno. */
pid_t dz_probe_clone3(uint64_t flags);

#endif
