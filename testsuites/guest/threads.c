/* Threads, futexes, mutexes between processes; several threads in emulated calls at once. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <pthread.h>
#include <semaphore.h>

/* linux/futex.h */
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

static void *double_it(void *number) {
  return (void *)((intptr_t)number * 2);
}

CASE(threads_are_created_and_joined) {
  pthread_t threads[50];
  intptr_t sum = 0;
  void *result;

  for (intptr_t i = 0; i < 50; i++)
    must(-pthread_create(&threads[i], NULL, double_it, (void *)i));
  for (int i = 0; i < 50; i++) {
    must(-pthread_join(threads[i], &result));
    sum += (intptr_t)result;
  }
  is(sum, 2450);
}

static void *compare_ids(void *main_thread) {
  check(getpid() != gettid() && getpid() == *(pid_t *)main_thread);
  check(getppid() > 0);
  return NULL;
}

CASE(threads_have_ids_of_their_own_in_one_process) {
  pid_t self = getpid();
  pthread_t thread;

  check(self == gettid());
  must(-pthread_create(&thread, NULL, compare_ids, &self));
  must(-pthread_join(thread, NULL));
}

struct worker {
  pthread_t thread;
  int number, good;
};

static void *work_on_files(void *argument) {
  struct worker *worker = argument;
  char a[32], b[32];
  struct stat st;

  for (int i = 0; i < 200; i++) {
    snprintf(a, sizeof(a), "a%d-%d", worker->number, i);
    snprintf(b, sizeof(b), "b%d-%d", worker->number, i);
    worker->good += mkdir(a, 0755) == 0 && rename(a, b) == 0 && stat(b, &st) == 0 &&
                    lstat(a, &st) == -1 && errno == ENOENT && rmdir(b) == 0;
  }
  return NULL;
}

CASE(threads_make_emulated_calls_side_by_side) {
  struct worker workers[8];

  for (int i = 0; i < 8; i++) {
    workers[i] = (struct worker){.number = i};
    must(-pthread_create(&workers[i].thread, NULL, work_on_files, &workers[i]));
  }
  for (int i = 0; i < 8; i++) {
    must(-pthread_join(workers[i].thread, NULL));
    is(workers[i].good, 200);
  }
  show_directory(".");
}

static void *count_winners(void *argument) {
  struct worker *worker = argument;
  char name[32];

  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof(name), "d%d", i);
    worker->good += mkdir(name, 0755) == 0;
  }
  return NULL;
}

CASE(of_many_threads_that_make_a_directory_one_succeeds) {
  struct worker workers[4];
  int sum = 0;

  for (int i = 0; i < 4; i++) {
    workers[i] = (struct worker){.number = i};
    must(-pthread_create(&workers[i].thread, NULL, count_winners, &workers[i]));
  }
  for (int i = 0; i < 4; i++) {
    must(-pthread_join(workers[i].thread, NULL));
    sum += workers[i].good;
  }
  is(sum, 200);
}

static void *fork_here(void *unused) {
  char status[8192], *line;
  int result;
  pid_t child = fork();

  if (child == 0) {
    get_file("/proc/self/status", status, sizeof(status));
    line = strstr(status, "Threads:");
    _exit(line ? atoi(line + 8) : 99);
  }
  result = guest_reap(child);
  (void)unused;
  return (void *)(intptr_t)WEXITSTATUS(result);
}

CASE(fork_in_a_thread_copies_that_thread_only) {
  pthread_t thread;
  void *child_status;

  must(-pthread_create(&thread, NULL, fork_here, NULL));
  must(-pthread_join(thread, &child_status));
  is((intptr_t)child_status, 1);
}

