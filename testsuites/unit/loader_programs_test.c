#include "loader/programs.h"
#include "testsuites/unit/loader_elf_corpus.h"
#include "testsuites/unit/loader_room.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct loader_room room;
static char *const arguments[] = {"zeroth", NULL};

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

TestSuite(loader_programs, .init = set_up, .fini = tear_down, .timeout = 60);

static int prepare(struct dz_programs *programs, const char *path, const char *basename,
                   bool may_copy, struct dz_program_name *name) {
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  int fd DZ_FD = openat(room.fd, path, O_RDONLY | O_CLOEXEC);
  int result = dz_plan_make(&room.source, fd, path, &plan, NULL);

  return result < 0 ? result : dz_programs_prepare(programs, &plan, basename, may_copy, name, NULL);
}

/* Entries of n or i in the silo's directory. */
static size_t silo_count(const char *what) {
  char path[64];

  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dz_programs_directory_fd(room.programs), what);
  return loader_count(&room, path, "");
}

Test(loader_programs, a_program_has_one_name_for_each_basename) {
  struct dz_program_name first, again, other;

  cr_assert_eq(prepare(room.programs, "dynamic", "x/sh", false, &first), -EAGAIN);
  cr_assert_eq(prepare(room.programs, "dynamic", "x/sh", true, &first), 0);
  cr_assert_eq(prepare(room.programs, "dynamic", "sh", false, &again), 0);
  cr_assert_str_eq(first.path, again.path);
  cr_assert_eq(first.inode, again.inode);
  cr_assert_eq(prepare(room.programs, "dynamic", "bash", false, &other), 0);
  cr_assert_str_neq(first.path, other.path);
  cr_assert_eq(first.inode, other.inode);
  cr_assert_eq(first.device, other.device);
  cr_assert_eq(silo_count("n"), 2);
  cr_assert_eq(silo_count("i"), 1);
}

Test(loader_programs, the_name_tells_device_and_inode_of_what_will_run) {
  struct dz_program_name name;
  struct stat stat;

  cr_assert_eq(prepare(room.programs, "static", "static", true, &name), 0);
  cr_assert_eq(fstatat(dz_programs_directory_fd(room.programs), name.path, &stat, 0), 0);
  cr_assert_eq(stat.st_dev, name.device);
  cr_assert_eq(stat.st_ino, name.inode);
  cr_assert_eq(stat.st_mode, S_IFREG | 0555);
}

Test(loader_programs, basenames_that_are_no_names_are_given_one) {
  static const char *const basenames[] = {
      "", ".", "..", "/", "a/", "exactly-fifteen", "longer-than-fifteen",
  };
  struct dz_program_name name;
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(basenames); i++) {
    cr_assert_eq(prepare(room.programs, "static", basenames[i], true, &name), 0);
    cr_expect_eq(faccessat(dz_programs_directory_fd(room.programs), name.path, X_OK, 0), 0, "%s",
                 name.path);
  }
}

Test(loader_programs, finding_a_name_again_makes_no_system_call) {
  struct dz_plan plan DZ_CLEANUP(dz_plan_release) = {0};
  int fd DZ_FD = openat(room.fd, "dynamic", O_RDONLY | O_CLOEXEC), status;
  struct dz_program_name name;
  pid_t pid;

  cr_assert_eq(dz_plan_make(&room.source, fd, "dynamic", &plan, NULL), 0);
  cr_assert_eq(dz_programs_prepare(room.programs, &plan, "name", true, &name, NULL), 0);
  pid = fork();
  if (pid == 0) {
    /* Any call but read, write, exit and sigreturn now kills. */
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
      _exit(1);
    status = dz_programs_prepare(room.programs, &plan, "name", false, &name, NULL);
    syscall(SYS_exit, status == 0 ? 0 : 2);
  }
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert_eq(status, 0, "%#x", status);
}

