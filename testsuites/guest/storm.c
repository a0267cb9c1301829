/* Emulated calls under a storm of signals: each is performed exactly once, and a call that Linux
 * never interrupts is never seen to fail with EINTR. All handlers have SA_RESTART, as in programs
 * that use timers for profiling or preemption. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <pthread.h>
#include <sys/time.h>

static volatile unsigned long ticks;

static void tick(int number) {
  (void)number;
  ticks++;
}

static void begin_storm(void) {
  struct itimerval timer = {.it_value.tv_usec = 500, .it_interval.tv_usec = 500};

  on_signal(SIGALRM, tick, SA_RESTART);
  must(setitimer(ITIMER_REAL, &timer, NULL));
}

static void end_storm(void) {
  struct itimerval timer = {0};

  must(setitimer(ITIMER_REAL, &timer, NULL));
  check(ticks > 0);
}

/* Count successes of numbered calls; say which errno the first failure had. */
static int repeat(int times, int (*call)(int)) {
  int good = 0, error = 0;

  begin_storm();
  for (int i = 0; i < times; i++) {
    if (call(i) >= 0)
      good++;
    else if (!error)
      error = errno;
  }
  while (ticks == 0)
    ;
  end_storm();
  if (error)
    say("first failure: %s\n", errno_name(error));
  return good;
}

static const char *numbered(const char *prefix, int number) {
  static char name[2][32];
  static int turn;

  turn = !turn;
  snprintf(name[turn], sizeof(name[turn]), "%s%d", prefix, number);
  return name[turn];
}

static int make(int number) {
  return mkdir(numbered("d", number), 0755);
}

static int drop(int number) {
  return rmdir(numbered("d", number));
}

CASE(every_mkdir_and_rmdir_happens_exactly_once) {
  int left = 0;

  is(repeat(500, make), 500); /* one performed twice would fail with EEXIST */
  for (int i = 0; i < 500; i++)
    left += exists(numbered("d", i));
  is(left, 500);
  is(repeat(500, drop), 500);
  show_directory(".");
}

static int look(int number) {
  struct stat st;

  (void)number;
  return stat("f", &st);
}

CASE(stat_is_never_interrupted) {
  put_file("f", "");
  is(repeat(5000, look), 5000);
}

static int move(int number) {
  return rename(numbered("n", number), numbered("n", number + 1));
}

CASE(every_rename_happens_exactly_once) {
  put_file("n0", "text");
  is(repeat(2000, move), 2000);
  show_directory(".");
}

static int open_and_close(int number) {
  int fd = open(numbered("f", number), O_CREAT | O_EXCL | O_WRONLY, 0644);

  return fd < 0 ? -1 : close(fd) + (fd == 3 ? 0 : -1);
}

CASE(every_exclusive_open_happens_exactly_once_and_leaks_nothing) {
  is(repeat(500, open_and_close), 500);
  is(open("f0", O_RDONLY), 3);
}

static int step(int number) {
  return chdir(number % 2 ? ".." : "d");
}

CASE(every_relative_chdir_happens_exactly_once) {
  must(mkdir("d", 0755));
  put_file("here", "");
  is(repeat(2000, step), 2000);
  check(exists("here"));
}

static int add(int number) {
  int result = link("f", numbered("l", number));

  return result == 0 && number % 2 ? unlink(numbered("l", number - 1)) : result;
}

CASE(every_link_and_unlink_happens_exactly_once) {
  struct stat st;

  put_file("f", "");
  is(repeat(1000, add), 1000);
  must(stat("f", &st));
  is(st.st_nlink, 501);
}

static int start_and_wait(int number) {
  int status;
  pid_t child = fork();

  if (child == 0)
    _exit(number % 100);
  status = child > 0 ? guest_reap(child) : -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == number % 100 ? 0 : -1;
}

CASE(fork_and_wait_in_a_storm) {
  is(repeat(200, start_and_wait), 200);
}

ROLE(nothing) {
  return 7;
}

static int execute(int number) {
  int status;
  pid_t child = fork();

  (void)number;
  if (child == 0) {
    execl(guest_self, guest_self, "@nothing", NULL);
    _exit(1);
  }
  status = child > 0 ? guest_reap(child) : -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : -1;
}

CASE(exec_in_a_storm) {
  is(repeat(60, execute), 60);
}

static volatile bool stop;

static void *pester(void *main_thread) {
  while (!stop) {
    pthread_kill(*(pthread_t *)main_thread, SIGALRM);
    usleep(200);
  }
  return NULL;
}

CASE(signals_of_another_thread_do_no_harm) {
  pthread_t self = pthread_self(), thread;
  int good = 0;

  on_signal(SIGALRM, tick, SA_RESTART);
  must(-pthread_create(&thread, NULL, pester, &self));
  for (int i = 0; i < 300; i++)
    good += make(i) == 0;
  stop = true;
  must(-pthread_join(thread, NULL));
  is(good, 300);
  check(ticks > 0);
}

static volatile unsigned long made_by_handler;

static void make_in_handler(int number) {
  char name[32];

  (void)number;
  snprintf(name, sizeof(name), "h%lu", made_by_handler);
  made_by_handler += mkdir(name, 0755) == 0;
}

CASE(handlers_that_make_emulated_calls_between_emulated_calls) {
  struct itimerval timer = {.it_value.tv_usec = 1000, .it_interval.tv_usec = 1000}, none = {0};
  unsigned long found = 0;
  char name[32];
  int good = 0;

  on_signal(SIGALRM, make_in_handler, SA_RESTART);
  must(setitimer(ITIMER_REAL, &timer, NULL));
  for (int i = 0; i < 300 || made_by_handler < 10; i++)
    good += make(i) == 0 && drop(i) == 0 && i < 300;
  must(setitimer(ITIMER_REAL, &none, NULL));
  is(good, 300);
  for (unsigned long i = 0; i < made_by_handler; i++) {
    snprintf(name, sizeof(name), "h%lu", i);
    found += exists(name);
  }
  check(found == made_by_handler && found >= 10);
}
