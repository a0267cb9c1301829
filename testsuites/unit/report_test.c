/* What reports are made of: escapes, names of signals, arguments, mappings, and a backtrace of a
 * child of this test's, read by the same process that reads guests. */
#include "proc/mem.h"
#include "signals/backtrace.h"
#include "signals/crash.h"
#include "signals/names.h"
#include "trap/report.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

TestSuite(report);

/* ---- notes ---- */

Test(report, guests_bytes_are_escaped) {
  char text[64];
  struct dz_note note = DZ_NOTE(text);

  dz_note_escaped(&note, "a\n\t\r\"\\\033\x80\0b ~\x7f", 13);
  cr_assert_str_eq(text, "a\\n\\t\\r\\\"\\\\\\033\\200\\000b ~\\177");
}

Test(report, a_note_is_cut_where_its_buffer_ends) {
  char text[8];
  struct dz_note note = DZ_NOTE(text);

  for (int i = 0; i < 5; i++) {
    dz_note_print(&note, "%s", "abc");
    cr_assert_lt(note.length, sizeof text);
    cr_assert_eq(strlen(text), note.length);
  }
  cr_assert_str_eq(text, "abcabca");
}

Test(report, results_are_told_as_strace_does) {
  static const struct {
    int64_t result;
    const char *text;
  } results[] = {{0, "0"},
                 {7, "7"},
                 {-ENOSYS, "-1 ENOSYS (Function not implemented)"},
                 {-4095, "-4095"},
                 {-5000, "-5000"}};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(results); i++) {
    char text[64];
    struct dz_note note = DZ_NOTE(text);

    dz_note_result(&note, results[i].result);
    cr_assert_str_eq(text, results[i].text);
  }
}

/* ---- signals ---- */

Test(report, every_signal_has_the_name_that_the_C_library_gives_it) {
  char buffer[DZ_SIGNAL_NAME_MAX], expected[32];

  for (int number = 1; number < 32; number++) {
    snprintf(expected, sizeof expected, "SIG%s", sigabbrev_np(number));
    if (number == SIGPOLL)
      snprintf(expected, sizeof expected, "SIGIO");
    cr_assert_str_eq(dz_signal_name(number, buffer), expected);
  }
  cr_assert_str_eq(dz_signal_name(32, buffer), "SIGRTMIN+0");
  cr_assert_str_eq(dz_signal_name(64, buffer), "SIGRTMIN+32");
  cr_assert_str_eq(dz_signal_name(65, buffer), "65");
  cr_assert_str_eq(dz_signal_name(0, buffer), "0");
  cr_assert_str_eq(dz_signal_name(-2147483647 - 1, buffer), "-2147483648");
}

Test(report, what_people_send_is_no_crash) {
  static const int sent[] = {SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1};
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(sent); i++)
    cr_assert_not(dz_signal_is_crash(sent[i]));
  for (size_t i = 0; i < DZ_ARRAY_SIZE(crashes); i++)
    cr_assert(dz_signal_is_crash(crashes[i]));
}

Test(report, a_crash_is_one_line_whatever_the_process_calls_itself) {
  char text[256];
  struct dz_note note = DZ_NOTE(text);

  dz_crash_print(12, "a\n\033b", SIGSEGV, &note);
  cr_assert_str_eq(text, "process 12 (a\\n\\033b) was ended by signal 11 (SIGSEGV)");
  note = DZ_NOTE(text);
  dz_crash_print(12, "", SIGBUS, &note);
  cr_assert_str_eq(text, "process 12 was ended by signal 7 (SIGBUS)");
}

/* ---- arguments ---- */

static const char *shown(const char *name, const uint64_t arguments[6], char text[512]) {
  struct dz_call call = {.row = dz_syscall_by_name(name), .tid = getpid()};
  struct dz_note note = {.text = text, .size = 512};

  memcpy(call.arguments, arguments, sizeof call.arguments);
  dz_report_call(&call, true, &note);
  return text;
}

#define SHOWN(name, ...) shown(name, (const uint64_t[6]){__VA_ARGS__}, text)

