/*
 * /proc/sys: the host's values, to be read. Nothing under it can be written.
 *
 * Left out: what only root may read (drop_caches, stat_refresh, the bpf_jit files,
 * net.ipv4.tcp_fastopen_key), what is a process's number (cad_pid, ns_last_pid),
 * and the directories made for each network interface.
 */
#include "vfs/procfs_internal.h"

static int hostname_text(const struct dz_made_call *call, struct dz_text *text) {
  const struct dz_procfs *fs = call->fs;

  dz_text_print(text, "%s\n", fs->proc->hostname);
  return 0;
}

static int domainname_text(const struct dz_made_call *call, struct dz_text *text) {
  const struct dz_procfs *fs = call->fs;

  dz_text_print(text, "%s\n", fs->proc->domainname[0] ? fs->proc->domainname : "(none)");
  return 0;
}

#define FILE_OF(directory, name)                                                                   \
  { .path = "sys/" directory "/" name, .mode = S_IFREG | 0444, .kind = DZ_MADE_LIVE }
#define DIRECTORY(name)                                                                            \
  { .path = "sys/" name, .mode = S_IFDIR | 0555, .kind = DZ_MADE_PLAIN }
#define KERNEL(name) FILE_OF("kernel", name)
#define VM(name) FILE_OF("vm", name)
#define FS(name) FILE_OF("fs", name)
#define USER(name) FILE_OF("user", name)
#define CORE(name) FILE_OF("net/core", name)
#define IPV4(name) FILE_OF("net/ipv4", name)
#define IPV6(name) FILE_OF("net/ipv6", name)

