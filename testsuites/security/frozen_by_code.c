/*
 * A call that the supervisor makes the guest's own thread repeat (kill, for one) is repeated by
 * setting the thread back onto its syscall instruction. Another thread has meanwhile put an endless
 * loop there: who waits for the call waits for ever, and all other guests wait for him.
 *
 * without: attach_limit
 * ends: no
 * limit: 12
 */
#include "testsuites/security/attack.h"

static unsigned char *code;
static volatile int go;

static void *swap(void *unused ATTACK_UNUSED) {
  for (;;) {
    while (!go)
      sched_yield();
    /* jmp . in place of syscall */
    *(volatile uint16_t *)(code + 0) = 0xfeeb;
    go = 0;
  }
  return NULL;
}

/* kill(self, SIGURG) through the prepared code */
static void make_call(void) {
  static const unsigned char call[] = {0x0f, 0x05, 0xc3}; /* syscall; ret */
  long number = SYS_kill, self = getpid(), result;

  code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(code, call, sizeof call);
  start_thread(swap, NULL);
  pause_for(0.02);
  go = 1;
  __asm__ volatile("call *%5"
                   : "=a"(result)
                   : "0"(number), "D"(self), "S"((long)SIGURG), "d"(0L), "r"(code)
                   : "rcx", "r11", "memory");
  _exit(result != 0);
}

static void attack(void) {
  for (int i = 0; i < 6 && !attack_broken; i++) {
    pid_t child = fork();

    if (child == 0)
      make_call();
    pause_for(0.1);
    if (!others_go_on())
      broke("all guests wait for one");
  }
}
