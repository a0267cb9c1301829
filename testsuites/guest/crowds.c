/* Many at once, and tables that are full: what goes wrong only then. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <dirent.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

ROLE(end_well) {
  (void)argc;
  (void)argv;
  return 0;
}

/* ---- threads that exec at once ---- */

static pthread_barrier_t all_there;

static void *exec_at_once(void *number) {
  pthread_barrier_wait(&all_there);
  for (;;)
    if ((intptr_t)number % 3 == 2)
      kill(getpid(), 0);
    else
      execl(guest_self, guest_self, "@end_well", (char *)NULL);
  return NULL;
}

CASE(threads_that_exec_at_once_become_one_program) {
  enum { THREADS = 6, ROUNDS = 20 };
  int ended_well = 0;

  for (int round = 0; round < ROUNDS; round++) {
    pid_t child = fork();

    if (child == 0) {
      pthread_t thread;

      pthread_barrier_init(&all_there, NULL, THREADS);
      for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&thread, NULL, exec_at_once, (void *)i);
      for (;;)
        pause();
    }
    ended_well += guest_reap(child) == 0;
  }
  is(ended_well, ROUNDS);
}

/* ---- waiting in numbers ---- */

CASE(hundreds_of_readers_wait_for_one_writer) {
  enum { READERS = 300 };
  int fd, ended_well = 0;

  must(mkfifo("fifo", 0600));
  for (int i = 0; i < READERS; i++)
    if (must(fork()) == 0)
      _exit(open("fifo", O_RDONLY) < 0);
  fd = ok(open("fifo", O_WRONLY));
  for (int i = 0; i < READERS; i++) {
    /* Each of them has been let in by now or is, while the writer is there. */
    ended_well += guest_reap(-1) == 0;
  }
  is(ended_well, READERS);
  close(fd);
}

static void *wait_in_fifo(void *path) {
  open(path, O_RDONLY);
  return NULL;
}

CASE(a_process_with_a_thread_that_waits_for_a_fifo_can_be_stopped) {
  int status = 0;
  pid_t child;

  must(mkfifo("fifo", 0600));
  child = must(fork());
  if (child == 0) {
    pthread_t thread;

    pthread_create(&thread, NULL, wait_in_fifo, "fifo");
    for (;;)
      pause();
  }
  usleep(200000);
  ok(kill(child, SIGSTOP));
  waitpid(child, &status, WUNTRACED);
  show_wait_status("child", status);
  ok(kill(child, SIGKILL));
  expect_signal(child, SIGKILL);
}

static void *idle(void *nothing) {
  for (;;)
    pause();
  return nothing;
}

CASE(a_process_of_two_threads_may_change_its_directory_many_times) {
  enum { DIRECTORIES = 64, TIMES = 21000 };
  pthread_t thread;
  char name[16], text[4096];
  int failed = 0, fd;

  pthread_create(&thread, NULL, idle, NULL);
  for (int i = 0; i < DIRECTORIES; i++) {
    snprintf(name, sizeof(name), "d%d", i);
    must(mkdir(name, 0755));
  }
  must(chdir("d0"));
  for (int i = 1; i <= TIMES; i++) {
    snprintf(name, sizeof(name), "../d%d", i % DIRECTORIES);
    failed += chdir(name) != 0;
  }
  is(failed, 0);
  fd = ok(open("f", O_CREAT | O_WRONLY, 0644));
  close(fd);
  check(getcwd(text, sizeof(text)) != NULL);
  say("in %s\n", strrchr(text, '/') + 1);
}

/* ---- signals to a group of one's own ---- */

CASE(a_process_that_kills_its_group_takes_all_of_it_along) {
  char byte;
  int ends[2];
  pid_t child;

  must(pipe(ends));
  child = must(fork());
  if (child == 0) {
    setpgid(0, 0);
    for (int i = 0; i < 3; i++)
      if (fork() == 0)
        for (;;)
          pause();
    close(ends[1]);
    kill(0, SIGKILL);
    _exit(9);
  }
  close(ends[1]);
  expect_signal(child, SIGKILL);
  is(read(ends[0], &byte, 1), 0); /* nobody holds the other end any more */
}

