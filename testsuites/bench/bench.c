/*
 * What denizen costs. Every row runs natively, under denizen and under proot, in turns and several
 * times over, because a machine's speed drifts: a ratio compares runs of the same round, and the
 * median of the rounds is shown with its least and greatest. Prints a table, writes the same as
 * JSON.
 *
 *   bench ROOT GUESTDIR USER TOOLS DENIZEN PROOT JSON ROUNDS
 *
 * ROOT      a root filesystem; GUESTDIR: a path in it, prepared, with `op` and `first`
 * USER      numeric user to run everything as, when started by root
 * TOOLS     host directory with `enter` and `first`
 */
#include "testsuites/bench/memory.h"
#include "testsuites/bench/notify.h"
#include "testsuites/bench/place.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { NATIVE, SHARED, PROOT, PLACES };
enum { ROUNDS_MAX = 25, STORM_STATS = 20000, ROUND_TRIPS = 20000 };

struct bench {
  struct place places[PLACES];
  struct place host; /* no root filesystem: the floor of starting a program */
  const char *programs[PLACES];
  const char *directory; /* in the guest */
  char op[256], first_guest[256], first_host[256];
  int rounds;
  json_t *rows;
  bool failed;
};

struct row {
  const char *name;
  double ns[PLACES][ROUNDS_MAX]; /* NAN where it failed */
};

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;

  return (a > b) - (a < b);
}

/* Of values without NANs; count > 0. */
static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static json_t *ratios_of(const struct row *row, int place, int rounds) {
  double ratios[ROUNDS_MAX], middle;
  int count = 0;

  for (int round = 0; round < rounds; round++) {
    double ratio = row->ns[place][round] / row->ns[NATIVE][round];

    if (!isnan(ratio))
      ratios[count++] = ratio;
  }
  if (count == 0)
    return json_null();
  middle = median(ratios, count);
  return json_pack("{s:f, s:f, s:f}", "ratio", middle, "min", ratios[0], "max", ratios[count - 1]);
}

static void print_ratio(const json_t *ratio) {
  char range[48] = "";

  if (json_is_null(ratio)) {
    printf("%9s%20s", "failed", "");
    return;
  }
  snprintf(range, sizeof range, "(%.2f-%.2f)", json_number_value(json_object_get(ratio, "min")),
           json_number_value(json_object_get(ratio, "max")));
  printf("%8.2fx %19s", json_number_value(json_object_get(ratio, "ratio")), range);
}

static void print_time(double ns) {
  if (isnan(ns))
    printf("%12s", "failed");
  else if (ns < 1e4)
    printf("%9.0f ns", ns);
  else if (ns < 1e7)
    printf("%9.1f us", ns / 1e3);
  else
    printf("%9.1f ms", ns / 1e6);
}

static void finish_row(struct bench *bench, struct row *row) {
  json_t *ratios[PLACES] = {NULL};
  double native[ROUNDS_MAX], middle = NAN;
  int count = 0;

  for (int round = 0; round < bench->rounds; round++)
    if (!isnan(row->ns[NATIVE][round]))
      native[count++] = row->ns[NATIVE][round];
  if (count > 0)
    middle = median(native, count);
  printf("%-24s", row->name);
  print_time(middle);
  for (int place = SHARED; place < PLACES; place++) {
    ratios[place] = ratios_of(row, place, bench->rounds);
    bench->failed |= json_is_null(ratios[place]);
    print_ratio(ratios[place]);
  }
  putchar('\n');
  fflush(stdout);
  json_array_append_new(bench->rows,
                        json_pack("{s:s, s:{s:o}, s:o, s:o}", "name", row->name, "native", "ns",
                                  count > 0 ? json_real(middle) : json_null(), "shared",
                                  ratios[SHARED], "proot", ratios[PROOT]));
}

/* The number that a command prints, NAN when it fails. */
static double number_from(const struct place *place, const char *const *command) {
  char text[64];
  ssize_t length = place_run(place, command, text, sizeof text - 1, NULL);

  if (length <= 0)
    return NAN;
  text[length] = '\0';
  return strtod(text, NULL);
}

