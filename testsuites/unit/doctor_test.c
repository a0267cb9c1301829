/* denizen doctor: its runner leaves nothing behind, and its reports say what was found. */
#include "cli/doctor.h"
#include "testsuites/kernel/probe.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A private directory and its removal. */
struct place {
  char path[64];
  int fd;
};

static void enter_place(struct place *place) {
  *place = (struct place){.path = "/tmp/denizen-unit-XXXXXX"};
  cr_assert_not_null(mkdtemp(place->path));
  place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cr_assert(place->fd >= 0);
}

/* Fails when the runner left anything in it. */
static void leave_place(struct place *place) {
  close(place->fd);
  cr_assert_eq(rmdir(place->path), 0, "something was left in %s", place->path);
}

static int ran(const struct dz_probe *probe, struct dz_probe_result *result) {
  struct place place;
  int err;

  enter_place(&place);
  err = dz_probe_run(probe, place.fd, result);
  leave_place(&place);
  return err;
}

static int holds(struct dz_probe_report *report) {
  return dz_probe_ok(report, "version %d", 3);
}

static int lacks(struct dz_probe_report *report) {
  return dz_probe_lacks(report, -ENOSYS, "not there");
}

Test(doctor, a_probes_value_and_text_are_passed_on) {
  static const struct dz_probe good = {"good", DZ_PROBE_NEEDED, holds, "", 1000};
  static const struct dz_probe bad = {"bad", DZ_PROBE_NEEDED, lacks, "", 1000};
  struct dz_probe_result result;

  cr_assert_eq(ran(&good, &result), 0);
  cr_assert(result.ok);
  cr_assert_str_eq(result.observed, "version 3");
  cr_assert_eq(ran(&bad, &result), 0);
  cr_assert_not(result.ok);
  cr_assert_eq(result.code, -ENOSYS);
  cr_assert_str_eq(result.observed, "not there");
}

/* A family of processes that ignore every signal they can, and wait for ever. */
static int hangs(struct dz_probe_report *report) {
  int pids = openat(report->scratch, "../pids", O_WRONLY | O_CREAT | O_APPEND, 0600);

  for (int signal_number = 1; signal_number < 32; signal_number++)
    signal(signal_number, SIG_IGN);
  for (int i = 0; i < 3; i++)
    if (fork() == 0)
      fork();
  dprintf(pids, "%d\n", (int)getpid());
  dz_probe_ok(report, "so far");
  while (pause() < 0)
    ;
  return 0;
}

static unsigned living(const char *path) {
  FILE *file = fopen(path, "re");
  unsigned count = 0, seen = 0;
  int pid;

  cr_assert_not_null(file);
  while (fscanf(file, "%d", &pid) == 1) {
    seen++;
    count += kill(pid, 0) == 0;
  }
  fclose(file);
  cr_assert_gt(seen, 3, "the family did not come into being");
  return count;
}

Test(doctor, a_hanging_probe_is_ended_with_its_whole_family) {
  static const struct dz_probe probe = {"hangs", DZ_PROBE_NEEDED, hangs, "", 200};
  struct dz_probe_result result;
  struct place place;
  char path[80];
  double start = dz_probe_now();

  enter_place(&place);
  cr_assert_eq(dz_probe_run(&probe, place.fd, &result), 0);
  cr_assert_lt(dz_probe_now() - start, 2e6);
  cr_assert_not(result.ok);
  cr_assert_eq(result.code, -ETIME);
  cr_assert_str_eq(result.observed, "so far; no answer within 200 ms");
  snprintf(path, sizeof path, "%s/pids", place.path);
  cr_assert_eq(living(path), 0);
  cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
  cr_assert_eq(errno, ECHILD);
  cr_assert_eq(unlink(path), 0);
  leave_place(&place);
}

/* Stopped, and orphaned: both are found and ended. */
static int leaves_orphans(struct dz_probe_report *report) {
  int pids = openat(report->scratch, "../pids", O_WRONLY | O_CREAT | O_APPEND, 0600);
  atomic_int *ready = dz_probe_shared(sizeof *ready);

  for (int i = 0; i < 4; i++)
    if (fork() == 0) {
      dprintf(pids, "%d\n", (int)getpid());
      atomic_fetch_add(ready, 1);
      if (i % 2)
        raise(SIGSTOP);
      while (pause() < 0)
        ;
    }
  while (atomic_load(ready) < 4)
    dz_probe_sleep_us(1000);
  return dz_probe_ok(report, "done");
}

Test(doctor, what_a_probe_left_running_is_ended) {
  static const struct dz_probe probe = {"orphans", DZ_PROBE_NEEDED, leaves_orphans, "", 2000};
  struct dz_probe_result result;
  struct place place;
  char path[80];

  enter_place(&place);
  cr_assert_eq(dz_probe_run(&probe, place.fd, &result), 0);
  cr_assert(result.ok, "%s", result.observed);
  snprintf(path, sizeof path, "%s/pids", place.path);
  cr_assert_eq(living(path), 0);
  cr_assert_eq(unlink(path), 0);
  leave_place(&place);
}

static int crashes(struct dz_probe_report *report DZ_UNUSED) {
  kill(getpid(), SIGKILL);
  return 0;
}

