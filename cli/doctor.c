/*
 * denizen doctor: what this host can do for denizen, found by doing it.
 */
#include "cli/doctor.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

enum { WIDTH_DEFAULT = 100, WIDTH_MIN = 60, WIDTH_MAX = 120 };

struct doctor_options {
  bool help;
  bool json;
};

static const struct dz_option rows[] = {
    {0, "json", NULL, DZ_OPTION_FLAG, offsetof(struct doctor_options, json),
     "print one JSON object instead of text"},
    {'h', "help", NULL, DZ_OPTION_FLAG, offsetof(struct doctor_options, help), "print this help"},
};

static const struct dz_option_table table = {rows, DZ_ARRAY_SIZE(rows), 0};

/* Where programs are cached is tested like the rest: denizen needs to write there. When it can't,
 * the probes that need a file use /tmp. */
static int examine_cache(struct dz_doctor *doctor, struct dz_doctor_feature *feature) {
  struct dz_error error = {0};
  struct dz_paths paths;
  int base;

  feature->name = "cache directory";
  feature->needed = true;
  feature->loss = "Without it no program can be prepared for execution.";
  feature->result.code = dz_paths_make(&paths, &error);
  if (feature->result.code == 0) {
    base = (int)dz_result(open(paths.cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    feature->result.code = base < 0 ? base : 0;
    snprintf(feature->result.observed, sizeof feature->result.observed, "%.390s",
             base < 0 ? strerror(-base) : paths.cache_dir);
  } else {
    base = (int)dz_result(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    snprintf(feature->result.observed, sizeof feature->result.observed, "%.390s", error.text);
  }
  feature->result.ok = feature->result.code == 0;
  snprintf(doctor->cache_dir, sizeof doctor->cache_dir, "%s",
           feature->result.ok ? paths.cache_dir : "");
  return base;
}

static void examine_feature(const struct dz_probe *probe, int base,
                            struct dz_doctor_feature *feature) {
  int err;

  feature->name = probe->name;
  feature->needed = probe->need == DZ_PROBE_NEEDED;
  feature->loss = probe->loss;
  err = dz_probe_run(probe, base, &feature->result);
  if (err == 0)
    return;
  feature->result.ok = false;
  feature->result.code = err;
  snprintf(feature->result.observed, sizeof feature->result.observed, "cannot be tried: %s",
           strerror(-err));
}

static void examine(struct dz_doctor *doctor) {
  int base DZ_FD = examine_cache(doctor, &doctor->features[doctor->count++]);

  for (size_t i = 0; i < dz_probe_count; i++)
    if (dz_probes[i].need != DZ_PROBE_FACT)
      examine_feature(&dz_probes[i], base, &doctor->features[doctor->count++]);
}

static unsigned output_width(void) {
  struct winsize window;

  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col < WIDTH_MIN)
    return WIDTH_DEFAULT;
  return window.ws_col < WIDTH_MAX ? window.ws_col : WIDTH_MAX;
}

static int print(const struct dz_doctor *doctor, bool json) {
  json_t *object;
  int err;

  if (!json) {
    dz_doctor_print(stdout, doctor, output_width());
    return 0;
  }
  object = dz_doctor_json(doctor);
  err = object ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;
  json_decref(object);
  putchar('\n');
  return err < 0 ? -ENOMEM : 0;
}

static int print_help(void) {
  puts("Usage: denizen doctor [OPTION...]\n"
       "Find out what this host can do for denizen, by doing each thing in a child process.\n"
       "The exit code is 0 when everything that is needed works, else 1.\n");
  dz_options_print(stdout, &table);
  return 0;
}

int dz_cmd_doctor(int argc, char **argv) {
  struct doctor_options options = {0};
  struct dz_error error = {0};
  struct dz_doctor doctor = {.uid = geteuid()};
  void *features DZ_FREE = NULL;
  int next = dz_options_parse(&table, argc, argv, &options, NULL, &error);

  if (next < 0)
    return dz_complain("doctor", &error);
  if (options.help)
    return print_help();
  if (next < argc) {
    dz_fail(&error, -EINVAL, "unexpected argument '%s'; doctor takes options only", argv[next]);
    return dz_complain("doctor", &error);
  }
  features = doctor.features = calloc(dz_probe_count + 1, sizeof *doctor.features);
  if (!features || uname(&doctor.host) < 0) {
    dz_fail(&error, -ENOMEM, "out of memory");
    return dz_complain("doctor", &error);
  }
  examine(&doctor);
  if (print(&doctor, options.json) < 0) {
    dz_fail(&error, -EIO, "the report could not be written");
    return dz_complain("doctor", &error);
  }
  return dz_doctor_healthy(&doctor) ? 0 : 1;
}