/* Several names a line, in groups: */
/* clang-format off */
const struct dz_made_row dz_procfs_sys_rows[] = {
    {.path = "sys/kernel/hostname", .mode = S_IFREG | 0444, .generate = hostname_text},
    {.path = "sys/kernel/domainname", .mode = S_IFREG | 0444, .generate = domainname_text},

    DIRECTORY("abi"), DIRECTORY("debug"), DIRECTORY("dev"),

    KERNEL("arch"), KERNEL("cap_last_cap"), KERNEL("core_pattern"), KERNEL("core_pipe_limit"),
    KERNEL("core_uses_pid"), KERNEL("ctrl-alt-del"), KERNEL("dmesg_restrict"),
    KERNEL("hung_task_timeout_secs"), KERNEL("io_uring_disabled"), KERNEL("kptr_restrict"),
    KERNEL("modules_disabled"), KERNEL("msgmax"), KERNEL("msgmnb"), KERNEL("msgmni"),
    KERNEL("ngroups_max"), KERNEL("numa_balancing"), KERNEL("osrelease"), KERNEL("ostype"),
    KERNEL("overflowgid"), KERNEL("overflowuid"), KERNEL("panic"), KERNEL("panic_on_oops"),
    KERNEL("perf_event_max_sample_rate"), KERNEL("perf_event_max_stack"),
    KERNEL("perf_event_mlock_kb"), KERNEL("perf_event_paranoid"), KERNEL("pid_max"),
    KERNEL("print-fatal-signals"), KERNEL("printk"), KERNEL("pty/max"), KERNEL("pty/nr"),
    KERNEL("pty/reserve"), KERNEL("random/boot_id"), KERNEL("random/entropy_avail"),
    KERNEL("random/poolsize"), KERNEL("random/urandom_min_reseed_secs"), KERNEL("random/uuid"),
    KERNEL("random/write_wakeup_threshold"), KERNEL("randomize_va_space"),
    KERNEL("sched_autogroup_enabled"), KERNEL("sched_child_runs_first"),
    KERNEL("sched_deadline_period_max_us"), KERNEL("sched_deadline_period_min_us"),
    KERNEL("sched_energy_aware"), KERNEL("sched_rr_timeslice_ms"), KERNEL("sched_rt_period_us"),
    KERNEL("sched_rt_runtime_us"), KERNEL("sched_schedstats"), KERNEL("seccomp/actions_avail"),
    KERNEL("seccomp/actions_logged"), KERNEL("sem"), KERNEL("shm_rmid_forced"), KERNEL("shmall"),
    KERNEL("shmmax"), KERNEL("shmmni"), KERNEL("sysrq"), KERNEL("tainted"), KERNEL("threads-max"),
    KERNEL("timer_migration"), KERNEL("unprivileged_bpf_disabled"),
    KERNEL("unprivileged_userns_clone"), KERNEL("version"), KERNEL("yama/ptrace_scope"),

    VM("admin_reserve_kbytes"), VM("compact_unevictable_allowed"), VM("dirty_background_bytes"),
    VM("dirty_background_ratio"), VM("dirty_bytes"), VM("dirty_expire_centisecs"),
    VM("dirty_ratio"), VM("dirty_writeback_centisecs"), VM("hugetlb_shm_group"),
    VM("laptop_mode"), VM("legacy_va_layout"), VM("lowmem_reserve_ratio"), VM("max_map_count"),
    VM("memfd_noexec"), VM("min_free_kbytes"), VM("min_slab_ratio"), VM("min_unmapped_ratio"),
    VM("mmap_min_addr"), VM("nr_hugepages"), VM("nr_overcommit_hugepages"), VM("numa_stat"),
    VM("oom_dump_tasks"), VM("oom_kill_allocating_task"), VM("overcommit_kbytes"),
    VM("overcommit_memory"), VM("overcommit_ratio"), VM("page-cluster"), VM("panic_on_oom"),
    VM("percpu_pagelist_high_fraction"), VM("stat_interval"), VM("swappiness"),
    VM("unprivileged_userfaultfd"), VM("user_reserve_kbytes"), VM("vfs_cache_pressure"),
    VM("watermark_boost_factor"), VM("watermark_scale_factor"), VM("zone_reclaim_mode"),

    FS("aio-max-nr"), FS("aio-nr"), FS("dentry-state"), FS("dir-notify-enable"),
    FS("epoll/max_user_watches"), FS("file-max"), FS("file-nr"), FS("inode-nr"),
    FS("inode-state"), FS("inotify/max_queued_events"), FS("inotify/max_user_instances"),
    FS("inotify/max_user_watches"), FS("fanotify/max_queued_events"),
    FS("fanotify/max_user_groups"), FS("fanotify/max_user_marks"), FS("lease-break-time"),
    FS("leases-enable"), FS("mount-max"), FS("mqueue/msg_default"), FS("mqueue/msg_max"),
    FS("mqueue/msgsize_default"), FS("mqueue/msgsize_max"), FS("mqueue/queues_max"),
    FS("nr_open"), FS("overflowgid"), FS("overflowuid"), FS("pipe-max-size"),
    FS("pipe-user-pages-hard"), FS("pipe-user-pages-soft"), FS("protected_fifos"),
    FS("protected_hardlinks"), FS("protected_regular"), FS("protected_symlinks"),
    FS("suid_dumpable"),

    USER("max_cgroup_namespaces"), USER("max_inotify_instances"), USER("max_inotify_watches"),
    USER("max_ipc_namespaces"), USER("max_mnt_namespaces"), USER("max_net_namespaces"),
    USER("max_pid_namespaces"), USER("max_time_namespaces"), USER("max_user_namespaces"),
    USER("max_uts_namespaces"),

    CORE("busy_poll"), CORE("busy_read"), CORE("default_qdisc"), CORE("netdev_budget"),
    CORE("netdev_max_backlog"), CORE("optmem_max"), CORE("rmem_default"), CORE("rmem_max"),
    CORE("somaxconn"), CORE("wmem_default"), CORE("wmem_max"),

    FILE_OF("net/unix", "max_dgram_qlen"),

    IPV4("conf/all/forwarding"), IPV4("conf/all/rp_filter"), IPV4("conf/default/forwarding"),
    IPV4("conf/default/rp_filter"), IPV4("icmp_echo_ignore_all"), IPV4("ip_default_ttl"),
    IPV4("ip_forward"), IPV4("ip_local_port_range"), IPV4("ip_local_reserved_ports"),
    IPV4("ip_no_pmtu_disc"), IPV4("ip_nonlocal_bind"), IPV4("ip_unprivileged_port_start"),
    IPV4("ipfrag_high_thresh"), IPV4("ipfrag_low_thresh"), IPV4("ipfrag_time"),
    IPV4("neigh/default/gc_thresh1"), IPV4("neigh/default/gc_thresh2"),
    IPV4("neigh/default/gc_thresh3"), IPV4("ping_group_range"), IPV4("tcp_abort_on_overflow"),
    IPV4("tcp_allowed_congestion_control"), IPV4("tcp_available_congestion_control"),
    IPV4("tcp_base_mss"), IPV4("tcp_congestion_control"), IPV4("tcp_dsack"), IPV4("tcp_ecn"),
    IPV4("tcp_fastopen"), IPV4("tcp_fin_timeout"), IPV4("tcp_keepalive_intvl"),
    IPV4("tcp_keepalive_probes"), IPV4("tcp_keepalive_time"), IPV4("tcp_max_orphans"),
    IPV4("tcp_max_syn_backlog"), IPV4("tcp_max_tw_buckets"), IPV4("tcp_mem"),
    IPV4("tcp_moderate_rcvbuf"), IPV4("tcp_mtu_probing"), IPV4("tcp_no_metrics_save"),
    IPV4("tcp_notsent_lowat"), IPV4("tcp_orphan_retries"), IPV4("tcp_reordering"),
    IPV4("tcp_retries1"), IPV4("tcp_retries2"), IPV4("tcp_rfc1337"), IPV4("tcp_rmem"),
    IPV4("tcp_sack"), IPV4("tcp_slow_start_after_idle"), IPV4("tcp_syn_retries"),
    IPV4("tcp_synack_retries"), IPV4("tcp_syncookies"), IPV4("tcp_timestamps"),
    IPV4("tcp_tw_reuse"), IPV4("tcp_window_scaling"), IPV4("tcp_wmem"), IPV4("udp_mem"),
    IPV4("udp_rmem_min"), IPV4("udp_wmem_min"),

    IPV6("bindv6only"), IPV6("conf/all/disable_ipv6"), IPV6("conf/all/forwarding"),
    IPV6("conf/default/disable_ipv6"), IPV6("conf/default/forwarding"),
    IPV6("conf/lo/disable_ipv6"), IPV6("ip6frag_high_thresh"), IPV6("ip_nonlocal_bind"),
};
/* clang-format on */
const size_t dz_procfs_sys_row_count = DZ_ARRAY_SIZE(dz_procfs_sys_rows);