static void row_of(struct bench *bench, const char *name, const char *const *command) {
  struct row row = {.name = name};

  for (int round = 0; round < bench->rounds; round++)
    for (int place = 0; place < PLACES; place++)
      row.ns[place][round] = number_from(&bench->places[place], command);
  finish_row(bench, &row);
}

static void small_operations(struct bench *bench) {
  const char *list[] = {bench->op, "list", NULL};
  char names[1024], *rest = names, *name;
  ssize_t length = place_run(&bench->places[NATIVE], list, names, sizeof names - 1, NULL);

  if (length <= 0) {
    bench->failed = true;
    return;
  }
  names[length] = '\0';
  while ((name = strsep(&rest, "\n")) && *name)
    row_of(bench, name,
           (const char *const[]){bench->op, "measure", name, bench->directory, "60", NULL});
}

static void whole_programs(struct bench *bench) {
  static const char hundred[] = "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done";
  static const struct {
    const char *name;
    const char *command[6];
  } programs[] = {
      {"sh starting 100", {"/bin/sh", "-c", hundred}},
      {"gcc -c", {"/usr/bin/gcc", "-O1", "-c", "-o/dev/null", "source.c"}},
      {"ls -lR", {"/bin/ls", "-lR", "/usr/include", "/usr/lib/gcc", "/usr/lib/python3.11"}},
      {"python3 -c pass", {"/usr/bin/python3", "-c", "pass"}},
  };
  char source[300];

  snprintf(source, sizeof source, "%s/source.c", bench->directory);
  for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
    const char *command[10] = {bench->op, "run"};

    for (size_t word = 0; word < 6 && programs[i].command[word]; word++)
      command[2 + word] =
          strcmp(programs[i].command[word], "source.c") == 0 ? source : programs[i].command[word];
    row_of(bench, programs[i].name, command);
  }
}

/* From the fork of what the user types to the first instruction of the guest's program. */
static double start_time(const struct place *place, const char *program) {
  const char *command[] = {program, NULL};
  struct timespec first;
  uint64_t started;

  if (place_run(place, command, &first, sizeof first, &started) != sizeof first)
    return NAN;
  return (double)first.tv_sec * 1e9 + (double)first.tv_nsec - (double)started;
}

static void start_row(struct bench *bench) {
  struct row row = {.name = "start to first instr."};

  for (int round = 0; round < bench->rounds; round++) {
    row.ns[NATIVE][round] = start_time(&bench->host, bench->first_host);
    for (int place = SHARED; place < PLACES; place++)
      row.ns[place][round] = start_time(&bench->places[place], bench->first_guest);
  }
  finish_row(bench, &row);
}

static json_t *storms(struct bench *bench) {
  json_t *counts = json_pack("{s:i}", "of", STORM_STATS);
  char count[32];

  snprintf(count, sizeof count, "%d", STORM_STATS);
  printf("\nstats of %d that a signal handler without SA_RESTART interrupted (EINTR; timer every "
         "200 us, four busy neighbours):",
         STORM_STATS);
  for (int place = 0; place < PLACES; place++) {
    double interrupted =
        number_from(&bench->places[place],
                    (const char *const[]){bench->op, "storm", bench->directory, count, NULL});

    printf(" %s %.0f", bench->places[place].name, interrupted);
    fflush(stdout);
    bench->failed |= isnan(interrupted);
    json_object_set_new(counts, bench->places[place].name,
                        isnan(interrupted) ? json_null() : json_integer((json_int_t)interrupted));
  }
  putchar('\n');
  return counts;
}

