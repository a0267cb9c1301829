/*
 * ".." and symlinks while the guest itself renames and replaces what is walked: the walk must end
 * in the guest's root, whichever way it took. Symlinks lead to absolute paths that the host has and
 * the guest has not.
 *
 * without: resolve
 */
#include "testsuites/security/attack.h"

#define NUMBER_OPENAT2 437
#define IN_ROOT 16
#define BENEATH 8

static ino_t root_inode;
static char *directory; /* of the host */

static void *rename_around(void *unused ATTACK_UNUSED) {
  for (;;) {
    rename("/tmp/a/b", "/tmp/c/b");
    rename("/tmp/c/b", "/tmp/a/b");
    syscall(SYS_renameat2, AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/c", 2);
  }
  return NULL;
}

static void *swap_link(void *unused ATTACK_UNUSED) {
  for (;;) {
    unlink("/tmp/swapped");
    mkdir("/tmp/swapped", 0755);
    rmdir("/tmp/swapped");
    (void)!symlink(directory, "/tmp/swapped");
  }
  return NULL;
}

static void read_one(int fd, const char *what) {
  if (fd < 0)
    return;
  if (tells_secret(fd))
    broke("%s read a file of the host", what);
  close(fd);
}

static void top(const char *path) {
  struct stat st;

  if (stat(path, &st) == 0 && st.st_ino != root_inode)
    broke("%s is not the root", path);
}

static void walk_once(int deep) {
  struct {
    uint64_t flags, mode, resolve;
  } how = {.flags = O_RDONLY, .resolve = IN_ROOT};
  char up[256] = "/tmp/a/b/../../../../../../../..", secret[512];

  top("/tmp/a/b/../../../../../../..");
  top("/proc/self/root/../../..");
  top("/proc/self/cwd/../../../../..");
  snprintf(secret, sizeof secret, "%s%s/secret", up, directory);
  read_one(open(secret, O_RDONLY), "..");
  read_one(open("/tmp/swapped/secret", O_RDONLY), "a symlink");
  read_one(open("/tmp/link/secret", O_RDONLY), "a symlink to a directory");
  read_one(open("/tmp/direct", O_RDONLY), "a symlink to a file");
  read_one(open("/tmp/a/../direct", O_RDONLY), "a symlink behind ..");
  read_one(openat(deep, "../../../../../../secret", O_RDONLY), ".. from a descriptor");
  read_one((int)syscall(NUMBER_OPENAT2, deep, secret, &how, sizeof how), "openat2 in a root");
  how.resolve = BENEATH;
  read_one((int)syscall(NUMBER_OPENAT2, deep, "../../link/secret", &how, sizeof how),
           "openat2 beneath");
  snprintf(secret, sizeof secret, "/proc/self/root/../../..%s/secret", directory);
  read_one(open(secret, O_RDONLY), "/proc/self/root/..");
  read_one(open("/proc/self/cwd/../../../tmp/direct", O_RDONLY), "/proc/self/cwd/..");
}

static void attack(void) {
  struct stat st;
  int deep;

  directory = strdup(given("HOST_DIRECTORY"));
  if (stat("/", &st))
    broke("the test itself: no root");
  root_inode = st.st_ino;
  mkdir("/tmp/a", 0755), mkdir("/tmp/c", 0755), mkdir("/tmp/a/b", 0755), mkdir("/tmp/a/b/d", 0755);
  (void)!symlink(directory, "/tmp/link");
  (void)!symlink(given("SECRET"), "/tmp/direct");
  deep = open("/tmp/a/b/d", O_PATH | O_DIRECTORY);
  if (chdir("/tmp/a/b/d"))
    broke("the test itself: chdir");
  start_thread(rename_around, NULL);
  start_thread(swap_link, NULL);
  for (double until = seconds() + 2; seconds() < until && !attack_broken;)
    walk_once(deep);
}
