/* doctor's report for programs. */
#include "cli/doctor.h"

static json_t *feature_json(const struct dz_doctor_feature *feature) {
  /* "o*": what a kernel or a user's environment says need not be UTF-8; then the text is left out.
   */
  return json_pack("{s:s, s:s, s:b, s:o*, s:s, s:f}", "name", feature->name, "need",
                   feature->needed ? "needed" : "useful", "ok", (int)feature->result.ok, "observed",
                   json_string(feature->result.observed), "loss", feature->loss, "milliseconds",
                   feature->result.milliseconds);
}

json_t *dz_doctor_json(const struct dz_doctor *doctor) {
  json_t *features = json_array();

  for (size_t i = 0; i < doctor->count; i++)
    if (json_array_append_new(features, feature_json(&doctor->features[i])) < 0) {
      json_decref(features);
      return NULL;
    }
  return json_pack("{s:s, s:s, s:i, s:o*, s:b, s:o}", "kernel", doctor->host.release, "machine",
                   doctor->host.machine, "uid", (int)doctor->uid, "cache_directory",
                   json_string(doctor->cache_dir), "ok", (int)dz_doctor_healthy(doctor), "features",
                   features);
}