Test(report, arguments_are_told_by_their_type) {
  const uint64_t garbage = UINT64_C(0xdeadbeef) << 32;
  char text[512];

  cr_assert_str_eq(SHOWN("openat", garbage | (uint32_t)AT_FDCWD, (uintptr_t) "/a \"b\"", 0x80042,
                         garbage | 0644),
                   "openat(dirfd=AT_FDCWD, pathname=\"/a \\\"b\\\"\", flags=0x80042, mode=0644)");
  cr_assert_str_eq(SHOWN("openat", 7, 0, 0, 0), "openat(dirfd=7, pathname=NULL, flags=0, mode=0)");
  cr_assert_str_eq(SHOWN("kill", garbage | (uint32_t)-1, 11), "kill(pid=-1, sig=SIGSEGV)");
  cr_assert_str_eq(SHOWN("ioctl", (uint32_t)-1, 0x5401, 0xffff0000),
                   "ioctl(fd=-1, request=0x5401, arg=0xffff0000)");
  cr_assert_str_eq(SHOWN("lseek", 3, (uint64_t)-5, 1), "lseek(fd=3, offset=-5, whence=1)");
  cr_assert_str_eq(SHOWN("getpid", 1, 2, 3), "getpid()");
  cr_assert_str_eq(SHOWN("mknod", (uintptr_t) "x", 020666, makedev(1, 3)),
                   "mknod(pathname=\"x\", mode=020666, dev=1:3)");
}

Test(report, a_string_is_cut_and_a_bad_one_is_an_address) {
  char text[512], expected[512], name[400];

  memset(name, 'x', sizeof name);
  snprintf(expected, sizeof expected, "rmdir(pathname=\"%.256s\"...)", name);
  cr_assert_str_eq(SHOWN("rmdir", (uintptr_t)name), expected);
  cr_assert_str_eq(SHOWN("rmdir", 8), "rmdir(pathname=0x8)");
}

Test(report, no_row_of_the_table_lacks_a_way_to_be_shown) {
  const struct dz_syscall *row = NULL;
  char text[512];

  while ((row = dz_syscall_next(row))) {
    const char *all = SHOWN(row->name, 1, 2, 3, 4, 5, 6);
    unsigned equals = 0;

    for (const char *at = all; (at = strchr(at, '=')); at++)
      equals++;
    cr_assert_eq(equals, row->argument_count, "%s", all);
  }
}

/* ---- mappings ---- */

Test(report, mappings_are_taken_apart) {
  struct dz_modules modules DZ_MODULES = {0};
  char *text = strdup("00400000-00401000 r--p 00000000 fe:00 12                        /bin/a b\n"
                      "00401000-00402000 r-xp 00001000 fe:00 12                        /bin/a b\n"
                      "00500000-00501000 rw-p 00000000 00:00 0 \n"
                      "00600000-00601000 rw-p 00000000 00:00 0                         [heap]\n"
                      "rubbish\n"
                      "00700000-00600000 r-xp 00000000 fe:00 13                        /backwards\n"
                      "7f0000000000-7f0000001000 r-xp 00002000 fe:00 13                /lib/c\n"
                      "7fff00000000-7fff00001000 r-xp 00000000 00:00 0                 [vdso]\n"
                      "7fff00002000-7fff00003000 r-xp 00000000 00:00 0            /no/end");

  cr_assert_eq(dz_modules_make(&modules, text), 0);
  cr_assert_eq(modules.mapping_count, 4);
  cr_assert_eq(modules.module_count, 3);
  cr_assert_str_eq(modules.modules[0].name, "/bin/a b");
  cr_assert_eq(modules.modules[0].base, 0x400000);
  cr_assert_eq(modules.modules[0].ino, 12);
  cr_assert_eq(modules.modules[1].base, 0, "its first byte is not mapped");
  cr_assert_eq(dz_modules_find(&modules, 0x401234), &modules.mappings[1]);
  cr_assert_eq(dz_modules_find(&modules, 0x402000), NULL);
  cr_assert_eq(dz_modules_find(&modules, 0x3fffff), NULL);
  cr_assert_eq(dz_modules_find(&modules, 0x7fff00000fff), &modules.mappings[3]);
  cr_assert_eq(dz_modules_find(&modules, UINT64_MAX), NULL);
}

/* ---- backtraces ---- */

__attribute__((noinline, noclone)) static void innermost_of_three(void) {
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  raise(SIGSTOP);
  __asm__ volatile("" ::: "memory"); /* no jump instead of a call */
}

