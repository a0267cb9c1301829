#include "proc/proc.h"

#include "host/calls.h"
#include "host/defence.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

bool dz_proc_is_member(const struct dz_proc *proc, pid_t tid) {
  uint64_t tag;

  return tid > 0 && dz_tag_read(tid, &tag) == 0 && tag >> DZ_TAG_RECORD_BITS == proc->silo;
}

int dz_proc_list(const struct dz_proc *proc, pid_t **pids, size_t *count) {
  int fd = openat(proc->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
  struct dirent *entry;
  size_t room = 0;
  int err = directory ? 0 : -errno;

  *pids = NULL;
  *count = 0;
  while (!err && (entry = readdir(directory))) {
    pid_t pid = atoi(entry->d_name);

    if (pid <= 0 || !dz_proc_is_member(proc, pid))
      continue;
    if (*count == room) {
      pid_t *grown = realloc(*pids, (room = room ? 2 * room : 64) * sizeof *grown);

      if (!grown) {
        err = -ENOMEM;
        break;
      }
      *pids = grown;
    }
    (*pids)[(*count)++] = pid;
  }
  if (directory)
    closedir(directory);
  else if (fd >= 0)
    close(fd);
  if (err) {
    free(*pids);
    *pids = NULL;
  }
  return err;
}

int dz_proc_status(const struct dz_proc *proc, pid_t tid, char text[DZ_STATUS_MAX]) {
  char path[32];
  ssize_t length;

  snprintf(path, sizeof path, "%d/status", (int)tid);
  length = dz_read_file_at(proc->proc_fd, path, text, DZ_STATUS_MAX);
  if (length < 0)
    return length == -ENOENT ? -ESRCH : (int)length;
  return 0;
}

int dz_status_number(const char *text, const char *field, int base, uint64_t *value) {
  for (const char *at = text; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
    if (strncmp(at, field, strlen(field)) == 0) {
      *value = strtoull(at + strlen(field), NULL, base);
      return 0;
    }
  return -ENODATA;
}

int dz_proc_status_number(const struct dz_proc *proc, pid_t tid, const char *field, int base,
                          uint64_t *value) {
  char text[DZ_STATUS_MAX];
  int err = dz_proc_status(proc, tid, text);

  return err ? err : dz_status_number(text, field, base, value);
}

char dz_proc_state_letter(int directory, const char *stat_path) {
  char text[512];
  const char *name_end;

  if (dz_read_file_at(directory, stat_path, text, sizeof text) < 0)
    return '?';
  name_end = strrchr(text, ')'); /* the name before it may hold anything */
  return name_end && name_end[1] ? name_end[2] : '?';
}

pid_t dz_proc_tgid(const struct dz_proc *proc, pid_t tid) {
  uint64_t tgid;
  int err = dz_proc_status_number(proc, tid, "Tgid:", 10, &tgid);

  return err ? err : (pid_t)tgid;
}

pid_t dz_proc_parent(const struct dz_proc *proc, pid_t tgid) {
  uint64_t parent;

  if (tgid == proc->init)
    return 0;
  if (dz_proc_status_number(proc, tgid, "PPid:", 10, &parent))
    return -ESRCH;
  return dz_proc_is_member(proc, (pid_t)parent) ? (pid_t)parent : 1;
}

int dz_proc_start_time(const struct dz_proc *proc, pid_t tid, uint64_t *ticks) {
  char path[32], text[1024];
  const char *at;
  ssize_t length;

  snprintf(path, sizeof path, "%d/stat", (int)tid);
  length = dz_read_file_at(proc->proc_fd, path, text, sizeof text);
  if (length < 0)
    return length == -ENOENT ? -ESRCH : (int)length;
  at = strrchr(text, ')'); /* the name before it may hold anything */
  for (int field = 2; at && field < 22; field++)
    at = strchr(at + 1, ' ');
  if (!at)
    return -ENODATA;
  *ticks = strtoull(at, NULL, 10);
  return 0;
}

int dz_proc_pidfd(const struct dz_proc *proc, pid_t pid, unsigned flags) {
  int fd DZ_FD = dz_pidfd_open(pid, flags);

  if (fd < 0)
    return fd;
  /* The number is a member's now, and the pidfd's process still has it if it lives. */
  if (dz_defence("membership") && !dz_proc_is_member(proc, pid))
    return -ESRCH;
  if (dz_pidfd_send_signal(fd, 0, 0))
    return -ESRCH;
  return dz_steal_fd(&fd);
}

int dz_proc_open_fd(const struct dz_proc *proc, pid_t tid, int fd) {
  char path[48];
  int opened;

  if (fd < 0)
    return -EBADF;
  snprintf(path, sizeof path, "%d/fd/%d", (int)tid, fd);
  opened = openat(proc->proc_fd, path, O_PATH | O_CLOEXEC);
  if (opened >= 0)
    return opened;
  return errno == ENOENT ? -EBADF : -errno;
}

int dz_proc_get_fd(const struct dz_proc *proc, pid_t tid, int fd) {
  int pidfd DZ_FD = dz_pidfd_open(tid, 0);

  if (pidfd == -EINVAL || pidfd == -ENOENT) { /* a thread: PIDFD_THREAD (O_EXCL) since 6.9 */
    pid_t tgid;

    pidfd = dz_pidfd_open(tid, O_EXCL);
    if (pidfd < 0 && (tgid = dz_proc_tgid(proc, tid)) > 0)
      pidfd = dz_pidfd_open(tgid, 0);
  }
  return pidfd < 0 ? pidfd : dz_pidfd_getfd(pidfd, fd);
}
