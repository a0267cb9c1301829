/* Every way to change a file or directory, none of which may succeed. */
#ifndef CHANGE_H
#define CHANGE_H

#include "testsuites/security/attack.h"

#include <sys/ioctl.h>
#include <sys/time.h>

#define REQUEST_SETFLAGS 0x40086602   /* FS_IOC_SETFLAGS, linux/fs.h */
#define REQUEST_FSSETXATTR 0x401c5820 /* FS_IOC_FSSETXATTR */
#define NUMBER_FCHMODAT2 452
#define NUMBER_SETXATTRAT 463
#define NUMBER_FILE_SETATTR 469

/* Through a descriptor that is not open for writing. */
ATTACK_UNUSED static void change_fd(const char *what, int fd) {
  struct timespec times[2] = {{1, 0}, {1, 0}};
  long flags = 0x40; /* FS_NODUMP_FL */
  char attributes[28] = {0x80};

  got("%s, by descriptor", what);
  must_fail("fchmod", fchmod(fd, 0777));
  must_fail("fchmod set-uid", fchmod(fd, 04777));
  must_fail("fchown", fchown(fd, getuid(), getgid()));
  must_fail("futimens", futimens(fd, times));
  must_fail("futimesat", syscall(SYS_futimesat, fd, NULL, NULL));
  must_fail("fsetxattr", syscall(SYS_fsetxattr, fd, "user.attack", "x", 1, 0));
  must_fail("fremovexattr", syscall(SYS_fremovexattr, fd, "user.kept"));
  must_fail("FS_IOC_SETFLAGS", ioctl(fd, REQUEST_SETFLAGS, &flags));
  must_fail("FS_IOC_FSSETXATTR", ioctl(fd, REQUEST_FSSETXATTR, attributes));
  must_fail("F_SETLEASE", fcntl(fd, 1024, F_RDLCK));
  must_fail("ftruncate", ftruncate(fd, 0));
  must_fail("fallocate", syscall(SYS_fallocate, fd, 0, 0, 4096));
  must_fail("write", write(fd, "x", 1));
  must_fail("mmap for writing",
            (long)mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == -1 ? -1 : 0);
}

/* Through an O_PATH descriptor. */
ATTACK_UNUSED static void change_empty(int fd) {
  struct timespec times[2] = {{1, 0}, {1, 0}};

  got("by AT_EMPTY_PATH");
  must_fail("fchmodat2", syscall(NUMBER_FCHMODAT2, fd, "", 0777, AT_EMPTY_PATH));
  must_fail("fchownat", syscall(SYS_fchownat, fd, "", getuid(), getgid(), AT_EMPTY_PATH));
  must_fail("utimensat", syscall(SYS_utimensat, fd, "", times, AT_EMPTY_PATH));
  must_fail("setxattrat", syscall(NUMBER_SETXATTRAT, fd, "", AT_EMPTY_PATH, "user.attack",
                                  (uint64_t[]){(uintptr_t) "x", 1}, 16));
  must_fail("linkat", linkat(fd, "", AT_FDCWD, "/tmp/linked", AT_EMPTY_PATH));
}

ATTACK_UNUSED static void change_path(const char *path) {
  struct timespec times[2] = {{1, 0}, {1, 0}};
  char attributes[64] = {0x40};

  got("%s", path);
  must_fail("open for writing", open(path, O_WRONLY));
  must_fail("open for both", open(path, O_RDWR));
  must_fail("open to append", open(path, O_WRONLY | O_APPEND));
  must_fail("open to truncate", open(path, O_RDONLY | O_TRUNC));
  must_fail("open to create", open(path, O_RDWR | O_CREAT, 0644));
  must_fail("chmod", chmod(path, 0777));
  must_fail("chown", chown(path, getuid(), getgid()));
  must_fail("truncate", truncate(path, 0));
  must_fail("utimensat", utimensat(AT_FDCWD, path, times, 0));
  must_fail("utimes", syscall(SYS_utimes, path, NULL));
  must_fail("setxattr", syscall(SYS_setxattr, path, "user.attack", "x", 1, 0));
  must_fail("removexattr", syscall(SYS_removexattr, path, "user.kept"));
  must_fail("file_setattr", syscall(NUMBER_FILE_SETATTR, AT_FDCWD, path, attributes, 32, 0));
  must_fail("link", linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/linked", AT_SYMLINK_FOLLOW));
}

/* A directory with an entry "file". */
ATTACK_UNUSED static void change_directory(const char *path) {
  char file[256], made[256];

  snprintf(file, sizeof file, "%s/file", path);
  snprintf(made, sizeof made, "%s/made", path);
  got("in %s", path);
  must_fail("creat", open(made, O_CREAT | O_EXCL | O_WRONLY, 0644));
  must_fail("O_TMPFILE", open(path, O_TMPFILE | O_RDWR, 0644));
  must_fail("mkdir", mkdir(made, 0755));
  must_fail("mkfifo", mkfifo(made, 0644));
  must_fail("symlink", symlink("x", made));
  must_fail("unlink", unlink(file));
  must_fail("rename out", rename(file, "/tmp/moved"));
  must_fail("rename within", rename(file, made));
  must_fail("link into", link("/etc/hostname", made));
  must_fail("link within", link(file, made));
}

#endif