Test(loader_programs, the_least_recently_used_names_go_with_the_interpreters_only_they_needed) {
  struct dz_program_name first, name;
  char basename[16];
  int i;

  write_program("interpreter2", 0x20000000, NULL);
  write_program("dynamic2", 0x400000, "./interpreter2");
  cr_assert_eq(prepare(room.programs, "dynamic2", "first", true, &first), 0);
  cr_assert_eq(prepare(room.programs, "dynamic", "used", true, &name), 0);
  cr_assert_eq(prepare(room.programs, "static", "0", true, &name), 0);
  cr_assert_eq(silo_count("i"), 2);
  for (i = 1; i < 4095; i++) {
    snprintf(basename, sizeof basename, "%d", i);
    cr_assert_eq(prepare(room.programs, "static", basename, false, &name), 0);
    cr_assert_eq(prepare(room.programs, "dynamic", "used", false, &name), 0);
  }
  cr_assert_eq(silo_count("n"), 4096);
  cr_assert_eq(silo_count("i"), 1);
  cr_assert_neq(faccessat(dz_programs_directory_fd(room.programs), first.path, F_OK, 0), 0);
  cr_assert_eq(prepare(room.programs, "dynamic2", "first", false, &name), 0);
  cr_assert_str_neq(name.path, first.path);
  cr_assert_eq(silo_count("i"), 2);
}

Test(loader_programs, eviction_from_the_cache_does_not_concern_what_has_a_name) {
  struct loader_outcome outcome;

  loader_plan_execute(&room, "dynamic", arguments, &outcome, NULL);
  cr_assert_eq(outcome.error, 0);
  cr_assert_eq(loader_shell(&room, "rm -f cache/p*"), 0);
  loader_plan_execute(&room, "dynamic", arguments, &outcome, NULL);
  cr_assert_eq(outcome.error, 0);
  cr_assert_eq(WEXITSTATUS(outcome.status), DZ_ELF_EXIT_STATUS);
  cr_assert_eq(loader_count(&room, "cache", "p"), 0);
}

Test(loader_programs, removal_leaves_nothing) {
  struct dz_programs *programs;
  struct dz_program_name name;
  char path[128];

  snprintf(path, sizeof path, "%s/run", room.path);
  cr_assert_eq(dz_programs_open(path, room.cache, &programs, NULL), 0);
  cr_assert_eq(prepare(programs, "dynamic", "d", true, &name), 0);
  cr_assert_eq(loader_count(&room, "run", "silo-"), 2);
  dz_programs_remove(programs);
  cr_assert_eq(loader_count(&room, "run", "silo-"), 1);
}

Test(loader_programs, directories_of_dead_owners_are_swept_and_those_of_living_ones_are_not) {
  struct dz_programs *programs;
  struct dz_program_name name;
  char path[128];
  int status;
  pid_t pid;

  snprintf(path, sizeof path, "%s/run", room.path);
  pid = fork();
  if (pid == 0) {
    if (dz_programs_open(path, room.cache, &programs, NULL) != 0 ||
        prepare(programs, "dynamic", "d", true, &name) != 0)
      _exit(1);
    raise(SIGKILL);
  }
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert(WIFSIGNALED(status), "%#x", status);
  cr_assert_eq(loader_count(&room, "run", "silo-"), 2);
  cr_assert_eq(dz_programs_sweep(path), 0);
  cr_assert_eq(loader_count(&room, "run", "silo-"), 1);
  cr_assert_eq(prepare(room.programs, "dynamic", "d", true, &name), 0);
}

/* The cache on another filesystem: links are impossible. */
Test(loader_programs, programs_are_copied_where_they_cannot_be_linked) {
  char path[] = "/dev/shm/loader-XXXXXX";
  struct loader_outcome outcome;
  struct dz_program_name name;
  struct dz_programs *there, *ours = room.programs;
  struct dz_error error = {0};
  struct stat here, shm;

  cr_assert_eq(fstat(room.fd, &here), 0);
  if (stat("/dev/shm", &shm) < 0 || shm.st_dev == here.st_dev || !mkdtemp(path)) {
    cr_skip("skipped: /dev/shm is no second filesystem to write to");
    return;
  }
  if (dz_programs_open(path, room.cache, &there, &error) < 0) {
    rmdir(path);
    cr_skip("skipped: %s", error.text);
    return;
  }
  cr_expect_eq(prepare(there, "dynamic", "dynamic", true, &name), 0);
  cr_expect_eq(name.device, shm.st_dev);
  cr_expect_eq(prepare(there, "dynamic", "other", false, &name), -EAGAIN);
  room.programs = there;
  loader_plan_execute(&room, "dynamic", arguments, &outcome, NULL);
  room.programs = ours;
  cr_expect_eq(outcome.error, 0);
  cr_expect_eq(WEXITSTATUS(outcome.status), DZ_ELF_EXIT_STATUS);
  dz_programs_remove(there);
  cr_expect_eq(rmdir(path), 0);
}
