/* Small things that probes share. */
#include "testsuites/kernel/probe.h"

#include <assert.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

int dz_probe_ok(struct dz_probe_report *report, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(report->observed, sizeof report->observed, format, arguments);
  va_end(arguments);
  return 0;
}

int dz_probe_lacks(struct dz_probe_report *report, int code, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(report->observed, sizeof report->observed, format, arguments);
  va_end(arguments);
  return code < 0 ? code : -ENOTSUP;
}

pid_t dz_probe_fork(void) {
  pid_t parent = getpid();
  pid_t pid = fork();

  /* Never hand out -1: a probe may kill what it forked, and kill(-1) means everybody. */
  if (pid < 0)
    _exit(errno);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
      _exit(1);
  }
  return pid;
}

int dz_probe_wait(pid_t pid) {
  int status;

  while (waitpid(pid, &status, __WALL) < 0)
    if (errno != EINTR)
      return -errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

double dz_probe_now(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

void dz_probe_sleep_us(unsigned microseconds) {
  struct timespec pause = {.tv_sec = microseconds / 1000000,
                           .tv_nsec = (long)(microseconds % 1000000) * 1000};

  while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
    ;
}

static int compare_figures(const void *left, const void *right) {
  double a = *(const double *)left;
  double b = *(const double *)right;

  return (a > b) - (a < b);
}

double dz_probe_median(double *figures, size_t count) {
  qsort(figures, count, sizeof *figures, compare_figures);
  return count ? figures[count / 2] : 0;
}

void *dz_probe_shared(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    abort();
  return memory;
}

/*
 *   cmpq $1, (%rsp)      # argc, System V ABI amd64, 3.4.1
 *   ja 1f
 *   mov $7, %edi; mov $60, %eax; syscall    # exit(7)
 * 1: mov $34, %eax; syscall; jmp 1b         # pause()
 */
static const unsigned char program_code[] = {
    0x48, 0x83, 0x3c, 0x24, 0x01, 0x77, 0x0c, 0xbf, 0x07, 0x00, 0x00, 0x00, 0xb8, 0x3c,
    0x00, 0x00, 0x00, 0x0f, 0x05, 0xb8, 0x22, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xeb, 0xf7};

/* Exactly a page: older kernels clear the rest of an interpreter's last one, which is not writable
 * here (fs/binfmt_elf.c, load_elf_interp). */
struct program_file {
  Elf64_Ehdr header;
  Elf64_Phdr segments[2];
  unsigned char code[sizeof program_code];
  char interpreter[32];
} __attribute__((aligned(4096)));

static_assert(sizeof(struct program_file) == 4096, "the file is one page");

static int write_program(int directory, const char *path, const char *interpreter) {
  static const Elf64_Addr address = DZ_PROBE_PROGRAM_ADDRESS;
  struct program_file file = {
      .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                             EV_CURRENT},
                 .e_type = ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_version = EV_CURRENT,
                 .e_entry = address + offsetof(struct program_file, code),
                 .e_phoff = offsetof(struct program_file, segments),
                 .e_ehsize = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 1},
      .segments = {{.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = address,
                    .p_paddr = address,
                    .p_filesz = sizeof file,
                    .p_memsz = sizeof file,
                    .p_align = 0x1000}},
  };
  int fd DZ_FD = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

  if (fd < 0)
    return -errno;
  if (interpreter) {
    /* Elsewhere than the interpreter, and with an entry that is no code. */
    file.header.e_entry = 0;
    file.header.e_phnum = 2;
    file.segments[0].p_vaddr = file.segments[0].p_paddr = 2 * address;
    file.segments[1] = (Elf64_Phdr){.p_type = PT_INTERP,
                                    .p_offset = offsetof(struct program_file, interpreter),
                                    .p_filesz = strlen(interpreter) + 1};
    snprintf(file.interpreter, sizeof file.interpreter, "%s", interpreter);
  } else {
    memcpy(file.code, program_code, sizeof program_code);
  }
  return write(fd, &file, sizeof file) == (ssize_t)sizeof file ? 0 : -EIO;
}

int dz_probe_write_program(int directory, const char *path) {
  return write_program(directory, path, NULL);
}

int dz_probe_write_interpreted(int directory, const char *path, const char *interpreter) {
  return write_program(directory, path, interpreter);
}
