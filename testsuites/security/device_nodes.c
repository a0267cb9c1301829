/*
 * A device node in the root filesystem, made by the host's root, must not open: nor may one be
 * made.
 *
 * users: root
 * without: devices
 */
#include "testsuites/security/attack.h"

static void attack(void) {
  struct stat st;

  if (stat("/home/null", &st) || !S_ISCHR(st.st_mode))
    skip("this user cannot make device nodes to be opened");
  must_fail("open of a character device", open("/home/null", O_RDONLY));
  must_fail("open of it for writing", open("/home/null", O_WRONLY));
  must_fail("open of it to create", open("/home/null", O_RDWR | O_CREAT, 0644));
  must_fail("open of a block device", open("/home/loop", O_RDONLY));
  must_fail("mknod of a character device", mknod("/tmp/c", S_IFCHR | 0666, 0x103));
  must_fail("mknod of a block device", mknod("/tmp/b", S_IFBLK | 0666, 0x700));
}
