/* The text of a report: the call, who made it, and where. On the reporter's thread. */
#include "trap/report.h"

#include "host/calls.h"
#include "signals/backtrace.h"
#include "signals/crash.h"
#include "signals/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

enum { BACKTRACE_MILLISECONDS = 150, MAPS_MAX = 1 << 20 };

/* Is the thread that is read still the caller, waiting? Asked after what was read of it. */
static bool still_there(struct dz_report *report) {
  uint64_t id = report->call.id;

  if (atomic_load(&report->gone) || !dz_proc_is_member(&report->call.silo->proc, report->call.tid))
    return false;
  return report->is_attached ||
         ioctl(report->call.engine->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* ---- the guest's files, by the names that it knows ---- */

/* From the silo's own root: a chroot'ed guest has no /proc, and a person knows no other names. */
static struct dz_view view_of(const struct dz_report *report) {
  const struct dz_silo *silo = report->call.silo;

  return (struct dz_view){.vfs = silo->vfs,
                          .proc = &report->call.silo->proc,
                          .root = dz_vfs_root(silo->vfs),
                          .cwd = dz_vfs_root(silo->vfs),
                          .tid = report->call.tid,
                          .may_block = true};
}

static char *read_all(int fd) {
  char *text = malloc(MAPS_MAX);
  size_t length = 0;
  ssize_t got;

  if (!text)
    return NULL;
  while (length < MAPS_MAX - 1 && (got = read(fd, text + length, MAPS_MAX - 1 - length)) > 0)
    length += (size_t)got;
  text[length] = '\0';
  return text;
}

/* As the guest reads it: denizen's copies of programs have the names of what they are copies of. */
static int read_maps(const struct dz_report *report, struct dz_modules *modules) {
  struct dz_view view = view_of(report);
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  struct dz_open_how how = {.flags = O_RDONLY};
  char path[48], *text;
  int fd DZ_FD = -1;
  int err;

  snprintf(path, sizeof path, "/proc/%d/task/%d/maps", (int)report->call.view.tgid,
           (int)report->call.tid);
  err = dz_walk(&view, view.root, path, DZ_WALK_FOLLOW, &lookup);
  if (err)
    return err;
  fd = lookup.node.mount->ops->open(&view, &lookup.node, &how);
  if (fd < 0)
    return fd;
  text = read_all(fd);
  return text ? dz_modules_make(modules, text) : -ENOMEM;
}

/* For the symbols. Names and files change: only the inode that is mapped is of use. */
static int open_module(void *context, const struct dz_module *module) {
  struct dz_view view = view_of(context);
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  int err = dz_walk(&view, view.root, module->name, DZ_WALK_FOLLOW, &lookup);

  if (err)
    return err;
  if (lookup.node.mount->ops != &dz_hostfs || !S_ISREG(lookup.node.mode) ||
      lookup.node.ino != module->ino)
    return -ENOENT;
  return dz_reopen(lookup.node.fd, O_RDONLY | O_NONBLOCK);
}

/* ---- the text ---- */

static void add_process(const struct dz_report *report, bool may_read, struct dz_note *note) {
  char name[DZ_PROCESS_NAME_MAX];

  dz_note_print(note, "process %d", (int)report->call.view.tgid);
  if (report->call.tid != report->call.view.tgid)
    dz_note_print(note, ", thread %d", (int)report->call.tid);
  if (!may_read)
    return;
  dz_process_name(report->call.silo->proc.proc_fd, report->call.tid, name);
  dz_note_print(note, " (");
  dz_note_escaped(note, name, strlen(name));
  dz_note_print(note, ")");
}

static void add_ending(struct dz_report *report, bool may_read, struct dz_note *note) {
  char buffer[DZ_SIGNAL_NAME_MAX];

  dz_note_print(note, "denizen: ");
  add_process(report, may_read, note);
  dz_note_print(note, " ends itself by signal %d (%s)\n", report->signal,
                dz_signal_name(report->signal, buffer));
}

static void add_call(struct dz_report *report, bool may_read, struct dz_note *note) {
  dz_note_print(note, "denizen: unsupported call ");
  dz_report_call(&report->call, may_read, note);
  if (report->result != -DZ_EANSWERED) {
    dz_note_print(note, " = ");
    dz_note_result(note, report->result);
  }
  if (report->what[0])
    dz_note_print(note, ": %s", report->what);
  dz_note_print(note, "\n  by ");
  add_process(report, may_read, note);
  dz_note_print(note, "\n");
}

static void add_head(struct dz_report *report, bool may_read, struct dz_note *note) {
  if (report->signal)
    add_ending(report, may_read, note);
  else
    add_call(report, may_read, note);
}

/* Registers are of 64 bits when the code segment is (arch/x86/include/asm/segment.h). */
#define USER_CODE_64 0x33

static const char *backtrace(struct dz_report *report, struct dz_note *note) {
  struct dz_modules modules DZ_MODULES = {0};
  struct dz_backtrace trace;
  struct dz_backtrace_source source = {.tid = report->call.tid,
                                       .registers = &report->registers,
                                       .all_registers = report->known == DZ_REGISTERS_ALL,
                                       .modules = &modules,
                                       .open_module = open_module,
                                       .context = report,
                                       .milliseconds = BACKTRACE_MILLISECONDS};
  int err;

  if (report->known == DZ_REGISTERS_NONE)
    return "the guest did not wait";
  if (report->known == DZ_REGISTERS_ALL && report->registers.cs != USER_CODE_64)
    return "the code is of 32 bits";
  err = read_maps(report, &modules);
  if (err)
    return strerrordesc_np(-err);
  err = dz_backtrace_make(&source, &trace);
  dz_backtrace_print(&trace, &modules, note);
  return dz_backtrace_why(&trace, err);
}

void dz_report_text(struct dz_report *report, struct dz_note *note) {
  const char *missing;

  add_head(report, true, note);
  missing = backtrace(report, note);
  if (!still_there(report)) { /* what was read may be another's */
    note->length = 0;
    add_head(report, false, note);
    missing = "the guest has gone";
  }
  if (missing)
    dz_note_print(note, "  the backtrace ends here: %s\n", missing);
}

void dz_report_text_bare(struct dz_report *report, struct dz_note *note) {
  add_head(report, false, note);
}
