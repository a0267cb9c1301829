/*
 * A page that is missing, with somebody who handles its faults and does not: a supervisor that
 * reads a path there waits for ever, and all guests with it.
 *
 * limit: 12
 * ends: no
 * without: - with the call left to the kernel, its own rule (vm.unprivileged_userfaultfd) still
 * refuses
 */
#include "testsuites/security/attack.h"

#define NUMBER_USERFAULTFD 323
#define USER_MODE_ONLY 1
#define REQUEST_API 0xc018aa3fUL
#define REQUEST_REGISTER 0xc020aa00UL

struct api {
  uint64_t api, features, ioctls;
};

struct registration {
  uint64_t start, length, mode, ioctls;
};

int ioctl(int fd, unsigned long request, ...);

static char *missing_page(int fd) {
  struct api api = {.api = 0xaa};
  char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct registration registration = {.start = (uintptr_t)page, .length = 4096, .mode = 1};

  if (ioctl(fd, REQUEST_API, &api) || ioctl(fd, REQUEST_REGISTER, &registration))
    return NULL;
  return page;
}

static void attack(void) {
  int fd = (int)syscall(NUMBER_USERFAULTFD, O_CLOEXEC);
  char *page;
  pid_t child;

  if (fd >= 0)
    broke("a userfaultfd that the supervisor's own faults wait for");
  got("without USER_MODE_ONLY: %s", strerror(errno));
  fd = (int)syscall(NUMBER_USERFAULTFD, O_CLOEXEC | USER_MODE_ONLY);
  if (fd < 0)
    skip("no userfaultfd on this host");
  page = missing_page(fd);
  if (!page)
    skip("userfaultfd does not take memory here");
  child = fork(); /* the page of this process stays the one that is watched */
  if (child == 0) {
    pause_for(0.3);
    _exit(others_go_on() ? 0 : 1);
  }
  if (open(page, O_RDONLY) >= 0)
    broke("the test itself: a path on a missing page");
  got("open: %s", strerror(errno));
  {
    int status;

    waitpid(child, &status, 0);
    if (status)
      broke("others waited for a missing page");
  }
}
