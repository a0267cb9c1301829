/* Every probe function, by file; probes.c makes the table of them. */
#ifndef DZ_TESTSUITES_KERNEL_PROBES_H
#define DZ_TESTSUITES_KERNEL_PROBES_H

#include "testsuites/kernel/probe.h"

typedef int dz_probe_function(struct dz_probe_report *report);

/* notify.c */
dz_probe_function dz_probe_notify_listener, dz_probe_notify_sync_wake_up;
/* notify_wait.c */
dz_probe_function dz_probe_notify_wait_killable, dz_probe_notify_kill_while_waiting;
/* notify_race.c */
dz_probe_function dz_probe_notify_fast_reply;
/* notify_facts.c */
dz_probe_function dz_probe_fact_default_wait_doubles, dz_probe_fact_opath_not_added,
    dz_probe_fact_one_listener, dz_probe_fact_receive_after_interrupt,
    dz_probe_fact_hangup_without_guests, dz_probe_fact_high_half;
/* process.c */
dz_probe_function dz_probe_pidfd, dz_probe_pidfd_fetch, dz_probe_pidfd_thread, dz_probe_memory;
/* ptrace.c */
dz_probe_function dz_probe_ptrace_descendant, dz_probe_ptrace_other, dz_probe_ptrace_restart;
/* ptrace_facts.c */
dz_probe_function dz_probe_fact_stops_are_stolen, dz_probe_fact_old_memory_after_exec,
    dz_probe_fact_undumpable_shuts_out, dz_probe_fact_tracer_reaps_first;
/* exec.c */
dz_probe_function dz_probe_exec_event, dz_probe_relative_interpreter;
/* tag.c */
dz_probe_function dz_probe_state_tag;
/* landlock.c */
dz_probe_function dz_probe_landlock_files, dz_probe_landlock_scopes, dz_probe_fact_landlock_names;
/* namespaces.c */
dz_probe_function dz_probe_user_namespace, dz_probe_pivot_root, dz_probe_mount_proc,
    dz_probe_mount_devpts, dz_probe_network_namespace, dz_probe_fact_old_descriptor_no_mount;
/* namespaces_more.c */
dz_probe_function dz_probe_overlay, dz_probe_filter_without_nnp, dz_probe_id_range;
/* dispatch.c */
dz_probe_function dz_probe_syscall_user_dispatch, dz_probe_fact_dispatch_not_inherited;
/* kvm.c */
dz_probe_function dz_probe_kvm;
/* files.c */
dz_probe_function dz_probe_openat2, dz_probe_hard_links, dz_probe_reflink, dz_probe_user_xattrs,
    dz_probe_unnamed_files, dz_probe_leases, dz_probe_memfd;
/* file_facts.c */
dz_probe_function dz_probe_fact_lease_blocks_open, dz_probe_fact_read_only_changes,
    dz_probe_fact_pair_reaches_names;
/* procfs.c */
dz_probe_function dz_probe_proc_readable, dz_probe_proc_lists_others;
/* cgroup.c */
dz_probe_function dz_probe_cgroup;

#endif
