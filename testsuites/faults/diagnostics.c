/*
 * The guest of diagnostics.sh: makes calls that denizen lacks, from known functions, and from
 * stacks, tables and strings that are made to hurt whoever reads them. One argument: what to do.
 * It is linked statically, so that it has its own names, and runs from any root.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER_INLINE __attribute__((noinline, noclone))
#define LACKING SYS_semget /* System V semaphores are names in the host's namespace */

/* No tail call: the frame stays. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

static const char *name = "/queue";
static long (*make)(void);

static NEVER_INLINE long innermost_function(void) {
  long result = make();

  KEEP_FRAME();
  return result;
}

static NEVER_INLINE long middle_function(void) {
  long result = innermost_function();

  KEEP_FRAME();
  return result;
}

static NEVER_INLINE long outer_function(void) {
  long result = middle_function();

  KEEP_FRAME();
  return result;
}

static long queue(void) {
  return syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0640, NULL);
}
static long semaphore(void) {
  return syscall(LACKING, 0x1234, 2, IPC_CREAT | 0600);
}
static long nothing(void) {
  return syscall(999, 1, 2, 3, 4, 5, 6);
}

static int answered(long result, int expected) {
  return result == -1 && errno == expected ? 0 : 1;
}

static int call_with(long (*function)(void)) {
  make = function;
  return answered(outer_function(), ENOSYS);
}

static int calls(void) {
  int failed = 0;

  for (int i = 0; i < 3; i++)
    failed |= call_with(queue) | call_with(semaphore) | call_with(nothing);
  return failed;
}

/* ---- strings ---- */

static int control(void) {
  name = "\033[31mred\a\r\n\"\\\x80\xff\x7f";
  return call_with(queue);
}

static int endless(void) {
  size_t size = 1 << 20;
  char *text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  memset(text, 'A', size);
  name = text;
  return call_with(queue);
}

static int unreadable(void) {
  name = (const char *)8;
  return call_with(queue);
}

static int cut(void) {
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  munmap(pages + 4096, 4096);
  memset(pages, 'A', 4096);
  name = pages + 4090;
  return call_with(queue);
}

/* ---- stacks ---- */

static long with_registers(uint64_t stack, uint64_t frame) {
  long result = LACKING;

  __asm__ volatile("mov %%rsp, %%r12\n"
                   "mov %%rbp, %%r13\n"
                   "mov %[stack], %%rsp\n"
                   "mov %[frame], %%rbp\n"
                   "syscall\n"
                   "mov %%r12, %%rsp\n"
                   "mov %%r13, %%rbp\n"
                   : "+a"(result)
                   : [stack] "r"(stack), [frame] "r"(frame), "D"(1L), "S"(2L), "d"(3L)
                   : "rcx", "r11", "r12", "r13", "memory");
  return result == -ENOSYS ? 0 : 1;
}

static int nowhere(void) {
  return (int)with_registers(16, 16);
}
static int beyond(void) {
  return (int)with_registers(0xfffffffffffffff8, 0x8000000000000000);
}

/* Code without tables in anonymous memory, and a chain of frames that bites its tail. */
static int ring(void) {
  static const unsigned char code[] = {0x55,                      /* push %rbp */
                                       0x48, 0x89,    0xfd,       /* mov %rdi, %rbp */
                                       0xb8, LACKING, 0,    0, 0, /* mov $LACKING, %eax */
                                       0x0f, 0x05,                /* syscall */
                                       0x5d,                      /* pop %rbp */
                                       0xc3};
  unsigned char *page =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t frames[4];
  long (*run)(uint64_t *);

  memcpy(page, code, sizeof code);
  frames[0] = (uint64_t)&frames[2];
  frames[1] = (uint64_t)page + 11;
  frames[2] = (uint64_t)&frames[0];
  frames[3] = (uint64_t)page + 11;
  memcpy(&run, &page, sizeof run);
  return run(frames) == -ENOSYS ? 0 : 1;
}

static NEVER_INLINE long descend(int depth) {
  long result = depth ? descend(depth - 1) : semaphore();

  KEEP_FRAME();
  return result;
}

static int deep(void) {
  return answered(descend(1000), ENOSYS);
}

/* ---- tables: expressions for the frame's address (DWARF 5, 2.5) ---- */

