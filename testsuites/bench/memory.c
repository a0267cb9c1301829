#include "testsuites/bench/memory.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 1024 };

struct processes {
  pid_t pids[PROCESSES_MAX];
  size_t count;
};

static bool holds(const struct processes *list, pid_t pid) {
  for (size_t i = 0; i < list->count; i++)
    if (list->pids[i] == pid)
      return true;
  return false;
}

/* All processes whose executable is the file program. */
static int list_processes(const char *program, struct processes *list) {
  struct stat wanted, executable;
  struct dirent *entry;
  char path[300];
  DIR *proc;

  list->count = 0;
  if (stat(program, &wanted) != 0)
    return -1;
  proc = opendir("/proc");
  if (!proc)
    return -1;
  while ((entry = readdir(proc)) && list->count < PROCESSES_MAX) {
    if (!isdigit((unsigned char)entry->d_name[0]))
      continue;
    snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
    if (stat(path, &executable) == 0 && executable.st_dev == wanted.st_dev &&
        executable.st_ino == wanted.st_ino)
      list->pids[list->count++] = (pid_t)strtol(entry->d_name, NULL, 10);
  }
  closedir(proc);
  return 0;
}

static void add_process(pid_t pid, struct memory *found) {
  long resident = 0, proportional = 0;
  char path[64], line[256];
  FILE *rollup;

  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  rollup = fopen(path, "re");
  if (!rollup)
    return;
  while (fgets(line, sizeof line, rollup)) {
    if (strncmp(line, "Rss:", 4) == 0)
      resident = strtol(line + 4, NULL, 10);
    else if (strncmp(line, "Pss:", 4) == 0)
      proportional = strtol(line + 4, NULL, 10);
  }
  fclose(rollup);
  found->processes++;
  found->proportional_kib += proportional;
  if (resident > found->resident_kib)
    found->resident_kib = resident;
}

int memory_for_a_shell(const struct place *place, const char *program, struct memory *found) {
  const char *shell[] = {"/bin/sh", "-c", "echo ready; read line; exit 0", NULL};
  static struct processes before, during;
  struct pollfd wait = {.events = POLLIN};
  int input, status;
  bool ready;
  pid_t child;

  memset(found, 0, sizeof *found);
  if (list_processes(program, &before) != 0)
    return -1;
  child = place_start(place, shell, &input, &wait.fd);
  if (child < 0)
    return -1;
  ready = poll(&wait, 1, 10000) == 1 && (wait.revents & POLLIN);
  if (ready && list_processes(program, &during) == 0)
    for (size_t i = 0; i < during.count; i++)
      if (!holds(&before, during.pids[i]))
        add_process(during.pids[i], found);
  if (!ready)
    kill(child, SIGTERM);
  close(input);
  close(wait.fd);
  waitpid(child, &status, 0);
  return ready && found->processes > 0 ? 0 : -1;
}