/* ---- a full table of descriptors ---- */

static void fill_table(int left_free) {
  struct rlimit limit = {64, 64};
  int fd, last = -1;

  must(setrlimit(RLIMIT_NOFILE, &limit));
  while ((fd = open("/", O_RDONLY)) >= 0)
    last = fd;
  for (int i = 0; i < left_free; i++)
    close(last - i);
}

CASE(signals_need_no_free_descriptor) {
  pid_t child;

  child = must(fork());
  if (child == 0) {
    fill_table(0);
    raise(SIGTERM);
    _exit(1);
  }
  expect_signal(child, SIGTERM);
  child = must(fork());
  if (child == 0) {
    fill_table(0);
    abort();
  }
  expect_signal(child, SIGABRT);
  child = must(fork());
  if (child == 0)
    for (;;)
      pause();
  fill_table(0);
  ok(kill(child, SIGKILL));
  expect_signal(child, SIGKILL);
}

CASE(standard_input_outlives_an_O_PATH_open_in_a_table_that_is_nearly_full) {
  struct stat before, after;

  must(fstat(0, &before));
  fill_table(1);
  if (open("/", O_PATH) < 0)
    check(errno == EMFILE);
  is(fstat(0, &after), 0);
  check(same_file(&before, &after));
}

/* ---- memory and arguments ---- */

extern char end[];

CASE(memory_mapped_behind_the_program_is_not_touched_by_an_exec) {
  unsigned char *behind = (unsigned char *)(((uintptr_t)end + 4095) & ~(uintptr_t)4095);
  size_t size = 64 << 10, changed = 0;
  pid_t child;

  /* Static programs may have their heap there: that of another process is at stake. */
  child = must(fork());
  if (child == 0) {
    pid_t next;

    if (mmap(behind, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) != behind)
      _exit(2);
    memset(behind, 0xaa, size);
    next = vfork();
    if (next == 0) {
      execl(guest_self, guest_self, "@end_well", (char *)NULL);
      _exit(3);
    }
    waitpid(next, NULL, 0);
    for (size_t i = 0; i < size; i++)
      changed += behind[i] != 0xaa;
    _exit(changed != 0);
  }
  expect_exit(child, 0);
}

CASE(a_script_with_far_too_many_arguments_gives_E2BIG) {
  size_t piece = 2 << 20, pieces = 50;
  int memory = must(memfd_create("arguments", 0));
  char **words, *all, word[] = "x";

  put_file("script", "#!/bin/sh\n");
  must(chmod("script", 0755));
  must(ftruncate(memory, piece));
  words = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  check(words != MAP_FAILED);
  for (size_t i = 0; i < piece / sizeof(*words); i++)
    words[i] = word;
  all =
      mmap(NULL, (pieces + 1) * piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(all != MAP_FAILED);
  for (size_t i = 0; i < pieces; i++)
    check(mmap(all + i * piece, piece, PROT_READ, MAP_SHARED | MAP_FIXED, memory, 0) != MAP_FAILED);
  fails(execve("script", (char **)(void *)all, (char *[]){NULL}), E2BIG);
}

CASE(a_directory_of_proc_that_is_held_goes_on_working) {
  int proc = must(open("/proc", O_RDONLY | O_DIRECTORY));
  int self = must(open("/proc/self", O_PATH | O_DIRECTORY));
  struct rlimit limit = {1024, 1024};
  int opened = 0, status;
  char path[64];

  must(setrlimit(RLIMIT_NOFILE, &limit));
  for (int i = 0; i < 600; i++) {
    int fd;

    must(dup2(0, 100 + i));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", 100 + i);
    fd = open(path, O_PATH | O_NOFOLLOW);
    opened += fd >= 0;
    close(fd);
  }
  is(opened, 600);
  status = ok(openat(proc, "self/status", O_RDONLY));
  close(status);
  status = ok(openat(self, "status", O_RDONLY));
  close(status);
  ok(fchdir(self));
}
