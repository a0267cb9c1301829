/* Calls of which the kernel performs what concerns the caller, and nobody yet what concerns other
 * processes: the rest of their rules. Recorded, never faked. */
#include "syscalls/call.h"

static int64_t lacks(struct dz_call *call, const char *what) {
  call->ops->unsupported(call, what);
  return -ENOSYS;
}

int64_t dz_sys_timer_create(struct dz_call *call) {
  return lacks(call, "the CPU clock of another process");
}

int64_t dz_sys_clock_nanosleep(struct dz_call *call) {
  return lacks(call, "the CPU clock of another process");
}

int64_t dz_sys_migrate_pages(struct dz_call *call) {
  return lacks(call, "the pages of another process");
}

int64_t dz_sys_move_pages(struct dz_call *call) {
  return lacks(call, "the pages of another process");
}

int64_t dz_sys_get_robust_list(struct dz_call *call) {
  return lacks(call, "the robust list of another thread");
}
