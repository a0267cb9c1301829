/* The floor under every emulated call: what one seccomp notification costs by itself. */
#ifndef BENCH_NOTIFY_H
#define BENCH_NOTIFY_H

/* Nanoseconds of one call that is received and answered and nothing else (two processes, the
 * kernel's SYNC_WAKE_UP where it has it), over count calls; negative when it cannot be done. */
double bench_notify_round_trip(long count);

#endif
