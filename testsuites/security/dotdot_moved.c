/*
 * Somebody outside moves a directory in which the guest stands out of the root and back, all the
 * time. Its ".." is then a directory of the host.
 *
 * beside: move $root/home/walked/inner $beyond/inner
 * without: beneath
 */
#include "testsuites/security/attack.h"

static void look(int directory, const char *path) {
  int fd = openat(directory, path, O_RDONLY);

  if (fd < 0)
    return;
  if (tells_secret(fd))
    broke("%s from a moved directory read a file of the host", path);
  close(fd);
}

static void attack(void) {
  int inner = -1, deep = -1, tries = 0;

  for (double until = seconds() + 2; seconds() < until && !attack_broken; tries++) {
    if (inner < 0)
      inner = open("/home/walked/inner", O_PATH | O_DIRECTORY);
    if (deep < 0)
      deep = open("/home/walked/inner/deep", O_PATH | O_DIRECTORY);
    look(inner, "../secret");
    look(deep, "../../secret");
    look(AT_FDCWD, "/home/walked/inner/../secret");
    look(AT_FDCWD, "/home/walked/inner/deep/../../secret");
    look(AT_FDCWD, "/home/walked/inner/deep/../../../secret");
    if (tries % 64 == 0 && fchdir(deep) == 0)
      look(AT_FDCWD, "../../secret");
  }
  got("%d rounds", tries);
}
