/* Reading directories: getdents64(2) and the library above it. */
#include "testsuites/guest/files.h"

struct raw_entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

CASE(an_empty_directory_has_dot_and_dot_dot) {
  struct dirent **entries;

  must(mkdir("d", 0755));
  is(scandir("d", &entries, NULL, alphasort), 2);
  say("%s %s\n", entries[0]->d_name, entries[1]->d_name);
}

CASE(every_entry_of_a_large_directory_is_given_once) {
  static unsigned char seen[1000];
  struct dirent *entry;
  char name[64];
  int others = 0, twice = 0, missing = 0;
  DIR *dir;

  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof(name), "an_entry_with_a_longer_name_%d", i);
    must(close(must(open(name, O_CREAT | O_WRONLY, 0644))));
  }
  dir = opendir(".");
  while ((entry = readdir(dir))) {
    int number = -1;

    sscanf(entry->d_name, "an_entry_with_a_longer_name_%d", &number);
    if (number < 0)
      others++;
    else if (seen[number]++)
      twice++;
  }
  for (int i = 0; i < 1000; i++)
    missing += !seen[i];
  is(others, 2);
  is(twice, 0);
  is(missing, 0);
}

CASE(d_type_tells_the_type) {
  static const struct guest_name types[] = {{DT_REG, "file"},    {DT_DIR, "directory"},
                                            {DT_LNK, "symlink"}, {DT_FIFO, "fifo"},
                                            {DT_SOCK, "socket"}, {DT_UNKNOWN, "unknown"}};
  struct dirent **entries;
  int count;

  put_file("f", "");
  must(mkdir("d", 0755));
  must(symlink("d", "link"));
  must(mkfifo("fifo", 0600));
  must(mknod("socket", S_IFSOCK | 0600, 0));
  count = scandir(".", &entries, NULL, alphasort);
  for (int i = 0; i < count; i++)
    say("%s %s\n", entries[i]->d_name, guest_find(types, 6, entries[i]->d_type));
}

CASE(d_ino_is_the_inode_number) {
  struct dirent **entries;
  struct stat st;
  int count;

  put_file("f", "");
  must(mkdir("d", 0755));
  must(symlink("f", "link"));
  count = scandir(".", &entries, NULL, alphasort);
  is(count, 5);
  for (int i = 0; i < count; i++) {
    must(lstat(entries[i]->d_name, &st));
    check(st.st_ino == entries[i]->d_ino);
  }
}

CASE(telldir_and_seekdir_come_back_to_the_same_entry) {
  char name[32], wanted[256];
  long place;
  DIR *dir;

  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof(name), "f%d", i);
    put_file(name, "");
  }
  dir = opendir(".");
  for (int i = 0; i < 77; i++)
    readdir(dir);
  place = telldir(dir);
  strcpy(wanted, readdir(dir)->d_name);
  while (readdir(dir))
    ;
  seekdir(dir, place);
  check(strcmp(readdir(dir)->d_name, wanted) == 0);
  rewinddir(dir);
  for (int i = 0; i < 77; i++)
    readdir(dir);
  check(strcmp(readdir(dir)->d_name, wanted) == 0);
}

CASE(rewinddir_shows_what_was_made_meanwhile) {
  int before = 0, after = 0;
  DIR *dir = opendir(".");

  while (readdir(dir))
    before++;
  put_file("new", "");
  rewinddir(dir);
  while (readdir(dir))
    after++;
  is(before, 2);
  is(after, 3);
}

CASE(getdents64_fills_a_small_buffer_step_by_step) {
  char buffer[64];
  struct raw_entry *entry = (struct raw_entry *)buffer;
  int count = 0, fd;
  long size;

  put_file("a", "");
  put_file("b", "");
  fd = must(open(".", O_RDONLY | O_DIRECTORY));
  while ((size = syscall(SYS_getdents64, fd, buffer, 32)) > 0) {
    check(size == entry->length);
    count++;
  }
  is(size, 0);
  is(count, 4);
  is(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)), 0);
  must(lseek(fd, 0, SEEK_SET));
  fails(syscall(SYS_getdents64, fd, buffer, 8), EINVAL);
  check(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)) > 0);
}

CASE(getdents64_errors) {
  char buffer[1024];
  int fd;

  put_file("f", "");
  fd = must(open("f", O_RDONLY));
  fails(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)), ENOTDIR);
  fails(syscall(SYS_getdents64, 99, buffer, sizeof(buffer)), EBADF);
  must(mkdir("d", 0755));
  fd = must(open("d", O_RDONLY));
  must(rmdir("d"));
  fails(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)), ENOENT);
}

CASE(opendir_errors) {
  put_file("f", "");
  check(opendir("f") == NULL && errno == ENOTDIR);
  check(opendir("missing") == NULL && errno == ENOENT);
  check(opendir("") == NULL && errno == ENOENT);
  check(fdopendir(99) == NULL && errno == EBADF);
  show_directory("f");
  show_directory("missing");
}

CASE(entries_can_be_removed_while_they_are_read) {
  struct dirent *entry;
  char name[32];
  int removed = 0;
  DIR *dir;

  must(mkdir("d", 0755));
  must(chdir("d"));
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof(name), "f%d", i);
    put_file(name, "");
  }
  dir = opendir(".");
  while ((entry = readdir(dir)))
    if (entry->d_name[0] == 'f')
      removed += unlink(entry->d_name) == 0;
  is(removed, 300);
  must(chdir(".."));
  ok(rmdir("d"));
}

CASE(a_copy_of_a_directory_descriptor_shares_the_position) {
  char buffer[4096];
  int fd, copy, other;

  put_file("f", "");
  fd = must(open(".", O_RDONLY));
  copy = must(dup(fd));
  other = must(open(".", O_RDONLY));
  check(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)) > 0);
  is(syscall(SYS_getdents64, copy, buffer, sizeof(buffer)), 0);
  check(syscall(SYS_getdents64, other, buffer, sizeof(buffer)) > 0);
}

CASE(the_root_lists_what_is_mounted_in_it) {
  struct dirent *entry;
  DIR *dir = opendir("/");
  int found = 0;

  while ((entry = readdir(dir)))
    if (strcmp(entry->d_name, "proc") == 0 || strcmp(entry->d_name, "dev") == 0 ||
        strcmp(entry->d_name, "tmp") == 0 || strcmp(entry->d_name, "bin") == 0)
      found++;
  is(found, 4);
}
