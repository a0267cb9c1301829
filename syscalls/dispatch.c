#include "syscalls/call.h"

#include <linux/audit.h>

static int64_t unsupported(struct dz_call *call, const char *what) {
  call->ops->unsupported(call, what);
  return -ENOSYS;
}

int64_t dz_dispatch(struct dz_call *call) {
  if (call->arch != AUDIT_ARCH_X86_64)
    return unsupported(call, "an i386 call");
  call->row = dz_syscall_by_number((uint32_t)call->number);
  if (!call->row)
    return unsupported(call, NULL);
  if (call->row->disposition == DZ_REFUSED)
    return -call->row->refusal;
  if (!call->row->handler)
    return unsupported(call, NULL);
  call->view = (struct dz_view){.vfs = call->silo->vfs,
                                .proc = &call->silo->proc,
                                .root = &call->state->root->node,
                                .cwd = &call->state->cwd->node,
                                .tid = call->tid,
                                .tgid = 0,
                                .may_block = call->may_block};
  return call->row->handler(call);
}
