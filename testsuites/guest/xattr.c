/* Extended attributes of the user namespace. On a filesystem without any, every call answers
 * EOPNOTSUPP, natively and under denizen alike: then there is nothing to test. */
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/xattr.h>

static void need_attributes(void) {
  put_file("f", "text");
  if (setxattr("f", "user.probe", "", 0, 0) < 0 && errno == EOPNOTSUPP)
    skip("the filesystem has no user attributes");
  must(removexattr("f", "user.probe"));
}

/* The user attributes' names, in the order given: there are never two in these cases. */
static void show_names(const char *path) {
  char names[1024], *name;
  ssize_t size = listxattr(path, names, sizeof(names));

  say("%s:", path);
  for (name = names; name < names + size; name += strlen(name) + 1)
    if (strncmp(name, "user.", 5) == 0)
      say(" %s", name);
  say("\n");
}

CASE(an_attribute_is_set_read_listed_and_removed) {
  char value[64];

  need_attributes();
  ok(setxattr("f", "user.colour", "green", 5, 0));
  is(getxattr("f", "user.colour", value, sizeof(value)), 5);
  show_bytes("value", value, 5);
  show_names("f");
  ok(setxattr("f", "user.colour", "blue\0!", 6, 0));
  is(getxattr("f", "user.colour", value, sizeof(value)), 6);
  show_bytes("value", value, 6);
  ok(removexattr("f", "user.colour"));
  fails(getxattr("f", "user.colour", value, sizeof(value)), ENODATA);
  show_names("f");
}

CASE(a_missing_attribute_fails_with_ENODATA) {
  char value[64];

  need_attributes();
  fails(getxattr("f", "user.none", value, sizeof(value)), ENODATA);
  fails(removexattr("f", "user.none"), ENODATA);
  fails(getxattr("missing", "user.none", value, sizeof(value)), ENOENT);
  fails(setxattr("missing", "user.none", "", 0, 0), ENOENT);
}

CASE(a_small_buffer_fails_with_ERANGE_and_none_asks_for_the_size) {
  char value[64];

  need_attributes();
  must(setxattr("f", "user.colour", "green", 5, 0));
  fails(getxattr("f", "user.colour", value, 4), ERANGE);
  is(getxattr("f", "user.colour", NULL, 0), 5);
  is(getxattr("f", "user.colour", value, 5), 5);
  fails(listxattr("f", value, 3), ERANGE);
  check(listxattr("f", NULL, 0) >= 12);
}

CASE(XATTR_CREATE_and_XATTR_REPLACE) {
  need_attributes();
  fails(setxattr("f", "user.a", "1", 1, XATTR_REPLACE), ENODATA);
  ok(setxattr("f", "user.a", "1", 1, XATTR_CREATE));
  fails(setxattr("f", "user.a", "2", 1, XATTR_CREATE), EEXIST);
  ok(setxattr("f", "user.a", "3", 1, XATTR_REPLACE));
  fails(setxattr("f", "user.a", "4", 1, 4), EINVAL);
}

CASE(an_attribute_may_be_empty_or_large) {
  static char value[65537];

  need_attributes();
  ok(setxattr("f", "user.empty", "", 0, 0));
  is(getxattr("f", "user.empty", value, sizeof(value)), 0);
  memset(value, 'v', sizeof(value));
  ok(setxattr("f", "user.large", value, 2000, 0));
  is(getxattr("f", "user.large", value, sizeof(value)), 2000);
  fails(setxattr("f", "user.larger", value, 65537, 0), E2BIG);
}

CASE(attribute_names_have_rules) {
  char name[300] = "user.";

  need_attributes();
  fails(setxattr("f", "", "", 0, 0), ERANGE);
  fails(setxattr("f", "user.", "", 0, 0), EINVAL);
  fails(setxattr("f", "noprefix", "", 0, 0), EOPNOTSUPP);
  fails(setxattr("f", "strange.name", "", 0, 0), EOPNOTSUPP);
  memset(name + 5, 'n', 251);
  fails(setxattr("f", name, "", 0, 0), ERANGE);
  name[255] = 0;
  ok(setxattr("f", name, "", 0, 0));
  fails(setxattr("f", bad_path, "", 0, 0), EFAULT);
  fails(setxattr("f", "user.a", bad_pointer, 4, 0), EFAULT);
}

CASE(attributes_by_descriptor) {
  char value[64];
  int fd;

  need_attributes();
  fd = must(open("f", O_RDONLY));
  ok(fsetxattr(fd, "user.a", "1", 1, 0));
  is(fgetxattr(fd, "user.a", value, sizeof(value)), 1);
  check(flistxattr(fd, value, sizeof(value)) >= 7);
  ok(fremovexattr(fd, "user.a"));
  fails(fgetxattr(fd, "user.a", value, sizeof(value)), ENODATA);
  fails(fgetxattr(99, "user.a", value, sizeof(value)), EBADF);
}

CASE(attributes_through_a_symlink) {
  char value[64];

  need_attributes();
  must(symlink("f", "link"));
  ok(setxattr("link", "user.a", "1", 1, 0));
  is(getxattr("f", "user.a", value, sizeof(value)), 1);
  fails(lsetxattr("link", "user.b", "1", 1, 0), EPERM);
  fails(lgetxattr("link", "user.a", value, sizeof(value)), ENODATA);
  is(lgetxattr("f", "user.a", value, sizeof(value)), 1);
  ok(lremovexattr("f", "user.a"));
  show_names("f");
}

CASE(directories_have_user_attributes_and_fifos_do_not) {
  char value[64];

  need_attributes();
  must(mkdir("d", 0755));
  must(mkfifo("fifo", 0644));
  ok(setxattr("d", "user.a", "1", 1, 0));
  is(getxattr("d", "user.a", value, sizeof(value)), 1);
  fails(setxattr("fifo", "user.a", "1", 1, 0), EPERM);
}

CASE(attributes_follow_their_file) {
  char value[64];

  need_attributes();
  must(setxattr("f", "user.a", "1", 1, 0));
  must(rename("f", "g"));
  must(link("g", "h"));
  is(getxattr("h", "user.a", value, sizeof(value)), 1);
  must(unlink("g"));
  put_file("g", "");
  fails(getxattr("g", "user.a", value, sizeof(value)), ENODATA);
}

CASE(trusted_attributes_are_hidden_from_ordinary_users) {
  char value[64];

  need_attributes();
  need_ordinary_user();
  fails(setxattr("f", "trusted.a", "1", 1, 0), EPERM);
  fails(getxattr("f", "trusted.a", value, sizeof(value)), ENODATA);
  must(chmod("f", 0400));
  fails(setxattr("f", "user.a", "1", 1, 0), EACCES);
  must(chmod("f", 0200));
  fails(getxattr("f", "user.a", value, sizeof(value)), EACCES);
}

CASE(denizens_own_attributes_do_not_show) {
  char names[1024];

  need_attributes();
  must(mkdir("d", 0711));
  must(chmod("f", 04711));
  is(listxattr("f", names, sizeof(names)), 0);
  is(listxattr("d", names, sizeof(names)), 0);
}
