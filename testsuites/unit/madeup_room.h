/*
 * A small silo for the tests of procfs, devfs and sysfs: a root filesystem in a
 * scratch directory, the three mounted in it, and guests that are children of the test
 * and carry the silo's tag.
 */
#ifndef DZ_UNIT_MADEUP_ROOM_H
#define DZ_UNIT_MADEUP_ROOM_H

#include "proc/proc.h"
#include "vfs/vfs.h"

struct room {
  char scratch[128]; /* on the host */
  char root[160];    /* the guest's root, on the host */
  struct dz_vfs *vfs;
  struct dz_proc proc;
  void *procfs, *devfs, *sysfs;
  pid_t guests[8];
  int guest_pipes[8]; /* closed: the guest ends */
  unsigned guest_count;
  struct dz_view view; /* of the first guest */
};
extern struct room room;

void room_make(void);
void room_free(void);

/* Fork a guest that runs prepare and then waits for its end. The first one is the silo's first
 * process and the caller of all that follows. identity NULL: root, with no capability. */
pid_t room_guest(void (*prepare)(void), const struct dz_identity *identity);

/* Give a process a record, as if the supervisor had started it. program: guest path. */
void room_adopt(pid_t pid, const struct dz_identity *identity, const char *program);

/* All below are about guest paths. */
int room_open(const char *path, int flags); /* a descriptor or -errno */
int room_walk(const char *path, unsigned flags, struct dz_node *node);
char *room_read(const char *path);                    /* fails the test if it cannot */
int room_link(const char *path, char text[PATH_MAX]); /* length or -errno */
int room_stat(const char *path, struct stat *st);     /* of the last component itself */

/* The names in a directory, each between blanks: " a b c "; `at_once` entries a call. */
char *room_list(const char *path, unsigned at_once);
bool room_listed(const char *names, const char *name);

/* The line of text that begins with this, without its newline, in a buffer of the caller's. */
const char *room_line(const char *text, const char *start, char line[512]);

/* printf into a buffer that lives until the eighth next call. */
const char *room_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
