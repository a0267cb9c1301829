/*
 * What doctor found, and the two ways to print it.
 */
#ifndef DZ_CLI_DOCTOR_H
#define DZ_CLI_DOCTOR_H

#include "testsuites/kernel/probe.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <sys/utsname.h>

struct dz_doctor_feature {
  const char *name;
  bool needed;
  const char *loss; /* what is lost without it, one sentence */
  struct dz_probe_result result;
};

struct dz_doctor {
  struct utsname host;
  uid_t uid;
  char cache_dir[PATH_MAX];
  struct dz_doctor_feature *features; /* the caller's */
  size_t count;
};

/* Does everything that is needed work? */
bool dz_doctor_healthy(const struct dz_doctor *doctor);

/* For people: aligned, wrapped to width columns, what is lost under what is missing. */
void dz_doctor_print(FILE *to, const struct dz_doctor *doctor, unsigned width);

/*
 * {"kernel", "machine": text, "uid": number, "cache_directory": text, "ok": boolean,
 *  "features": [{"name", "need": "needed" or "useful", "ok": boolean, "observed",
 *                "loss": text, "milliseconds": number}]}
 * A new reference, or NULL without memory.
 */
json_t *dz_doctor_json(const struct dz_doctor *doctor);

#endif
