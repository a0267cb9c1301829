/*
 * enter ROOT UID COMMAND...: run a command natively in a root filesystem, as denizen's measure of
 * comparison: chroot with the host's /dev and /proc, in a mount namespace that ends with it. As
 * root it becomes the user UID; an ordinary user gets a user namespace and UID is not used.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static _Noreturn void die(const char *what) {
  fprintf(stderr, "enter: %s: %s\n", what, strerror(errno));
  exit(125);
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);

  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
    die(path);
  close(fd);
}

static void map_to_itself(const char *path, unsigned id) {
  char line[64];

  snprintf(line, sizeof line, "%u %u 1", id, id);
  put(path, line);
}

/* The same number inside, so that the user sees its own files as its own. */
static void own_namespaces(void) {
  unsigned uid = getuid(), gid = getgid();

  if (uid == 0) {
    if (unshare(CLONE_NEWNS) != 0)
      die("unshare");
    return;
  }
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
    die("unshare (are user namespaces allowed?)");
  put("/proc/self/setgroups", "deny");
  map_to_itself("/proc/self/uid_map", uid);
  map_to_itself("/proc/self/gid_map", gid);
}

int main(int argc, char **argv) {
  gid_t id;

  if (argc < 4) {
    fputs("usage: enter ROOT UID COMMAND...\n", stderr);
    return 125;
  }
  id = (gid_t)strtoul(argv[2], NULL, 10);
  own_namespaces();
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    die("mount --make-rprivate");
  if (chdir(argv[1]) != 0)
    die(argv[1]);
  if (mount("/dev", "dev", NULL, MS_BIND | MS_REC, NULL) != 0)
    die("mount /dev");
  if (mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) != 0)
    die("mount /proc");
  if (chroot(".") != 0 || chdir("/") != 0)
    die("chroot");
  if (getuid() == 0 &&
      (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0))
    die("setresuid");
  execvp(argv[3], argv + 3);
  die(argv[3]);
}
