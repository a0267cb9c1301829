/*
 * The helper that `make bench` runs natively, under denizen and under proot. Static, so that one
 * file runs in each. Its clock is read inside, so starting it costs no row anything.
 *
 *   op prepare DIRECTORY            make the files that the operations use
 *   op measure NAME DIRECTORY MS    repeat NAME for MS milliseconds, print ns per operation
 *   op run COMMAND...               run the command once, print its ns
 *   op storm DIRECTORY COUNT        print how many of COUNT stats a signal interrupted
 *   op list                         print the operations' names
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEEP_LEVELS = 10, MANY_ENTRIES = 10000, FILE_SIZE = 65536 };

#define DEEP "d/d/d/d/d/d/d/d/d/d"

static int file = -1;
static int output = -1;

static _Noreturn void die(const char *what) {
  perror(what);
  exit(1);
}

static long checked(long result, const char *what) {
  if (result < 0)
    die(what);
  return result;
}

static uint64_t now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void op_getpid(void) {
  syscall(SYS_getpid);
}

static void op_read(void) {
  char byte;

  if (checked(read(file, &byte, 1), "read") == 0)
    checked(lseek(file, 0, SEEK_SET), "lseek");
}

static void op_write(void) {
  checked(pwrite(output, "x", 1, 0), "pwrite");
}

/* fstat(2) as programs of before glibc 2.33 and other languages' runtimes make it. */
static void op_fstat_raw(void) {
  struct stat found;

  checked(syscall(SYS_fstat, file, &found), "fstat");
}

/* glibc from 2.33 asks newfstatat(fd, "", AT_EMPTY_PATH). */
static void op_fstat_glibc(void) {
  struct stat found;

  checked(syscall(SYS_newfstatat, file, "", &found, AT_EMPTY_PATH), "newfstatat");
}

static void op_open(void) {
  int fd = (int)checked(open("file", O_RDONLY), "open");

  close(fd);
}

static void op_stat(void) {
  struct stat found;

  checked(stat("/etc/passwd", &found), "stat");
}

static void op_access_missing(void) {
  if (access("/etc/no-such-file", F_OK) == 0)
    die("access found a file that is not there");
}

static void op_deep_stat(void) {
  struct stat found;

  checked(stat(DEEP "/file", &found), "stat");
}

static void op_readdir(void) {
  DIR *many = opendir("many");
  int entries = 0;

  if (!many)
    die("opendir");
  while (readdir(many))
    entries++;
  closedir(many);
  if (entries != MANY_ENTRIES + 2) {
    fprintf(stderr, "readdir: %d entries\n", entries);
    exit(1);
  }
}

static void op_chdir(void) {
  checked(chdir("d"), "chdir");
  checked(chdir(".."), "chdir");
}

static void wait_for(pid_t child) {
  int status;

  if (child < 0)
    die("fork");
  if (waitpid(child, &status, 0) != child)
    die("waitpid");
  if (status != 0) {
    fprintf(stderr, "child ended with status %#x\n", (unsigned)status);
    exit(1);
  }
}

static void op_fork(void) {
  pid_t child = fork();

  if (child == 0)
    _exit(0);
  wait_for(child);
}

/* argv0 is executed without a search; a child of vfork may only exec and exit. */
static pid_t vfork_and_exec(char **command) {
  pid_t child = vfork();

  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  return child;
}

static void op_vfork_exec(void) {
  char *command[] = {"/bin/true", NULL};

  wait_for(vfork_and_exec(command));
}

static void *thread_body(void *argument) {
  return argument;
}

static void op_thread(void) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, thread_body, NULL) != 0)
    die("pthread_create");
  pthread_join(thread, NULL);
}