__attribute__((noinline, noclone)) static void second_of_three(void) {
  innermost_of_three();
  __asm__ volatile("" ::: "memory");
}

__attribute__((noinline, noclone)) static void outermost_of_three(void) {
  second_of_three();
  __asm__ volatile("" ::: "memory");
}

static int open_own_file(void *context, const struct dz_module *module) {
  struct stat st;
  int fd = open(module->name, O_RDONLY | O_CLOEXEC);

  (void)context;
  return fd >= 0 && !fstat(fd, &st) && st.st_ino == module->ino ? fd : -ENOENT;
}

static char *read_file(const char *path) {
  char *text = calloc(1, 1 << 20);
  FILE *file = fopen(path, "r");

  if (!text || !file || fread(text, 1, (1 << 20) - 1, file) == 0)
    cr_assert_fail("%s", path);
  fclose(file);
  return text;
}

static pid_t stopped_child(struct user_regs_struct *registers) {
  pid_t child = fork();
  int status;

  if (child == 0) {
    outermost_of_three();
    _exit(0);
  }
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert(WIFSTOPPED(status));
  cr_assert_eq(ptrace(PTRACE_GETREGS, child, 0, registers), 0);
  return child;
}

static int position(const struct dz_backtrace *trace, const char *symbol) {
  for (size_t i = 0; i < trace->count; i++)
    if (strcmp(trace->frames[i].symbol, symbol) == 0)
      return (int)i;
  return -1;
}

Test(report, a_backtrace_names_the_functions_of_another_process) {
  struct user_regs_struct registers;
  pid_t child = stopped_child(&registers);
  struct dz_modules modules DZ_MODULES = {0};
  struct dz_backtrace trace;
  struct dz_backtrace_source source = {.tid = child,
                                       .registers = &registers,
                                       .all_registers = true,
                                       .modules = &modules,
                                       .open_module = open_own_file,
                                       .milliseconds = 5000};
  char path[64];
  int innermost;

  snprintf(path, sizeof path, "/proc/%d/maps", child);
  cr_assert_eq(dz_modules_make(&modules, read_file(path)), 0);
  cr_assert_eq(dz_backtrace_make(&source, &trace), 0);
  innermost = position(&trace, "innermost_of_three");
  cr_assert_gt(innermost, 0, "raise() is above it");
  cr_assert_eq(position(&trace, "second_of_three"), innermost + 1);
  cr_assert_eq(position(&trace, "outermost_of_three"), innermost + 2);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

Test(report, a_backtrace_of_a_process_that_has_gone_is_its_first_frame) {
  struct user_regs_struct registers = {.rip = 0x1000, .rsp = 0x2000};
  struct dz_modules modules DZ_MODULES = {0};
  struct dz_backtrace trace;
  struct dz_backtrace_source source = {.tid = 0x3fffff,
                                       .registers = &registers,
                                       .all_registers = true,
                                       .modules = &modules,
                                       .open_module = open_own_file,
                                       .milliseconds = 5000};

  cr_assert_eq(dz_modules_make(&modules, strdup("")), 0);
  cr_assert_eq(dz_backtrace_make(&source, &trace), 0);
  cr_assert_eq(trace.count, 1);
  cr_assert_eq(trace.frames[0].ip, 0x1000);
  cr_assert_neq(trace.end, DZ_BACKTRACE_WHOLE);
}

static int slow_to_open(void *context, const struct dz_module *module) {
  usleep(300000);
  return open_own_file(context, module);
}

Test(report, a_backtrace_ends_when_its_time_is_over) {
  struct user_regs_struct registers;
  pid_t child = stopped_child(&registers);
  struct dz_modules modules DZ_MODULES = {0};
  struct dz_backtrace trace;
  struct dz_backtrace_source source = {.tid = child,
                                       .registers = &registers,
                                       .all_registers = true,
                                       .modules = &modules,
                                       .open_module = slow_to_open,
                                       .milliseconds = 100};
  char path[64];

  snprintf(path, sizeof path, "/proc/%d/maps", child);
  cr_assert_eq(dz_modules_make(&modules, read_file(path)), 0);
  cr_assert_eq(dz_backtrace_make(&source, &trace), -ETIME);
  cr_assert_geq(trace.count, 1);
  cr_assert_not_null(dz_backtrace_why(&trace, -ETIME));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}
