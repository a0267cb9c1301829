/*
 * A scratch directory with a cache and a silo's programs, and ways to execute things
 * natively and by a load plan, so that tests can compare the two.
 *
 * Everything here aborts the test (cr_assert) when the machine does not do what it must.
 */
#ifndef DZ_TESTSUITES_UNIT_LOADER_ROOM_H
#define DZ_TESTSUITES_UNIT_LOADER_ROOM_H

#include "loader/programs.h"

struct loader_room {
  char path[64]; /* absolute; removed at the end */
  int fd;
  struct dz_cache *cache;          /* path/cache */
  struct dz_programs *programs;    /* path/run/silo-… */
  struct dz_program_source source; /* opens host paths, relative ones beneath path */
};

/* Make one; limit in bytes for the cache. */
void loader_room_make(struct loader_room *room, uint64_t limit);
void loader_room_remove(struct loader_room *room);

/* Write a file into the room; its name is relative. */
void loader_room_write(struct loader_room *room, const char *name, const void *bytes, size_t size,
                       mode_t mode);

/* What an exec came to. */
struct loader_outcome {
  int error;          /* negative errno of exec, 0 when there was a new program */
  int status;         /* of waitpid(2) */
  size_t size;        /* of cmdline */
  char cmdline[4096]; /* as /proc/PID/cmdline, right after exec */
  char comm[32];
};

/* execve(path, argv, {"A=b"}) in a child whose working directory is cwd; waits for its end. */
void loader_execute(int cwd, const char *path, char *const argv[], struct loader_outcome *outcome);

/* Make a plan for a path in the room, prepare it, execute it. An error of any of these
 * steps is outcome->error; error may be NULL. */
void loader_plan_execute(struct loader_room *room, const char *path, char *const argv[],
                         struct loader_outcome *outcome, struct dz_error *error);

/* Execute the same natively and by a plan. The outcomes must be the same; their errors
 * only, where a program may end otherwise. */
void loader_compare(struct loader_room *room, const char *what, const char *path,
                    char *const argv[]);
void loader_compare_errors(struct loader_room *room, const char *what, const char *path,
                           char *const argv[]);

/* Run a shell command in the room with its output in room/output; its exit status. */
int loader_shell(struct loader_room *room, const char *command);

/* Number of directory entries of path beneath the room whose name begins with prefix. */
size_t loader_count(struct loader_room *room, const char *path, const char *prefix);

#endif
