/* doctor's report for people. */
#include "cli/doctor.h"

#include <string.h>

/* Columns: "  missing  " and the longest name. */
enum { STATE_COLUMN = 2, NAME_COLUMN = 11, TEXT_COLUMN = 40 };

bool dz_doctor_healthy(const struct dz_doctor *doctor) {
  for (size_t i = 0; i < doctor->count; i++)
    if (doctor->features[i].needed && !doctor->features[i].result.ok)
      return false;
  return true;
}

static unsigned count_features(const struct dz_doctor *doctor, bool needed, bool working_only) {
  unsigned count = 0;

  for (size_t i = 0; i < doctor->count; i++)
    if (doctor->features[i].needed == needed && (!working_only || doctor->features[i].result.ok))
      count++;
  return count;
}

/* Print text from column on, broken at spaces so that no line passes width. The cursor stands at
 * column; it ends on a new line. */
static void print_wrapped(FILE *to, const char *text, unsigned column, unsigned width) {
  size_t room = width > column + 20 ? width - column : 20;

  while (strlen(text) > room) {
    size_t end = room;

    while (end > 0 && text[end] != ' ')
      end--;
    if (end == 0)
      end = room; /* one long word */
    fprintf(to, "%.*s\n%*s", (int)end, text, (int)column, "");
    text += end;
    while (*text == ' ')
      text++;
  }
  fprintf(to, "%s\n", text);
}

static void print_feature(FILE *to, const struct dz_doctor_feature *feature, unsigned width) {
  static const char consequence[] = "=> ";

  fprintf(to, "%*s%-*s%-*s", STATE_COLUMN, "", NAME_COLUMN - STATE_COLUMN,
          feature->result.ok ? "ok" : "missing", TEXT_COLUMN - NAME_COLUMN, feature->name);
  print_wrapped(to, feature->result.observed, TEXT_COLUMN, width);
  if (feature->result.ok)
    return;
  fprintf(to, "%*s%s", TEXT_COLUMN, "", consequence);
  print_wrapped(to, feature->loss, TEXT_COLUMN + (unsigned)strlen(consequence), width);
}

static void print_section(FILE *to, const struct dz_doctor *doctor, const char *title, bool needed,
                          unsigned width) {
  fprintf(to, "\n%s: %u of %u work\n", title, count_features(doctor, needed, true),
          count_features(doctor, needed, false));
  for (size_t i = 0; i < doctor->count; i++)
    if (doctor->features[i].needed == needed)
      print_feature(to, &doctor->features[i], width);
}

void dz_doctor_print(FILE *to, const struct dz_doctor *doctor, unsigned width) {
  fprintf(to, "%s %s, %s, user %u\n", doctor->host.sysname, doctor->host.release,
          doctor->host.machine, doctor->uid);
  print_section(to, doctor, "Needed", true, width);
  print_section(to, doctor, "Useful", false, width);
  fputs(dz_doctor_healthy(doctor) ? "\ndenizen can run here.\n"
                                  : "\ndenizen cannot run here: something that it needs is "
                                    "missing.\n",
        to);
}
