/*
 * What the filter must do with single calls: typed by hand from the manual
 * pages and the kernel's headers, not from the rules that make the filter.
 *
 * All are harmless also without a filter: descriptors are -1, pointers NULL.
 */
#ifndef DZ_TESTSUITES_UNIT_FILTER_CASES_H
#define DZ_TESTSUITES_UNIT_FILTER_CASES_H

#include <stddef.h>
#include <stdint.h>

enum {
  FILTER_ALLOWS = 0,
  FILTER_ASKS = -1, /* the supervisor; a positive errno: the filter answers itself */
};

struct filter_case {
  const char *call;
  unsigned needs;
  int expected;
  uint64_t arguments[6];
};

extern const struct filter_case filter_cases[];
extern const size_t filter_case_count;

#endif
