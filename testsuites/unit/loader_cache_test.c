#include "loader/cache.h"
#include "loader/directory.h"
#include "testsuites/unit/loader_elf_corpus.h"
#include "testsuites/unit/loader_room.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct loader_room room;

static void write_program(const char *name, uint64_t base, const char *interpreter) {
  struct dz_elf_file program = dz_elf_program(base, interpreter);

  loader_room_write(&room, name, program.bytes, program.size, 0755);
  dz_elf_free(&program);
}

static void set_up(void) {
  loader_room_make(&room, 1 << 30);
  write_program("interpreter", 0x10000000, NULL);
  write_program("static", 0x400000, NULL);
  write_program("dynamic", 0x400000, "./interpreter");
}

static void tear_down(void) {
  loader_room_remove(&room);
}

TestSuite(loader_cache, .init = set_up, .fini = tear_down, .timeout = 60);

/* Plan and copy a program. */
static int copy_in(struct dz_cache *cache, const char *path, bool may_copy, struct dz_copy *kept) {
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  int fd DZ_FD = openat(room.fd, path, O_RDONLY | O_CLOEXEC);
  struct dz_copy copy;
  int result = dz_plan_make(&room.source, fd, path, &plan, NULL);

  if (result == 0)
    result = dz_cache_program(cache, &plan, may_copy, kept ? kept : &copy, NULL);
  return result;
}

static void stat_copy(const char *name, struct stat *stat) {
  cr_assert_eq(fstatat(dz_cache_directory_fd(room.cache), name, stat, 0), 0, "%s", name);
}

Test(loader_cache, nothing_is_copied_without_leave_and_once_with_it) {
  struct stat first, second;
  struct dz_copy copy;

  cr_assert_eq(copy_in(room.cache, "dynamic", false, NULL), -EAGAIN);
  cr_assert_eq(loader_count(&room, "cache", ""), 1); /* lock */
  cr_assert_eq(copy_in(room.cache, "dynamic", true, &copy), 0);
  stat_copy(copy.program, &first);
  cr_assert_eq(copy_in(room.cache, "dynamic", false, &copy), 0);
  stat_copy(copy.program, &second);
  cr_assert_eq(first.st_ino, second.st_ino);
  cr_assert_eq(loader_count(&room, "cache", "p"), 2);
  cr_assert_eq(loader_count(&room, "cache", "t"), 0);
}

Test(loader_cache, copies_have_mode_0555_whatever_the_program_has) {
  struct dz_copy copy;
  struct stat stat;

  cr_assert_eq(fchmodat(room.fd, "static", 06755, 0), 0);
  cr_assert_eq(copy_in(room.cache, "static", true, &copy), 0);
  stat_copy(copy.program, &stat);
  cr_assert_eq(stat.st_mode, S_IFREG | 0555);
}

Test(loader_cache, a_changed_program_is_copied_anew) {
  struct dz_copy before, after;

  cr_assert_eq(copy_in(room.cache, "static", true, &before), 0);
  cr_assert_eq(fchmodat(room.fd, "static", 0700, 0), 0); /* changes ctime alone */
  cr_assert_eq(copy_in(room.cache, "static", false, NULL), -EAGAIN);
  cr_assert_eq(copy_in(room.cache, "static", true, &after), 0);
  cr_assert_str_neq(before.program, after.program);
}

/* What is mapped of the last page behind the file's end must stay zero. */
Test(loader_cache, the_new_interpreters_name_lies_in_a_page_behind_the_programs_last) {
  struct dz_elf_file program = dz_elf_program(0x400000, "./interpreter");
  char tail[4096], name[DZ_COPY_NAME_MAX + 2], expected[DZ_COPY_NAME_MAX + 2];
  static const char zeroes[100];
  struct dz_copy copy;
  int fd DZ_FD = -1;

  loader_room_write(&room, "short", program.bytes, program.size - sizeof zeroes, 0755);
  cr_assert_eq(copy_in(room.cache, "short", true, &copy), 0);
  fd = openat(dz_cache_directory_fd(room.cache), copy.program, O_RDONLY | O_CLOEXEC);
  cr_assert_eq(pread(fd, tail, sizeof zeroes, (off_t)(program.size - sizeof zeroes)),
               sizeof zeroes);
  cr_assert_eq(memcmp(tail, zeroes, sizeof zeroes), 0);
  cr_assert_gt(pread(fd, name, sizeof name, (off_t)program.size), 0);
  snprintf(expected, sizeof expected, "i/%s", copy.interpreter);
  cr_assert_str_eq(name, expected);
  dz_elf_free(&program);
}

