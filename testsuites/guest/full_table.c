/* A table of descriptors that is full, as a server's at its limit: what needs no number goes on
 * working; and memory of a program's own that lies where nobody expects it. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <pthread.h>
#include <sys/resource.h>

static void fill_table(int left_free) {
  struct rlimit limit = {64, 64};
  int fd, last = -1;

  must(setrlimit(RLIMIT_NOFILE, &limit));
  while ((fd = open("/", O_RDONLY)) >= 0)
    last = fd;
  check(errno == EMFILE);
  for (int i = 0; i < left_free; i++)
    must(close(last - i));
}

/* How many more descriptors there is room for. */
static int free_numbers(void) {
  int count = 0;

  while (open("/", O_RDONLY) >= 0)
    count++;
  return count;
}

static void use_raise(void) {
  raise(SIGTERM);
}

static void use_kill(void) {
  kill(getpid(), SIGTERM);
}

static void use_pthread_kill(void) {
  pthread_kill(pthread_self(), SIGTERM);
}

static void end_by(void (*call)(void), int number) {
  pid_t child = must(fork());

  if (child == 0) {
    fill_table(0);
    call();
    _exit(1);
  }
  expect_signal(child, number);
}

CASE(a_process_signals_itself_without_a_free_descriptor) {
  end_by(use_raise, SIGTERM);
  end_by(use_kill, SIGTERM);
  end_by(use_pthread_kill, SIGTERM);
}

CASE(abort_works_without_a_free_descriptor) {
  end_by(abort, SIGABRT);
}

static pid_t start_sleeper(void) {
  pid_t child = must(fork());

  if (child == 0) {
    alarm(10);
    for (;;)
      pause();
  }
  return child;
}

CASE(a_child_is_signalled_without_a_free_descriptor) {
  pid_t child = start_sleeper();

  fill_table(0);
  ok(kill(child, 0));
  ok(kill(child, SIGKILL));
  expect_signal(child, SIGKILL);
  fails(kill(child, SIGKILL), ESRCH);
  is(free_numbers(), 0);
}

/* In a child of its own, which leads a group: all members must get the signal, however many
 * descriptors there is room for. */
static void signal_group(int left_free) {
  enum { MEMBERS = 4 };
  pid_t child = must(fork()), members[MEMBERS];

  if (child == 0) {
    must(setpgid(0, 0));
    for (int i = 0; i < MEMBERS; i++)
      members[i] = start_sleeper();
    signal(SIGTERM, SIG_IGN);
    fill_table(left_free);
    is(kill(0, SIGTERM), 0);
    for (int i = 0; i < MEMBERS; i++)
      expect_signal(members[i], SIGTERM);
    is(free_numbers(), left_free);
    leave();
  }
  expect_exit(child, 0);
}

CASE(a_group_is_signalled_without_a_free_descriptor) {
  signal_group(0);
}

CASE(a_group_is_signalled_with_fewer_free_descriptors_than_members) {
  signal_group(2);
}

/* Linux gives the last number to O_PATH; a guest may be told that there is none: the supervisor
 * hands descriptors over in a way that needs a second one. Nothing else may come of it. */
CASE(an_O_PATH_open_with_one_free_descriptor_leaves_standard_input_alone) {
  struct stat before, after, root, opened;
  int fd, left;

  must(fstat(STDIN_FILENO, &before));
  must(stat("/", &root));
  fill_table(1);
  fd = open("/", O_PATH);
  if (fd < 0)
    check(errno == EMFILE);
  else
    check(fstat(fd, &opened) == 0 && same_file(&root, &opened));
  is(fstat(STDIN_FILENO, &after), 0);
  check(same_file(&before, &after));
  left = free_numbers();
  check(left == (fd < 0 ? 1 : 0));
}

ROLE(end_well) {
  return 0;
}

extern char end[];

enum { ROOM = 64 << 10 };

/* The process's memory behind its image, filled; the heap may have been there, so nothing that
 * allocates may be called from then on. */
static unsigned char *fill_room(void) {
  uintptr_t behind = ((uintptr_t)end + 4095) & ~(uintptr_t)4095;
  unsigned char *room = mmap((void *)behind, ROOM, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

  if (room == MAP_FAILED)
    _exit(2);
  memset(room, 0xaa, ROOM);
  return room;
}

static void exec_beside_the_room(const char *path, int code) {
  pid_t child = must(fork());
  int changed = 0, status = 0;

  if (child == 0) {
    unsigned char *room = fill_room();
    pid_t next = vfork();

    if (next == 0) {
      execl(path, path, "@end_well", (char *)NULL);
      _exit(5);
    }
    waitpid(next, &status, 0);
    show_wait_status("the program", status);
    for (int i = 0; i < ROOM; i++)
      changed += room[i] != 0xaa;
    is(changed, 0);
    _exit(WEXITSTATUS(status) != code || changed != 0);
  }
  expect_exit(child, 0);
}

CASE(memory_mapped_behind_the_program_is_not_touched_by_an_exec) {
  exec_beside_the_room(guest_self, 0);
}

CASE(memory_mapped_behind_the_program_is_not_touched_by_an_exec_that_fails) {
  put_file("no_program", "\177ELF");
  must(chmod("no_program", 0755));
  exec_beside_the_room("missing", 5);
  exec_beside_the_room("no_program", 5);
}
