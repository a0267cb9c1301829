/*
 * An argv of hundreds of millions of pointers for a script: the supervisor makes a longer one of
 * it, and must not read for seconds while others wait.
 *
 * limit: 30
 * ends: no
 * without: - how many arguments are looked at is a number, not a check
 */
#include "testsuites/security/attack.h"

#define SIZE (1UL << 30)

static void attack(void) {
  /* one page of pointers, mapped again and again */
  int fd = (int)syscall(SYS_memfd_create, "argv", 0), script;
  char *area = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  uint64_t *pointers;
  pid_t child;
  size_t piece = 1 << 20;

  if (fd < 0 || area == MAP_FAILED || ftruncate(fd, (off_t)piece))
    skip("no memory to attack with");
  pointers = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  for (size_t i = 0; i < piece / 8; i++)
    pointers[i] = (uintptr_t) "x";
  for (size_t at = 0; at < SIZE; at += piece)
    mmap(area + at, piece, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  script = open("/tmp/script", O_CREAT | O_WRONLY, 0755);
  (void)!write(script, "#!/bin/chosen\n", 14);
  close(script);
  child = fork();
  if (child == 0) {
    execve("/tmp/script", (char **)(void *)area, NULL);
    _exit(errno);
  }
  pause_for(0.05);
  if (!others_go_on())
    broke("others wait while arguments are counted");
  waitpid(child, NULL, 0);
}
