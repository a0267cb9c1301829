#include "testsuites/unit/filter_machine.h"

#include <string.h>

static bool jumps(const struct sock_filter *at) {
  return BPF_CLASS(at->code) == BPF_JMP;
}

static const char *instruction_fault(const struct sock_filter *at, size_t left) {
  switch (at->code) {
  case BPF_LD | BPF_W | BPF_ABS:
    return at->k % 4 || at->k >= sizeof(struct seccomp_data) ? "load outside the data" : NULL;
  case BPF_ALU | BPF_AND | BPF_K:
  case BPF_RET | BPF_K:
    return NULL;
  case BPF_JMP | BPF_JA:
    return at->k >= left ? "jump over the end" : NULL;
  case BPF_JMP | BPF_JEQ | BPF_K:
  case BPF_JMP | BPF_JGE | BPF_K:
  case BPF_JMP | BPF_JGT | BPF_K:
  case BPF_JMP | BPF_JSET | BPF_K:
    return at->jt >= left || at->jf >= left ? "branch over the end" : NULL;
  default:
    return "instruction that no filter of ours needs";
  }
}

const char *filter_fault(const struct sock_filter *program, size_t length) {
  if (length == 0 || length > BPF_MAXINSNS)
    return "length";
  if (program[length - 1].code != (BPF_RET | BPF_K))
    return "no return at the end";
  for (size_t i = 0; i < length; i++) {
    const char *fault = instruction_fault(&program[i], length - i - 1);

    if (fault)
      return fault;
  }
  return NULL;
}

/* Where a jump goes from `at`. */
static const struct sock_filter *follow(const struct sock_filter *at, uint32_t a) {
  bool holds;

  switch (BPF_OP(at->code)) {
  case BPF_JA:
    return at + 1 + at->k;
  case BPF_JEQ:
    holds = a == at->k;
    break;
  case BPF_JGE:
    holds = a >= at->k;
    break;
  case BPF_JGT:
    holds = a > at->k;
    break;
  default:
    holds = a & at->k;
  }
  return at + 1 + (holds ? at->jt : at->jf);
}

uint32_t filter_run(const struct sock_filter *program, const struct seccomp_data *data) {
  const struct sock_filter *at = program;
  uint32_t a = 0;

  while (at->code != (BPF_RET | BPF_K)) {
    if (jumps(at)) {
      at = follow(at, a);
      continue;
    }
    if (BPF_CLASS(at->code) == BPF_LD)
      memcpy(&a, (const char *)data + at->k, sizeof a);
    else
      a &= at->k;
    at++;
  }
  return at->k;
}

bool filter_always_allows(const struct sock_filter *program, uint32_t arch, int number) {
  const struct sock_filter *at = program;
  uint32_t a = 0;

  while (at->code != (BPF_RET | BPF_K)) {
    if (jumps(at)) {
      at = follow(at, a);
      continue;
    }
    if (at->code == (BPF_ALU | BPF_AND | BPF_K))
      a &= at->k;
    else if (at->k == offsetof(struct seccomp_data, nr))
      a = (uint32_t)number;
    else if (at->k == offsetof(struct seccomp_data, arch))
      a = arch;
    else
      return false;
    at++;
  }
  return at->k == SECCOMP_RET_ALLOW;
}