CASE(a_futex_waits_and_wakes) {
  int *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct timespec limit = {.tv_nsec = 10000000};
  pid_t child;

  fails(syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL), EAGAIN);
  fails(syscall(SYS_futex, word, FUTEX_WAIT, 0, &limit), ETIMEDOUT);
  is(syscall(SYS_futex, word, FUTEX_WAKE, 1), 0);
  child = fork();
  if (child == 0) {
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0)
      syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL);
    leave();
  }
  await_sleep(child);
  __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
  is(syscall(SYS_futex, word, FUTEX_WAKE, 1), 1);
  expect_exit(child, 0);
}

CASE(a_robust_mutex_tells_that_its_owner_died) {
  pthread_mutex_t *mutex =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t attributes;
  pid_t child;

  must(-pthread_mutexattr_init(&attributes));
  must(-pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
  must(-pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
  must(-pthread_mutex_init(mutex, &attributes));
  child = fork();
  if (child == 0) {
    must(-pthread_mutex_lock(mutex));
    raise(SIGKILL);
  }
  expect_signal(child, SIGKILL);
  returns(pthread_mutex_lock(mutex), EOWNERDEAD);
  returns(pthread_mutex_consistent(mutex), 0);
  returns(pthread_mutex_unlock(mutex), 0);
  returns(pthread_mutex_lock(mutex), 0);
}

CASE(a_mutex_excludes_processes) {
  struct {
    pthread_mutex_t mutex;
    long count;
  } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t attributes;

  must(-pthread_mutexattr_init(&attributes));
  must(-pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
  must(-pthread_mutex_init(&shared->mutex, &attributes));
  for (int i = 0; i < 4; i++) {
    if (fork() == 0) {
      for (int j = 0; j < 5000; j++) {
        pthread_mutex_lock(&shared->mutex);
        shared->count++;
        pthread_mutex_unlock(&shared->mutex);
      }
      leave();
    }
  }
  while (wait(NULL) > 0)
    ;
  is(shared->count, 20000);
}

CASE(a_named_semaphore_joins_processes) {
  char name[64];
  sem_t *semaphore;
  pid_t child;

  snprintf(name, sizeof(name), "/guest-test-%d", (int)getpid());
  semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
  check(semaphore != SEM_FAILED);
  child = fork();
  if (child == 0) {
    semaphore = sem_open(name, 0);
    check(semaphore != SEM_FAILED);
    must(sem_post(semaphore));
    leave();
  }
  ok(sem_wait(semaphore));
  expect_exit(child, 0);
  check(sem_unlink(name) == 0);
}

static void *wait_cancelled(void *unused) {
  for (;;)
    pause();
  return unused;
}

static void *open_cancelled(void *unused) {
  open("fifo", O_RDONLY);
  return unused;
}

CASE(a_thread_that_waits_can_be_cancelled) {
  pthread_t thread;
  void *result;

  must(-pthread_create(&thread, NULL, wait_cancelled, NULL));
  usleep(20000);
  returns(pthread_cancel(thread), 0);
  must(-pthread_join(thread, &result));
  check(result == PTHREAD_CANCELED);
  must(mkfifo("fifo", 0600));
  must(-pthread_create(&thread, NULL, open_cancelled, NULL));
  usleep(50000);
  returns(pthread_cancel(thread), 0);
  must(-pthread_join(thread, &result));
  check(result == PTHREAD_CANCELED);
}

static void *end_process(void *unused) {
  (void)unused;
  _exit(21);
}

static void *end_main(void *unused) {
  (void)unused;
  usleep(20000);
  put_file("made_after_main_ended", "");
  exit(22);
}

CASE(exit_in_a_thread_ends_the_process) {
  pthread_t thread;
  pid_t child = fork();

  if (child == 0) {
    must(-pthread_create(&thread, NULL, end_process, NULL));
    pause();
  }
  expect_exit(child, 21);
  child = fork();
  if (child == 0) {
    must(-pthread_create(&thread, NULL, end_main, NULL));
    pthread_exit(NULL); /* the process goes on without its first thread */
  }
  expect_exit(child, 22);
  show_directory(".");
}