/* In place, with the same size and first page: only ctime tells. */
Test(loader_cache, a_program_that_is_written_again_at_once_is_copied_anew_each_time) {
  int i;

  for (i = 0; i < 50; i++) {
    int fd DZ_FD = openat(room.fd, "static", O_WRONLY | O_CLOEXEC), copied DZ_FD = -1;
    unsigned char wanted = (unsigned char)i, found = 0;
    struct dz_copy copy;

    cr_assert_eq(pwrite(fd, &wanted, 1, 5000), 1);
    close(dz_steal_fd(&fd));
    cr_assert_eq(copy_in(room.cache, "static", true, &copy), 0);
    copied = openat(dz_cache_directory_fd(room.cache), copy.program, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(pread(copied, &found, 1, 5000), 1);
    cr_assert_eq(found, wanted);
  }
}

Test(loader_cache, a_change_is_settled_two_ticks_later) {
  static const struct {
    int64_t seconds, nanoseconds, wait; /* of now, after a change at 100.990 s */
  } rows[] = {
      {100, 990000000, 20000000},
      {100, 995000000, 15000000},
      {101, 0, 10000000},
      {101, 9999999, 1},
      {101, 10000000, 0},
      {102, 990000000, 0},
      {1000, 0, 0},
      {100, 985000000, 25000000},
      {100, 960000000, 0},
      {99, 990000000, 0},
      {0, 0, 0},
  };
  struct dz_file_key key = {.ctime_seconds = 100, .ctime_nanoseconds = 990000000};
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(rows); i++) {
    struct timespec now = {.tv_sec = rows[i].seconds, .tv_nsec = rows[i].nanoseconds};

    cr_expect_eq(dz_head_unsettled(&key, &now), rows[i].wait, "row %zu", i);
  }
}

Test(loader_cache, a_copy_that_a_crash_cut_short_is_made_again) {
  int directory = dz_cache_directory_fd(room.cache), fd DZ_FD = -1;
  struct dz_copy copy;
  struct stat stat;

  cr_assert_eq(copy_in(room.cache, "static", true, &copy), 0);
  cr_assert_eq(fchmodat(directory, copy.program, 0700, 0), 0);
  fd = openat(directory, copy.program, O_WRONLY | O_TRUNC | O_CLOEXEC);
  cr_assert_geq(fd, 0);
  cr_assert_eq(copy_in(room.cache, "static", false, NULL), -EAGAIN);
  cr_assert_eq(copy_in(room.cache, "static", true, NULL), 0);
  stat_copy(copy.program, &stat);
  cr_assert_gt(stat.st_size, 0);
  cr_assert_eq(stat.st_mode, S_IFREG | 0555);
}

/* Make one program's copy the one that was used seconds ago. */
static void use(const char *name, int seconds) {
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - seconds}};

  cr_assert_eq(utimensat(dz_cache_directory_fd(room.cache), name, times, 0), 0);
}