static json_t *memories(struct bench *bench) {
  json_t *all = json_object();

  printf("memory besides the guest's while a shell waits:");
  for (int place = SHARED; place < PLACES; place++) {
    struct memory memory;

    if (memory_for_a_shell(&bench->places[place], bench->programs[place], &memory) != 0) {
      bench->failed = true;
      printf(" %s failed", bench->places[place].name);
      json_object_set_new(all, bench->places[place].name, json_null());
      continue;
    }
    printf(" %s %ld KiB resident (%d processes, %ld KiB proportional)", bench->places[place].name,
           memory.resident_kib, memory.processes, memory.proportional_kib);
    json_object_set_new(all, bench->places[place].name,
                        json_pack("{s:i, s:i, s:i}", "resident_kib", (int)memory.resident_kib,
                                  "proportional_kib", (int)memory.proportional_kib, "processes",
                                  memory.processes));
  }
  putchar('\n');
  return all;
}

static double round_trips(struct bench *bench) {
  double found[ROUNDS_MAX];
  int count = 0;

  for (int round = 0; round < bench->rounds; round++) {
    double ns = bench_notify_round_trip(ROUND_TRIPS);

    if (ns > 0)
      found[count++] = ns;
  }
  bench->failed |= count == 0;
  return count > 0 ? median(found, count) : NAN;
}

static void set_up(struct bench *bench, char **argv) {
  const char *root = argv[1], *user = argv[3], *tools = argv[4];
  uid_t id = (uid_t)strtoul(user, NULL, 10);
  static char enter[256];

  bench->directory = argv[2];
  bench->programs[SHARED] = argv[5];
  bench->programs[PROOT] = argv[6];
  snprintf(enter, sizeof enter, "%s/enter", tools);
  snprintf(bench->op, sizeof bench->op, "%s/op", argv[2]);
  snprintf(bench->first_guest, sizeof bench->first_guest, "%s/first", argv[2]);
  snprintf(bench->first_host, sizeof bench->first_host, "%s/first", tools);
  bench->host = (struct place){.name = "host", .user = id};
  /* enter becomes the user itself, after what only root can do. */
  bench->places[NATIVE] = (struct place){.name = "native", .prefix = {enter, root, user}};
  bench->places[SHARED] =
      (struct place){.name = "shared", .prefix = {argv[5], "run", root}, .user = id};
  bench->places[PROOT] = (struct place){
      .name = "proot",
      .prefix = {argv[6], "-r", root, "-b", "/dev", "-b", "/proc", "-w", "/"},
      .user = id,
  };
}

int main(int argc, char **argv) {
  static struct bench bench;
  json_t *report, *interrupted, *memory;
  struct utsname host;
  double round_trip;

  if (argc != 9) {
    fputs("usage: bench ROOT GUESTDIR USER TOOLS DENIZEN PROOT JSON ROUNDS\n", stderr);
    return 2;
  }
  set_up(&bench, argv);
  bench.rounds = (int)strtol(argv[8], NULL, 10);
  if (bench.rounds < 1 || bench.rounds > ROUNDS_MAX) {
    fprintf(stderr, "bench: ROUNDS must be 1 to %d\n", ROUNDS_MAX);
    return 2;
  }
  uname(&host);
  bench.rows = json_array();
  printf("Linux %s, %ld processors, %d rounds; each ratio is a median (least-greatest)\n\n",
         host.release, sysconf(_SC_NPROCESSORS_ONLN), bench.rounds);
  printf("%-24s%12s%9s%20s%9s\n", "", "native", "denizen", "", "proot");
  small_operations(&bench);
  whole_programs(&bench);
  start_row(&bench);
  round_trip = round_trips(&bench);
  printf("\na bare notification round trip: %.1f us\n", round_trip / 1e3);
  interrupted = storms(&bench);
  memory = memories(&bench);
  report = json_pack("{s:o, s:s, s:i, s:o, s:o, s:o}", "rows", bench.rows, "kernel", host.release,
                     "rounds", bench.rounds, "round_trip_ns",
                     isnan(round_trip) ? json_null() : json_real(round_trip), "eintr", interrupted,
                     "memory", memory);
  if (json_dump_file(report, argv[7], JSON_INDENT(1) | JSON_REAL_PRECISION(4)) != 0) {
    fprintf(stderr, "bench: cannot write %s\n", argv[7]);
    bench.failed = true;
  }
  json_decref(report);
  return bench.failed;
}
