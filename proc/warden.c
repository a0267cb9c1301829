#include "proc/warden.h"

#include "host/calls.h"
#include "host/defence.h"
#include "proc/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define SWEEP_SECONDS 5
#define STOP_ROUNDS 20

static bool carries(pid_t pid, uint64_t silo) {
  uint64_t tag;

  return dz_tag_read(pid, &tag) == 0 && tag >> DZ_TAG_RECORD_BITS == silo;
}

/* Another user's silo may have the same number; it is none of ours. */
static bool is_ours(int proc_fd, const char *pid) {
  struct stat st;

  return fstatat(proc_fd, pid, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == geteuid();
}

/* Returns whether it lives: the dead that somebody else has to reap carry the tag for as long as
 * he likes. */
static bool signal_member(pid_t pid, uint64_t silo, int signal) {
  int pidfd DZ_FD = dz_pidfd_open(pid, 0);
  struct pollfd dead = {.fd = pidfd, .events = POLLIN};
  struct rlimit no_more = {0, 0};

  /* The number is still the one that was listed? */
  if (pidfd < 0 || poll(&dead, 1, 0) != 0 || !carries(pid, silo))
    return false;
  prlimit(pid, RLIMIT_NPROC, &no_more, NULL);
  dz_pidfd_send_signal(pidfd, signal, 0);
  return true;
}

/* Send signal to all members; returns their count, the dead who wait to be reaped left out. */
static int for_members(uint64_t silo, int signal) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  int count = 0;

  while (proc && (entry = readdir(proc))) {
    pid_t pid = atoi(entry->d_name);

    if (pid <= 0 || !carries(pid, silo) || !is_ours(dirfd(proc), entry->d_name))
      continue;
    if (waitpid(pid, NULL, WNOHANG | __WALL) == pid)
      continue;
    count += signal_member(pid, silo, signal);
  }
  if (proc)
    closedir(proc);
  return count;
}

int dz_warden_sweep(uint64_t silo) {
  uint64_t end = dz_monotonic_ns() + SWEEP_SECONDS * DZ_NS_PER_S;
  int before = -1, count;

  if (!dz_defence("warden"))
    return 0;
  for (int round = 0; round < STOP_ROUNDS; round++) {
    count = for_members(silo, SIGSTOP);
    if (count == 0)
      return 0;
    if (count == before)
      break;
    before = count;
  }
  while (for_members(silo, SIGKILL) > 0) {
    struct timespec pause = {.tv_nsec = 2000000};

    if (dz_monotonic_ns() > end)
      return -ETIMEDOUT;
    nanosleep(&pause, NULL);
  }
  return 0;
}

static bool in_use(uint64_t silo) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  bool found = false;

  while (proc && !found && (entry = readdir(proc)))
    found = atoi(entry->d_name) > 0 && carries(atoi(entry->d_name), silo);
  if (proc)
    closedir(proc);
  return found;
}

int64_t dz_warden_allot(const char *directory, struct dz_error *error) {
  int at DZ_FD = -1, lock DZ_FD = -1;
  uint64_t silo;

  if (mkdir(directory, 0700) && errno != EEXIST)
    return dz_fail(error, -errno, "directory for silos %s: %s", directory, strerror(errno));
  at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at >= 0)
    lock = openat(at, "numbers", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0 || flock(lock, LOCK_EX))
    return dz_fail(error, -errno, "lock for silo numbers in %s: %s", directory, strerror(errno));
  do {
    if (getrandom(&silo, sizeof silo, 0) != sizeof silo)
      return dz_fail(error, -EIO, "silo number: no random bytes");
    silo &= DZ_TAG_SILO_MAX;
  } while (silo == 0 || silo == DZ_TAG_SILO_MAX || in_use(silo));
  return (int64_t)silo;
}
