/* mmap(2) and its relatives: files, sharing, protection. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

static char *map(size_t size, int protection, int flags, int fd) {
  char *address = mmap(NULL, size, protection, flags, fd, 0);

  if (address == MAP_FAILED)
    say("mmap = %s\n", errno_name(errno));
  return address;
}

CASE(a_file_can_be_mapped_and_read) {
  char *text;
  int fd;

  put_file("f", "mapped text");
  fd = must(open("f", O_RDONLY));
  text = map(4096, PROT_READ, MAP_PRIVATE, fd);
  must(close(fd));
  must(unlink("f"));
  show_bytes("mapped", text, 13); /* zeros follow the end */
}

CASE(a_shared_mapping_changes_the_file) {
  char *text;
  int fd;

  put_file("f", "0123456789");
  fd = must(open("f", O_RDWR));
  text = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  text[3] = 'X';
  ok(msync(text, 4096, MS_SYNC));
  show_file("f");
  is(pwrite(fd, "Y", 1, 5), 1);
  show_bytes("mapped", text, 10);
  ok(munmap(text, 4096));
}

CASE(a_private_mapping_does_not_change_the_file) {
  char *text;
  int fd;

  put_file("f", "0123456789");
  fd = must(open("f", O_RDONLY));
  text = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
  text[3] = 'X';
  show_bytes("mapped", text, 10);
  show_file("f");
}

CASE(mapping_needs_the_right_access_mode) {
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDONLY));
  check(map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd) == MAP_FAILED && errno == EACCES);
  fd = must(open("f", O_WRONLY));
  check(map(4096, PROT_READ, MAP_SHARED, fd) == MAP_FAILED && errno == EACCES);
  fd = must(open(".", O_RDONLY));
  check(map(4096, PROT_READ, MAP_SHARED, fd) == MAP_FAILED && errno == ENODEV);
  check(map(4096, PROT_READ, MAP_SHARED, 99) == MAP_FAILED && errno == EBADF);
  check(map(0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1) == MAP_FAILED && errno == EINVAL);
}

CASE(an_empty_file_can_be_mapped_and_not_touched) {
  pid_t child;
  char *text;
  int fd;

  put_file("f", "");
  fd = must(open("f", O_RDWR));
  text = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  child = fork();
  if (child == 0) {
    text[0] = 1;
    leave();
  }
  expect_signal(child, SIGBUS);
  must(ftruncate(fd, 100));
  text[0] = 'x';
  is(text[0], 'x');
}

CASE(memory_is_shared_with_children_or_not) {
  int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pid_t child = fork();

  if (child == 0) {
    *shared = 11;
    *private = 22;
    leave();
  }
  expect_exit(child, 0);
  is(*shared, 11);
  is(*private, 0);
}

CASE(two_processes_share_a_mapped_file) {
  pid_t child;
  char *text;
  int fd;

  put_file("f", "0123456789");
  fd = must(open("f", O_RDWR));
  text = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  child = fork();
  if (child == 0) {
    int again = must(open("f", O_RDWR));
    char *other = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, again);

    other[0] = 'C';
    leave();
  }
  expect_exit(child, 0);
  show_bytes("mapped", text, 10);
}

CASE(mprotect_forbids_and_allows) {
  char *page = map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  pid_t child;

  page[0] = 'x';
  ok(mprotect(page, 4096, PROT_READ));
  is(page[0], 'x');
  child = fork();
  if (child == 0) {
    page[0] = 'y';
    leave();
  }
  expect_signal(child, SIGSEGV);
  ok(mprotect(page, 4096, PROT_READ | PROT_WRITE));
  page[0] = 'z';
  fails(syscall(SYS_mprotect, page + 1, 4096, PROT_READ), EINVAL); /* musl would round it */
  ok(munmap(page, 8192));
  fails(mprotect(page, 4096, PROT_READ), ENOMEM);
}

CASE(code_can_be_made_and_run) {
  static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; /* mov $42,%eax; ret */
  char *page = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  int (*function)(void);

  memcpy(page, code, sizeof(code));
  ok(mprotect(page, 4096, PROT_READ | PROT_EXEC));
  memcpy(&function, &page, sizeof(page));
  is(function(), 42);
}

CASE(code_can_be_mapped_from_a_file) {
  static const char code[] = {(char)0xb8, 0x2a, 0, 0, 0, (char)0xc3};
  int (*function)(void), fd = must(open("code", O_RDWR | O_CREAT, 0644));
  char *page;

  must(write(fd, code, sizeof(code)));
  page = map(4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
  memcpy(&function, &page, sizeof(page));
  is(function(), 42);
}

CASE(mremap_grows_and_keeps_the_content) {
  char *page = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), *grown;

  strcpy(page, "content");
  grown = mremap(page, 4096, 1 << 20, MREMAP_MAYMOVE);
  check(grown != MAP_FAILED && strcmp(grown, "content") == 0 && grown[(1 << 20) - 1] == 0);
  ok(munmap(grown, 1 << 20));
}

CASE(MAP_FIXED_replaces_and_NOREPLACE_does_not) {
  char *page = map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), *other;

  strcpy(page, "old");
  other = mmap(page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  check(other == page && page[0] == 0);
  other = mmap(page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0);
  check(other == MAP_FAILED && errno == EEXIST);
}

CASE(memfd_is_a_file_without_a_name) {
  struct stat st;
  char *text;
  int fd = ok(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING));

  is(fcntl(fd, F_GETFD), FD_CLOEXEC);
  is(write(fd, "text", 4), 4);
  must(fstat(fd, &st));
  is(st.st_size, 4);
  is(st.st_nlink, 0);
  text = map(4096, PROT_READ, MAP_SHARED, fd);
  show_bytes("mapped", text, 4);
  ok(munmap(text, 4096));
  ok(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE));
  fails(write(fd, "x", 1), EPERM);
  fails(ftruncate(fd, 1), EPERM);
  is(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_WRITE);
}

CASE(madvise_and_mincore) {
  unsigned char present[2] = {0};
  char *page = map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

  page[0] = 'x';
  ok(mincore(page, 8192, present));
  is(present[0] & 1, 1);
  is(present[1] & 1, 0);
  ok(madvise(page, 8192, MADV_DONTNEED));
  is(page[0], 0);
  fails(madvise(page, 8192, 9999), EINVAL);
}

CASE(shm_open_makes_shared_objects) {
  char name[64], *text, *again;
  int fd;

  snprintf(name, sizeof(name), "/guest-test-%d", (int)getpid());
  fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  check(fd >= 0);
  must(ftruncate(fd, 4096));
  text = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  fd = shm_open(name, O_RDONLY, 0);
  check(fd >= 0);
  again = map(4096, PROT_READ, MAP_SHARED, fd);
  strcpy(text, "shared");
  say("%s\n", again);
  check(shm_unlink(name) == 0);
  check(shm_open(name, O_RDONLY, 0) == -1 && errno == ENOENT);
}
