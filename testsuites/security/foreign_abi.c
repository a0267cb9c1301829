/*
 * The other ways into the kernel have other numbers: int 0x80, sysenter, and x32's bit. A filter
 * that does not look at the architecture lets open(5) of i386 pass as fstat of x86-64.
 *
 * without: arch,landlock
 */
#include "testsuites/security/attack.h"

#define X32_BIT 0x40000000L
#define I386_CREAT 8
#define I386_OPEN 5
#define I386_GETPID 20

static char *low; /* i386 calls take 32-bit addresses */

static long int80(long number, long a, long b, long c) {
  long result;

  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(number), "b"(a), "c"(b), "d"(c)
                   : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}

/* It does not come back to here: the kernel returns to where a 32-bit vDSO would be. */
static void sysenter(long number, long a, long b) {
  __asm__ volatile("mov %%rsp, %%rbp\n\tsysenter"
                   :
                   : "a"(number), "b"(a), "c"(b), "d"(0L)
                   : "memory");
}

static bool made_by(const char *what, const char *path) {
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);

  if (fd < 0)
    return false;
  close(fd);
  broke("%s made a file of the host", what);
  return true;
}

static void attack(void) {
  char made[PATH_MAX];
  pid_t child;
  long fd;

  low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED)
    skip("no memory below 4 GiB");
  child = fork();
  if (child == 0)
    _exit(int80(I386_GETPID, 0, 0, 0) == -ENOSYS ? 0 : 1);
  {
    int status;

    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
      got("int 0x80 is not built into this kernel");
    else if (status)
      broke("an i386 call was answered by the kernel");
  }
  strcpy(low, given("SECRET"));
  fd = int80(I386_OPEN, (long)low, O_RDONLY, 0);
  if (fd >= 0)
    broke("int 0x80 opened a file of the host");
  snprintf(made, sizeof made, "%s/made-by-sysenter", given("HOST_DIRECTORY"));
  strcpy(low, made);
  child = fork();
  if (child == 0) {
    sysenter(I386_CREAT, (long)low, 0644);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  made_by("sysenter", made);
  fd = syscall(SYS_openat | X32_BIT, AT_FDCWD, given("SECRET"), O_RDONLY);
  if (fd >= 0)
    broke("a number of x32 opened a file of the host");
  fd = syscall(2 | X32_BIT, given("SECRET"), O_RDONLY);
  if (fd >= 0)
    broke("a number of x32 opened a file of the host");
  for (long number = 470; number < 1100; number += 7)
    if (syscall(number, 0, 0, 0, 0, 0, 0) >= 0)
      broke("the unknown call %ld succeeded", number);
  if (syscall(-1L) >= 0 || syscall(-2L) >= 0)
    broke("a negative number succeeded");
}
