#include "signals/crash.h"

#include "host/calls.h"
#include "signals/names.h"

#include <stdio.h>
#include <string.h>

void dz_process_name(int proc_fd, pid_t pid, char name[DZ_PROCESS_NAME_MAX]) {
  char path[32];
  ssize_t length;

  snprintf(path, sizeof path, "%d/comm", (int)pid);
  length = dz_read_file_at(proc_fd, path, name, DZ_PROCESS_NAME_MAX);
  if (length > 0 && name[length - 1] == '\n')
    length--;
  name[length > 0 ? length : 0] = '\0';
}

void dz_crash_print(pid_t pid, const char *name, int signal, struct dz_note *note) {
  char buffer[DZ_SIGNAL_NAME_MAX];

  dz_note_print(note, "process %d", (int)pid);
  if (name[0]) {
    dz_note_print(note, " (");
    dz_note_escaped(note, name, strlen(name));
    dz_note_print(note, ")");
  }
  dz_note_print(note, " was ended by signal %d (%s)", signal, dz_signal_name(signal, buffer));
}