Test(doctor, a_probe_that_dies_is_reported_as_not_working) {
  static const struct dz_probe probe = {"crashes", DZ_PROBE_NEEDED, crashes, "", 1000};
  struct dz_probe_result result;

  cr_assert_eq(ran(&probe, &result), 0);
  cr_assert_not(result.ok);
  cr_assert_eq(result.code, -ECHILD);
  cr_assert_str_eq(result.observed, "the probe died: Killed");
}

static int litters(struct dz_probe_report *report) {
  mkdirat(report->scratch, "a", 0700);
  mkdirat(report->scratch, "a/b", 0700);
  dz_probe_write_file(report->scratch, "a/b/file", "text");
  symlinkat("/etc", report->scratch, "a/b/link");
  fchmodat(report->scratch, "a/b", 0, 0);
  fchmodat(report->scratch, "a", 0, 0);
  return 0;
}

Test(doctor, what_a_probe_wrote_is_removed_and_no_link_is_followed) {
  static const struct dz_probe probe = {"litters", DZ_PROBE_NEEDED, litters, "", 1000};
  struct dz_probe_result result;

  cr_assert_eq(ran(&probe, &result), 0);
  cr_assert(result.ok);
  cr_assert_eq(access("/etc/passwd", F_OK), 0);
}

Test(doctor, the_tiny_program_exits_or_waits_as_it_promises) {
  struct place place;
  pid_t child;
  int status;

  enter_place(&place);
  cr_assert_eq(dz_probe_write_program(place.fd, "program"), 0);
  cr_assert_eq(fchdir(place.fd), 0);
  child = fork();
  if (child == 0) {
    execl("program", "program", (char *)NULL);
    _exit(99);
  }
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == DZ_PROBE_PROGRAM_STATUS);
  child = fork();
  if (child == 0) {
    execl("program", "program", "wait", (char *)NULL);
    _exit(99);
  }
  dz_probe_sleep_us(50000);
  cr_assert_eq(waitpid(child, &status, WNOHANG), 0);
  kill(child, SIGKILL);
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert(WIFSIGNALED(status));
  cr_assert_eq(unlink("program"), 0);
  leave_place(&place);
}

Test(doctor, the_table_is_complete) {
  for (size_t i = 0; i < dz_probe_count; i++) {
    const struct dz_probe *probe = &dz_probes[i];
    size_t length = strlen(probe->loss);

    cr_assert_not_null(probe->run, "%s", probe->name);
    cr_assert_gt(probe->milliseconds, 0, "%s", probe->name);
    for (size_t j = 0; j < i; j++)
      cr_assert_str_neq(probe->name, dz_probes[j].name);
    if (probe->need == DZ_PROBE_FACT)
      continue;
    cr_assert_leq(strlen(probe->name), 28, "%s does not fit its column", probe->name);
    cr_assert(length > 0 && probe->loss[length - 1] == '.', "%s: no sentence", probe->name);
  }
}

static struct dz_doctor_feature features[] = {
    {"alpha", true, "Nothing works.", {.ok = true, .observed = "fine"}},
    {"beta",
     false,
     "It is slower.",
     {.code = -1,
      .observed = "one two three four five six seven eight nine ten eleven twelve thirteen"}},
};

static struct dz_doctor example(void) {
  return (struct dz_doctor){.host = {.sysname = "Linux", .release = "9.9", .machine = "x86_64"},
                            .uid = 1000,
                            .cache_dir = "/home/a/.cache/denizen",
                            .features = features,
                            .count = DZ_ARRAY_SIZE(features)};
}

Test(doctor, only_a_needed_feature_makes_the_host_unfit) {
  struct dz_doctor doctor = example();

  cr_assert(dz_doctor_healthy(&doctor));
  features[0].result.ok = false;
  cr_assert_not(dz_doctor_healthy(&doctor));
}

Test(doctor, the_text_is_aligned_and_wrapped) {
  struct dz_doctor doctor = example();
  char *text DZ_FREE = NULL;
  size_t size;
  FILE *to = open_memstream(&text, &size);

  dz_doctor_print(to, &doctor, 70);
  fclose(to);
  cr_assert_str_eq(text, "Linux 9.9, x86_64, user 1000\n"
                         "\n"
                         "Needed: 1 of 1 work\n"
                         "  ok       alpha                        fine\n"
                         "\n"
                         "Useful: 0 of 1 work\n"
                         "  missing  beta                         one two three four five six\n"
                         "                                        seven eight nine ten eleven\n"
                         "                                        twelve thirteen\n"
                         "                                        => It is slower.\n"
                         "\n"
                         "denizen can run here.\n");
}

Test(doctor, the_json_names_need_state_and_loss_of_each_feature) {
  struct dz_doctor doctor = example();
  json_t *object = dz_doctor_json(&doctor);
  json_t *list = json_object_get(object, "features");
  json_t *beta = json_array_get(list, 1);

  cr_assert(json_is_true(json_object_get(object, "ok")));
  cr_assert_eq(json_array_size(list), 2);
  cr_assert_str_eq(json_string_value(json_object_get(beta, "name")), "beta");
  cr_assert_str_eq(json_string_value(json_object_get(beta, "need")), "useful");
  cr_assert(json_is_false(json_object_get(beta, "ok")));
  cr_assert_str_eq(json_string_value(json_object_get(beta, "loss")), "It is slower.");
  json_decref(object);
}
