/* The system as a whole: uname(2). */
#include "syscalls/call.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

int64_t dz_sys_uname(struct dz_call *call) {
  struct utsname name;

  if (uname(&name))
    return -errno;
  memset(name.nodename, 0, sizeof name.nodename);
  memset(name.domainname, 0, sizeof name.domainname);
  snprintf(name.nodename, sizeof name.nodename, "%s", call->silo->proc.hostname);
  snprintf(name.domainname, sizeof name.domainname, "%s", call->silo->proc.domainname);
  return dz_arg_write(call, call->arguments[0], &name, sizeof name);
}