#define EXPRESSION(function, ...)                                                                  \
  long function(void);                                                                             \
  __asm__(".text\n.globl " #function "\n.type " #function ", @function\n" #function ":\n"          \
          ".cfi_startproc\n.cfi_escape " __VA_ARGS__ "\n"                                          \
          "mov $64, %eax\nsyscall\nret\n.cfi_endproc\n.size " #function ", .-" #function "\n")

/* DW_CFA_def_cfa_expression is 0x0f, with the length of the expression. */
/* The stack pointer plus 8, as it is. */
EXPRESSION(table_is_right, "0x0f, 2, 0x77, 8");
EXPRESSION(table_jumps_to_itself, "0x0f, 3, 0x2f, 0xfd, 0xff");
EXPRESSION(table_pushes_for_ever, "0x0f, 4, 0x30, 0x2f, 0xfc, 0xff");
/* The least number divided by -1: a processor's fault where it is not looked for. */
EXPRESSION(table_divides, "0x0f, 12, 0x0f, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x31, 0x1f, 0x1b");
EXPRESSION(table_reads_nowhere, "0x0f, 10, 0x03, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x06");
EXPRESSION(table_is_longer_than_itself, "0x0f, 0xff, 0xff, 0xff, 0x7f");
EXPRESSION(table_names_no_register, "0x0c, 0xff, 0xff, 0x7f, 8");
_Static_assert(LACKING == 64, "the tables' code has the number in it");

static NEVER_INLINE int tables(long (*function)(void)) {
  return function() == -ENOSYS ? 0 : 1;
}
static int right(void) {
  return tables(table_is_right);
}
static int jumps(void) {
  return tables(table_jumps_to_itself);
}
static int pushes(void) {
  return tables(table_pushes_for_ever);
}
static int divides(void) {
  return tables(table_divides);
}
static int reads(void) {
  return tables(table_reads_nowhere);
}
static int longer(void) {
  return tables(table_is_longer_than_itself);
}
static int no_register(void) {
  return tables(table_names_no_register);
}

/* ---- many at once, and others about ---- */

static int many(void) {
  for (unsigned i = 0; i < 200; i++)
    syscall(1000 + i, i);
  return 0;
}

static void *call_in_thread(void *unused) {
  (void)unused;
  return (void *)(intptr_t)call_with(semaphore);
}

static int thread(void) {
  pthread_t other;
  void *result;

  pthread_create(&other, NULL, call_in_thread, NULL);
  pthread_join(other, &result);
  return (int)(intptr_t)result;
}

static void do_nothing(int signal) {
  (void)signal;
}

static int storm(void) {
  struct itimerval often = {{0, 200}, {0, 200}};
  struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
  int failed = 0;

  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  for (int i = 0; i < 40; i++)
    failed |= syscall(2000 + i) == -1 && errno == ENOSYS ? 0 : 1;
  return failed;
}

static int killed(void) {
  for (int i = 0; i < 40; i++) {
    pid_t child = fork();

    if (child == 0)
      for (int k = 0;; k++)
        syscall(3000 + i * 100 + k % 100);
    usleep(2000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  }
  return 0;
}

/* Says who it is, and makes the call when it is told to: somebody traces it then. */
static int patient(void) {
  char byte;

  printf("%d\n", (int)getpid());
  fflush(stdout);
  return read(0, &byte, 1) == 1 ? call_with(semaphore) : 1;
}

/* Run natively: traces a process until it ends. */
static int trace(const char *number) {
  pid_t pid = atoi(number);
  int status;

  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL)) {
    perror("PTRACE_SEIZE");
    return 77;
  }
  puts("traced");
  fflush(stdout);
  while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
    ptrace(PTRACE_CONT, pid, NULL, (void *)(long)(status >> 16 ? 0 : WSTOPSIG(status)));
  return 0;
}

static int i386(void) {
  long result = 48; /* signal, as i386 counts */

  __asm__ volatile("int $0x80" : "+a"(result) : "b"(1), "c"(2), "d"(3) : "memory");
  return result == -ENOSYS ? 0 : 1;
}

static int between(void) {
  int failed;

  if (write(2, "before\n", 7) != 7)
    return 1;
  failed = call_with(semaphore);
  return write(2, "after\n", 6) == 6 ? failed : 1;
}

/* ---- crashes ---- */

static int segv(void) {
  *(volatile int *)8 = 1;
  return 1;
}

static int abrt(void) {
  abort();
}
static int term(void) {
  return raise(SIGTERM);
}

static int caught(void) {
  struct sigaction action = {.sa_handler = do_nothing};

  sigaction(SIGABRT, &action, NULL);
  return raise(SIGABRT);
}

/* Its parent waits for it, which tells nobody else. */
static int child(void) {
  int status;

  if (fork() == 0)
    segv();
  return wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? 0 : 1;
}

static int orphan(void) {
  if (fork() == 0) {
    pid_t parent = getppid();

    if (fork() == 0) {
      while (getppid() == parent || getppid() != 1)
        usleep(1000);
      segv();
    }
    _exit(0);
  }
  wait(NULL);
  usleep(300000);
  return 0;
}

static const struct {
  const char *name;
  int (*act)(void);
} acts[] = {
    {"calls", calls},     {"control", control}, {"endless", endless}, {"unreadable", unreadable},
    {"cut", cut},         {"nowhere", nowhere}, {"beyond", beyond},   {"ring", ring},
    {"deep", deep},       {"right", right},     {"jumps", jumps},     {"pushes", pushes},
    {"divides", divides}, {"reads", reads},     {"longer", longer},   {"no_register", no_register},
    {"many", many},       {"thread", thread},   {"storm", storm},     {"killed", killed},
    {"patient", patient}, {"i386", i386},       {"between", between}, {"segv", segv},
    {"abrt", abrt},       {"term", term},       {"orphan", orphan},   {"caught", caught},
    {"child", child},
};

int main(int count, char **arguments) {
  if (count > 2 && strcmp(arguments[1], "trace") == 0)
    return trace(arguments[2]);
  for (size_t i = 0; count > 1 && i < sizeof acts / sizeof *acts; i++)
    if (strcmp(arguments[1], acts[i].name) == 0)
      return acts[i].act();
  return 99;
}
