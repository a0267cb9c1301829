/*
 * kernel-probes [WORD]: run the probes (those with WORD in their name) as tests.
 *
 * A needed one and a fact that does not hold is a failure. A useful one that is missing is named
 * with its reason: the host lacks something, which is no defect of denizen. So is a fact about
 * something that the host does not have at all.
 */
#include "testsuites/kernel/probe.h"

#include "cli/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* The host has not got (or does not grant) what the fact is about. */
static bool is_absent(int code) {
  return code == -ENOSYS || code == -EOPNOTSUPP || code == -EPERM || code == -ENOSPC;
}

int main(int argc, char **argv) {
  struct dz_paths paths;
  struct dz_error error = {0};
  int base DZ_FD = -1;
  unsigned passed = 0, failed = 0, missing = 0;

  setvbuf(stdout, NULL, _IOLBF, 0);
  if (dz_paths_make(&paths, &error) < 0) {
    printf("%s\n", error.text);
    return 1;
  }
  base = open(paths.cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) {
    printf("%s: %s\n", paths.cache_dir, strerror(errno));
    return 1;
  }
  for (size_t i = 0; i < dz_probe_count; i++) {
    const struct dz_probe *probe = &dz_probes[i];
    struct dz_probe_result result;
    int err;

    if (argc > 1 && !strstr(probe->name, argv[1]))
      continue;
    err = dz_probe_run(probe, base, &result);
    if (err)
      snprintf(result.observed, sizeof result.observed, "cannot be run: %s", strerror(-err));
    if (err == 0 && result.ok) {
      passed++;
      printf("ok       %s: %s (%.0f ms)\n", probe->name, result.observed, result.milliseconds);
    } else if (err == 0 && probe->need == DZ_PROBE_USEFUL) {
      missing++;
      printf("missing  %s: %s\n", probe->name, result.observed);
    } else if (err == 0 && probe->need == DZ_PROBE_FACT && is_absent(result.code)) {
      printf("not run  %s: %s\n", probe->name, result.observed);
    } else {
      failed++;
      printf("FAILED   %s: %s\n", probe->name, result.observed);
    }
  }
  printf("%u useful features are missing on this host\n", missing);
  printf("%u passed, %u failed\n", passed, failed);
  return failed > 0;
}
