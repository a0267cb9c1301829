/*
 * A call that the supervisor makes the guest's own thread repeat (kill, for one) is repeated by
 * setting the thread back onto its syscall instruction. Another thread has meanwhile put an endless
 * loop there: who waits for the call waits for ever, and all other guests wait for him.
 *
 * without: attach_limit
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

static void attack(void) {
  static const unsigned char call[] = {0x0f, 0x05, 0xc3}; /* syscall; ret */
  pid_t children[8];

  for (int i = 0; i < 8; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      code =
          mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      memcpy(code, call, sizeof call);
      start_thread(swap, NULL);
      pause_for(0.02);
      {
        long number = SYS_kill, result;
        long self = getpid();

        go = 1;
        __asm__ volatile("call *%5"
                         : "=a"(result)
                         : "0"(number), "D"(self), "S"((long)SIGURG), "d"(0L), "r"(code)
                         : "rcx", "r11", "memory");
        _exit(0);
      }
    }
  }
  pause_for(0.3);
  if (!others_go_on())
    broke("all guests wait for one");
  for (int i = 0; i < 8; i++)
    kill(children[i], SIGKILL);
}