Test(loader_cache, the_least_recently_used_copies_go_when_the_limit_is_exceeded) {
  enum { PROGRAMS = 8, KEPT = 4 };
  struct dz_copy copies[PROGRAMS];
  char name[16];
  struct stat stat;
  uint64_t left;
  int i;

  for (i = 0; i < PROGRAMS; i++) {
    snprintf(name, sizeof name, "p%d", i);
    write_program(name, 0x400000, NULL);
  }
  for (i = 0; i < PROGRAMS; i++) {
    snprintf(name, sizeof name, "p%d", i);
    cr_assert_eq(copy_in(room.cache, name, true, &copies[i]), 0);
    use(copies[i].program, 1000 + (i * 5 % PROGRAMS));
  }
  stat_copy(copies[0].program, &stat);
  left = dz_cache_trim(dz_cache_directory_fd(room.cache), KEPT * (uint64_t)stat.st_size, NULL);
  cr_assert_eq(left, KEPT * (uint64_t)stat.st_size);
  for (i = 0; i < PROGRAMS; i++) {
    bool there = faccessat(dz_cache_directory_fd(room.cache), copies[i].program, F_OK, 0) == 0;

    cr_expect_eq(there, i * 5 % PROGRAMS < KEPT, "copy %d", i);
  }
}

Test(loader_cache, a_cache_stays_within_its_limit_as_programs_come) {
  char path[128], name[16];
  struct dz_cache *small;
  int i;

  snprintf(path, sizeof path, "%s/small", room.path);
  cr_assert_eq(dz_cache_open(path, 5 * 8192, &small, NULL), 0);
  for (i = 0; i < 20; i++) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000 + i}};
    struct dz_copy copy;

    snprintf(name, sizeof name, "p%d", i);
    write_program(name, 0x400000, NULL);
    cr_assert_eq(copy_in(small, name, true, &copy), 0);
    cr_expect_leq(loader_count(&room, "small", "p"), 5);
    cr_expect_eq(faccessat(dz_cache_directory_fd(small), copy.program, F_OK, 0), 0);
    utimensat(dz_cache_directory_fd(small), copy.program, times, 0);
  }
  dz_cache_close(small);
}

Test(loader_cache, what_dead_makers_left_is_removed_and_what_living_ones_hold_is_not) {
  int living DZ_FD = -1;

  loader_room_write(&room, "cache/t0123", "unfinished", 10, 0600);
  loader_room_write(&room, "cache/t4567", "unfinished", 10, 0600);
  living = openat(room.fd, "cache/t4567", O_RDONLY | O_CLOEXEC);
  cr_assert_eq(dz_owner_lock(living), 0);
  dz_cache_trim(dz_cache_directory_fd(room.cache), 1 << 30, NULL);
  cr_assert_eq(faccessat(room.fd, "cache/t0123", F_OK, 0), -1);
  cr_assert_eq(faccessat(room.fd, "cache/t4567", F_OK, 0), 0);
}

Test(loader_cache, a_lock_taken_after_a_sweep_is_stale) {
  int fd DZ_FD = -1;

  loader_room_write(&room, "cache/t0123", "", 0, 0600);
  fd = openat(room.fd, "cache/t0123", O_RDONLY | O_CLOEXEC);
  dz_cache_trim(dz_cache_directory_fd(room.cache), 1 << 30, NULL);
  cr_assert_eq(dz_owner_lock(fd), -ESTALE);
}

Test(loader_cache, a_directory_that_others_can_write_is_refused) {
  struct dz_cache *cache = NULL;
  struct dz_error error = {0};
  char path[128];

  cr_assert_eq(mkdirat(room.fd, "open", 0700), 0);
  cr_assert_eq(fchmodat(room.fd, "open", 01777, 0), 0);
  snprintf(path, sizeof path, "%s/open", room.path);
  cr_assert_eq(dz_cache_open(path, 1, &cache, &error), -EPERM);
  cr_assert_not_null(strstr(error.text, "other users"));
}

enum { RACERS = 6, RACED = 12 };

static void race(struct dz_cache *cache) {
  char name[16];
  int i;

  for (i = 0; i < RACED; i++) {
    snprintf(name, sizeof name, "p%d", i);
    if (copy_in(cache, name, true, NULL) != 0)
      _exit(1);
  }
}

static void write_raced(void) {
  char name[16];
  int i;

  for (i = 0; i < RACED; i++) {
    snprintf(name, sizeof name, "p%d", i);
    write_program(name, 0x400000 + (uint64_t)i * 4096, i % 2 ? "./interpreter" : NULL);
  }
}

