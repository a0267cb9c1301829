/*
 * A place is where the same command can run: natively, under denizen, under proot. Each is a
 * command line that the guest's command is appended to, and a user.
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PLACE_PREFIX_MAX = 16, PLACE_ARGUMENTS_MAX = 48 };

struct place {
  const char *name;
  const char *prefix[PLACE_PREFIX_MAX]; /* ends with NULL; empty: run the command itself */
  uid_t user;                           /* become this user; 0: stay who we are */
};

/* Run command (NULL-terminated) in place and read its standard output into buffer; it is killed
 * after a minute. Returns the bytes read, or -1 when the command failed, which is then said on
 * standard error. started, if not NULL, gets CLOCK_MONOTONIC in ns just before the fork. */
ssize_t place_run(const struct place *place, const char *const *command, void *buffer, size_t size,
                  uint64_t *started);

/* Start command in place with its standard input and output as pipes. Returns its pid or -1. */
pid_t place_start(const struct place *place, const char *const *command, int *input, int *output);

#endif