/* name, what it does, and by how much to divide: some do it twice. */
static const struct {
  const char *name;
  void (*once)(void);
  unsigned parts;
} operations[] = {
    {"getpid", op_getpid, 1},
    {"read", op_read, 1},
    {"write", op_write, 1},
    {"fstat (raw)", op_fstat_raw, 1},
    {"fstat (glibc)", op_fstat_glibc, 1},
    {"open+close", op_open, 1},
    {"stat", op_stat, 1},
    {"access (missing)", op_access_missing, 1},
    {"stat, 10 levels deep", op_deep_stat, 1},
    {"readdir of 10,000", op_readdir, 1},
    {"chdir", op_chdir, 2},
    {"fork+wait", op_fork, 1},
    {"vfork+exec+wait", op_vfork_exec, 1},
    {"thread create+join", op_thread, 1},
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static void touch(const char *path, size_t size) {
  int fd = (int)checked(open(path, O_CREAT | O_TRUNC | O_RDWR, 0644), path);

  if (size > 0)
    checked(ftruncate(fd, (off_t)size), "ftruncate");
  close(fd);
}

static int prepare(void) {
  char path[64] = "d";

  for (int level = 0; level < DEEP_LEVELS; level++) {
    size_t length = strlen(path);

    checked(mkdir(path, 0755), path);
    snprintf(path + length, sizeof path - length, "/d");
  }
  touch(DEEP "/file", 0);
  touch("file", FILE_SIZE);
  checked(mkdir("many", 0755), "many");
  for (int entry = 0; entry < MANY_ENTRIES; entry++) {
    snprintf(path, sizeof path, "many/entry-%05d", entry);
    touch(path, 0);
  }
  return 0;
}

static int measure(const char *name, uint64_t milliseconds) {
  uint64_t done = 0, batch = 1, started, elapsed;
  int which = 0;

  while (which < OPERATIONS && strcmp(operations[which].name, name) != 0)
    which++;
  if (which == OPERATIONS) {
    fprintf(stderr, "op: no operation \"%s\"\n", name);
    return 2;
  }
  file = (int)checked(open("file", O_RDONLY), "file");
  output = (int)checked(open("output", O_CREAT | O_WRONLY, 0644), "output");
  operations[which].once();
  started = now();
  do {
    for (uint64_t i = 0; i < batch; i++)
      operations[which].once();
    done += batch;
    batch = done;
    elapsed = now() - started;
    if (elapsed > milliseconds * 500000)
      batch = done / 4 + 1;
  } while (elapsed < milliseconds * 1000000);
  printf("%.1f\n", (double)elapsed / (double)done / operations[which].parts);
  return 0;
}

static int run(char **command) {
  int report = dup(STDOUT_FILENO);
  int null = (int)checked(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");
  uint64_t started;

  checked(fcntl(report, F_SETFD, FD_CLOEXEC), "fcntl");
  checked(dup2(null, STDOUT_FILENO), "dup2");
  started = now();
  wait_for(vfork_and_exec(command));
  dprintf(report, "%llu\n", (unsigned long long)(now() - started));
  return 0;
}

static void on_alarm(int signal) {
  (void)signal;
}

/* stat under a 200 us timer with a handler without SA_RESTART, and four busy neighbours. */
static int storm(long count) {
  enum { NEIGHBOURS = 4, PERIOD_MICROSECONDS = 200 };
  struct sigaction action = {.sa_handler = on_alarm};
  struct itimerval timer = {{0, PERIOD_MICROSECONDS}, {0, PERIOD_MICROSECONDS}}, off = {0};
  /* Shared, so that the neighbours end by themselves: proot reports every killed process. */
  volatile int *stop =
      mmap(NULL, sizeof *stop, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t neighbours[NEIGHBOURS];
  long interrupted = 0;
  struct stat found;

  if (stop == MAP_FAILED)
    die("mmap");
  for (int i = 0; i < NEIGHBOURS; i++) {
    neighbours[i] = fork();
    if (neighbours[i] == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (!*stop)
        __asm__ volatile("pause");
      _exit(0);
    }
  }
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  for (long i = 0; i < count; i++) {
    if (stat("file", &found) == 0)
      continue;
    if (errno != EINTR)
      die("stat");
    interrupted++;
  }
  setitimer(ITIMER_REAL, &off, NULL);
  *stop = 1;
  for (int i = 0; i < NEIGHBOURS; i++)
    waitpid(neighbours[i], NULL, 0);
  printf("%ld\n", interrupted);
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";

  if (strcmp(mode, "list") == 0) {
    for (int i = 0; i < OPERATIONS; i++)
      puts(operations[i].name);
    return 0;
  }
  if (strcmp(mode, "run") == 0 && argc > 2)
    return run(argv + 2);
  if (strcmp(mode, "prepare") == 0 && argc == 3) {
    checked(chdir(argv[2]), argv[2]);
    return prepare();
  }
  if (strcmp(mode, "measure") == 0 && argc == 5) {
    checked(chdir(argv[3]), argv[3]);
    return measure(argv[2], strtoull(argv[4], NULL, 10));
  }
  if (strcmp(mode, "storm") == 0 && argc == 4) {
    checked(chdir(argv[2]), argv[2]);
    return storm(strtol(argv[3], NULL, 10));
  }
  fputs("usage: op prepare DIR | measure NAME DIR MS | run COMMAND... | storm DIR COUNT | list\n",
        stderr);
  return 2;
}
