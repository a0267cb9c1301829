/* Many at once: threads that exec, calls that wait, changes that are made again and again. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <pthread.h>
#include <sys/resource.h>

ROLE(end_well) {
  return 0;
}

static pthread_barrier_t all_there;

/* Two of three threads exec; the third makes calls meanwhile, until an exec ends it. */
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
    pid_t child = must(fork());

    if (child == 0) {
      pthread_t thread;

      must(-pthread_barrier_init(&all_there, NULL, THREADS));
      for (intptr_t i = 0; i < THREADS; i++)
        must(-pthread_create(&thread, NULL, exec_at_once, (void *)i));
      for (;;)
        pause();
    }
    ended_well += guest_reap(child) == 0;
  }
  is(ended_well, ROUNDS);
}

enum { READERS = 300 };

static bool all_sleep(const pid_t *processes, int count) {
  for (int i = 0; i < count; i++) {
    char state = process_state(processes[i]);

    if (state != 'S' && state != 'D')
      return false;
  }
  return true;
}

CASE(hundreds_of_readers_wait_for_one_writer) {
  static pid_t readers[READERS];
  int ready[2], fd, ended_well = 0, rounds = 0;

  must(mkfifo("fifo", 0600));
  must(pipe(ready));
  for (int i = 0; i < READERS; i++) {
    readers[i] = must(fork());
    if (readers[i] == 0) {
      tell(ready[1]);
      _exit(open("fifo", O_RDONLY) < 0);
    }
  }
  for (int i = 0; i < READERS; i++)
    hear(ready[0]);
  await((rounds = all_sleep(readers, READERS) ? rounds + 1 : 0) == 3);
  fd = ok(open("fifo", O_WRONLY));
  for (int i = 0; i < READERS; i++)
    ended_well += guest_reap(readers[i]) == 0;
  is(ended_well, READERS);
  ok(close(fd));
}

static void *idle(void *nothing) {
  for (;;)
    pause();
  return nothing;
}

CASE(a_process_of_two_threads_may_change_its_directory_any_number_of_times) {
  enum { DIRECTORIES = 64, TIMES = 21000 };
  char name[16], text[PATH_MAX];
  pthread_t thread;
  int failed = 0;

  must(-pthread_create(&thread, NULL, idle, NULL));
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
  ok(open("f", O_CREAT | O_EXCL | O_WRONLY, 0644));
  must(getcwd(text, sizeof(text)) ? 0 : -1);
  say("in %s\n", strrchr(text, '/') + 1);
  check(exists("../d8/f")); /* 21000 % 64 */
  ok(chdir(".."));
  show_file("d8/f");
}

CASE(a_directory_of_proc_that_is_held_outlives_hundreds_of_other_descriptors) {
  enum { OTHERS = 600 };
  struct rlimit limit = {1024, 1024};
  int proc = must(open("/proc", O_RDONLY | O_DIRECTORY));
  int self = must(open("/proc/self", O_PATH | O_DIRECTORY));
  int opened = 0, entries = 0;
  char path[64];
  DIR *list;

  must(setrlimit(RLIMIT_NOFILE, &limit));
  for (int i = 0; i < OTHERS; i++) {
    int fd;

    must(dup2(STDIN_FILENO, 100 + i));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", 100 + i);
    fd = open(path, O_PATH | O_NOFOLLOW);
    opened += fd >= 0;
    close(fd);
  }
  is(opened, OTHERS);
  ok(openat(proc, "self/status", O_RDONLY));
  ok(openat(self, "status", O_RDONLY));
  ok(fchdir(self));
  ok(open("status", O_RDONLY));
  list = fdopendir(proc);
  while (list && readdir(list))
    entries++;
  check(entries > 10);
}

/* As many argument pointers as are asked for, in the memory of a few. */
static char **many_pointers(size_t bytes) {
  static char word[] = "x";
  size_t piece = 2 << 20;
  int memory = must(memfd_create("arguments", 0));
  char *all = mmap(NULL, bytes + piece, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char **words;

  must(ftruncate(memory, piece));
  words = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  must(all == MAP_FAILED || words == MAP_FAILED ? -1 : 0);
  for (size_t i = 0; i < piece / sizeof(*words); i++)
    words[i] = word;
  for (size_t at = 0; at < bytes; at += piece)
    must(mmap(all + at, piece, PROT_READ, MAP_SHARED | MAP_FIXED, memory, 0) == MAP_FAILED ? -1
                                                                                           : 0);
  return (char **)(void *)all; /* the zeros behind them end the list */
}

CASE(a_script_with_far_too_many_arguments_is_refused_and_holds_up_nobody) {
  char **arguments = many_pointers(100 << 20), *environment[] = {NULL};
  double worst = 0;
  struct stat st;
  pid_t child;

  put_file("script", "#!/bin/sh\n");
  must(chmod("script", 0755));
  child = must(fork());
  if (child == 0) {
    fails(execve("script", arguments, environment), E2BIG);
    leave();
  }
  while (waitid(P_PID, child, &(siginfo_t){0}, WEXITED | WNOWAIT | WNOHANG) == 0 &&
         process_state(child) != 'Z') {
    double start = seconds();

    must(stat("script", &st));
    if (seconds() - start > worst)
      worst = seconds() - start;
  }
  expect_exit(child, 0);
  check(worst < 2);
}