static void check_raced(void) {
  char name[16];
  char *const arguments[] = {"raced", NULL};
  int i;

  cr_expect_eq(loader_count(&room, "cache", "p"), RACED + 1);
  cr_expect_eq(loader_count(&room, "cache", "t"), 0);
  for (i = 0; i < RACED; i++) {
    snprintf(name, sizeof name, "p%d", i);
    cr_expect_eq(copy_in(room.cache, name, false, NULL), 0);
    loader_compare(&room, name, name, arguments);
  }
}

Test(loader_cache, several_supervisors_at_once_make_each_copy_whole) {
  int i, status;

  write_raced();
  for (i = 0; i < RACERS; i++) {
    if (fork() == 0) {
      char path[128];
      struct dz_cache *cache;

      snprintf(path, sizeof path, "%s/cache", room.path);
      if (dz_cache_open(path, 1 << 30, &cache, NULL) != 0)
        _exit(1);
      race(cache);
      _exit(0);
    }
  }
  for (i = 0; i < RACERS; i++) {
    cr_assert_gt(wait(&status), 0);
    cr_assert_eq(status, 0);
  }
  check_raced();
}

static void *race_thread(void *cache) {
  race(cache);
  return NULL;
}

Test(loader_cache, several_threads_at_once_make_each_copy_once) {
  pthread_t threads[RACERS];
  int i;

  write_raced();
  for (i = 0; i < RACERS; i++)
    cr_assert_eq(pthread_create(&threads[i], NULL, race_thread, room.cache), 0);
  for (i = 0; i < RACERS; i++)
    pthread_join(threads[i], NULL);
  check_raced();
}

/* Remove every finished copy, as eviction without its grace would. */
static void evict_everything(int directory) {
  int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = fdopendir(fd);
  struct dirent *entry;

  while ((entry = readdir(stream)))
    if (entry->d_name[0] == 'p')
      unlinkat(directory, entry->d_name, 0);
  closedir(stream);
}

static void name_all(struct dz_programs *programs) {
  char path[16];
  int i;

  for (i = 0; i < RACED; i++) {
    struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
    struct dz_program_name name;
    int fd DZ_FD = -1;

    snprintf(path, sizeof path, "p%d", i);
    fd = openat(room.fd, path, O_RDONLY | O_CLOEXEC);
    if (dz_plan_make(&room.source, fd, path, &plan, NULL) != 0)
      _exit(2);
    if (dz_programs_prepare(programs, &plan, path, true, &name, NULL) != 0)
      _exit(3);
    if (faccessat(dz_programs_directory_fd(programs), name.path, X_OK, 0) < 0)
      _exit(4);
  }
}

/* A supervisor's life, many times. */
static void live(int lives) {
  char path[128];

  while (lives-- > 0) {
    struct dz_programs *programs;

    snprintf(path, sizeof path, "%s/run", room.path);
    if (dz_programs_open(path, room.cache, &programs, NULL) != 0)
      _exit(1);
    name_all(programs);
    dz_programs_remove(programs);
  }
  _exit(0);
}

Test(loader_cache, programs_get_their_names_while_others_evict_all_copies) {
  int i, status, running = RACERS;

  write_raced();
  for (i = 0; i < RACERS; i++)
    if (fork() == 0)
      live(20);
  while (running > 0) {
    pid_t ended = waitpid(-1, &status, WNOHANG);
    struct timespec pause = {.tv_nsec = 5000000};

    cr_assert_geq(ended, 0);
    if (ended > 0) {
      cr_expect_eq(status, 0, "%#x", status);
      running--;
    }
    evict_everything(dz_cache_directory_fd(room.cache));
    nanosleep(&pause, NULL);
  }
  cr_expect_eq(loader_count(&room, "cache", "t"), 0);
  cr_expect_eq(loader_count(&room, "run", "silo-"), 1); /* the room's own */
}
