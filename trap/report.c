/*
 * What a person should hear of a guest while it runs: a call that denizen lacks, once
 * per silo. Standard error may be a pipe that the guest holds too, so nothing here
 * waits for it.
 */
#include "trap/engine.h"

#include <stdio.h>
#include <string.h>

static void say(struct dz_engine *engine, const char *line, size_t length) {
  if (engine->messages >= 0 && write(engine->messages, line, length) < 0)
    dz_debug("a message was lost: %s", strerror(errno));
}

void dz_report_unsupported(struct dz_call *call, const char *what) {
  struct dz_engine *engine = call->engine;
  uint32_t number = (uint32_t)call->number;
  uint32_t slot = number < 1024 ? number : 1023;
  uint32_t bit = UINT32_C(1) << (slot % 32);
  const char *name = call->row ? call->row->name : "unknown";
  char line[512];
  int length;

  if (__atomic_fetch_or(&engine->reported[slot / 32], bit, __ATOMIC_RELAXED) & bit)
    return;
  length = snprintf(line, sizeof line,
                    "denizen: unsupported call %s(%d)%s%s: 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx "
                    "0x%llx\n",
                    name, call->number, what ? ": " : "", what ? what : "",
                    (unsigned long long)call->arguments[0], (unsigned long long)call->arguments[1],
                    (unsigned long long)call->arguments[2], (unsigned long long)call->arguments[3],
                    (unsigned long long)call->arguments[4], (unsigned long long)call->arguments[5]);
  say(engine, line, (size_t)length);
  if (call->silo->strict)
    dz_engine_end(engine, "the guest made an unsupported call: %s (%d)%s%s", name, call->number,
                  what ? ": " : "", what ? what : "");
}
