/* execve(2): every way to fail, and what is not looked at. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <elf.h>
#include <stddef.h>

static char *arguments[] = {"name", "@say_hello", NULL};
static char *environment[] = {NULL};

ROLE(say_hello) {
  say("hello from argv[0] %s\n", argv[0]);
  return 0;
}

static int try(const char *path) {
  return execve(path, arguments, environment);
}

CASE(exec_of_what_does_not_exist) {
  must(symlink("nowhere", "dangling"));
  put_file("f", "");
  fails(try("missing"), ENOENT);
  fails(try("missing/prog"), ENOENT);
  fails(try("dangling"), ENOENT);
  fails(try(""), ENOENT);
  fails(try("f/prog"), ENOTDIR);
}

CASE(exec_of_a_directory_or_fifo_fails_with_EACCES) {
  must(mkdir("d", 0755));
  must(mkfifo("fifo", 0777));
  fails(try("d"), EACCES);
  fails(try("."), EACCES);
  fails(try("/"), EACCES);
  fails(try("fifo"), EACCES);
  fails(try("/dev/null"), EACCES);
}

CASE(exec_needs_execute_permission) {
  copy_self("prog", 0644);
  fails(try("prog"), EACCES);
  must(chmod("prog", 0));
  fails(try("prog"), EACCES);
  must(symlink("prog", "link"));
  fails(try("link"), EACCES);
}

CASE(exec_needs_the_right_execute_bit) {
  need_ordinary_user();
  copy_self("prog", 0677);
  fails(try("prog"), EACCES);
  must(mkdir("d", 0755));
  must(rename("prog", "d/prog"));
  must(chmod("d/prog", 0755));
  must(chmod("d", 0600));
  fails(try("d/prog"), EACCES);
}

CASE(exec_of_a_program_that_cannot_be_read) {
  pid_t child;

  need_ordinary_user();
  copy_self("prog", 0111);
  fails(open("prog", O_RDONLY), EACCES);
  child = fork();
  if (child == 0) {
    try("prog");
    say("exec: %s\n", errno_name(errno));
    leave();
  }
  expect_exit(child, 0);
}

CASE(exec_of_nonsense_fails_with_ENOEXEC) {
  put_file("empty", "");
  put_file("text", "echo this is a shell script without a first line\n");
  put_file("zeros", "");
  must(truncate("zeros", 8192));
  must(chmod("empty", 0755));
  must(chmod("text", 0755));
  must(chmod("zeros", 0755));
  fails(try("empty"), ENOEXEC);
  fails(try("text"), ENOEXEC);
  fails(try("zeros"), ENOEXEC);
}

static void patch(const char *path, off_t offset, const void *bytes, size_t count) {
  int fd = must(open(path, O_WRONLY));

  must(pwrite(fd, bytes, count, offset) == (ssize_t)count ? 0 : -1);
  close(fd);
}

CASE(exec_of_damaged_ELF_files) {
  uint16_t machine = EM_SPARC, none = ET_NONE, size = 7;

  copy_self("machine", 0755);
  patch("machine", offsetof(Elf64_Ehdr, e_machine), &machine, 2);
  fails(try("machine"), ENOEXEC);
  copy_self("type", 0755);
  patch("type", offsetof(Elf64_Ehdr, e_type), &none, 2);
  fails(try("type"), ENOEXEC);
  copy_self("entries", 0755);
  patch("entries", offsetof(Elf64_Ehdr, e_phentsize), &size, 2);
  fails(try("entries"), ENOEXEC);
  copy_self("short", 0755);
  must(truncate("short", 40));
  fails(try("short"), ENOEXEC);
  copy_self("magic", 0755);
  patch("magic", 1, "elf", 3);
  fails(try("magic"), ENOEXEC);
}

CASE(exec_follows_symlinks_and_meets_loops) {
  char start[PATH_MAX];
  pid_t child;

  must(symlink("b", "a"));
  must(symlink("a", "b"));
  fails(try("a"), ELOOP);
  must(symlink(guest_self, "prog"));
  must(symlink("prog", "link"));
  must(getcwd(start, sizeof(start)) ? 0 : -1);
  child = fork();
  if (child == 0) {
    try("./link");
    leave();
  }
  expect_exit(child, 0);
}

CASE(exec_of_a_file_open_for_writing_fails_with_ETXTBSY) {
  pid_t child;
  int fd;

  copy_self("prog", 0755);
  fd = must(open("prog", O_WRONLY));
  fails(try("prog"), ETXTBSY);
  must(close(fd));
  fd = must(open("prog", O_RDWR | O_APPEND));
  fails(try("prog"), ETXTBSY);
  must(close(fd));
  fd = must(open("prog", O_RDONLY));
  child = fork();
  if (child == 0) {
    try("prog");
    leave();
  }
  expect_exit(child, 0);
}

ROLE(wait_for_input) {
  char byte;

  return read(0, &byte, 1) != 0;
}

CASE(a_running_program_cannot_be_written) {
  int ends[2];
  pid_t child;

  copy_self("prog", 0755);
  must(pipe(ends));
  child = fork();
  if (child == 0) {
    must(dup2(ends[0], 0));
    must(close(ends[1]));
    execl("./prog", "prog", "@wait_for_input", NULL);
    leave();
  }
  must(close(ends[0]));
  await_sleep(child);
  fails(open("prog", O_WRONLY), ETXTBSY);
  fails(open("prog", O_RDWR), ETXTBSY);
  fails(open("prog", O_RDONLY | O_TRUNC), ETXTBSY);
  fails(truncate("prog", 0), ETXTBSY);
  ok(open("prog", O_RDONLY));
  ok(chmod("prog", 0700));
  ok(unlink("prog"));
  must(close(ends[1]));
  expect_exit(child, 0);
}

CASE(exec_with_bad_pointers_fails_with_EFAULT) {
  char *bad_argument[] = {"name", bad_pointer, NULL};

  fails(syscall(SYS_execve, bad_pointer, arguments, environment), EFAULT);
  fails(syscall(SYS_execve, guest_self, bad_pointer, environment), EFAULT);
  fails(syscall(SYS_execve, guest_self, arguments, bad_pointer), EFAULT);
  fails(syscall(SYS_execve, guest_self, bad_argument, environment), EFAULT);
  fails(syscall(SYS_execve, guest_self, arguments, bad_argument), EFAULT);
}

CASE(exec_with_too_much_fails_with_E2BIG) {
  static char text[120000];
  static char *many[100];

  memset(text, 'x', sizeof(text) - 1);
  many[0] = "name";
  for (int i = 1; i < 90; i++)
    many[i] = text;
  fails(execve(guest_self, many, environment), E2BIG);
  fails(execve(guest_self, arguments, many), E2BIG);
}

CASE(exec_path_limits) {
  char path[5000];

  memset(path, 'n', sizeof(path));
  path[256] = 0;
  fails(try(path), ENAMETOOLONG);
  path[256] = 'n';
  path[4999] = 0;
  fails(try(path), ENAMETOOLONG);
}

CASE(the_interpreter_of_an_ELF_file_must_exist) {
  /* the last bytes of the name of a dynamic program's interpreter */
  Elf64_Ehdr header;
  Elf64_Phdr program;
  int fd, interpreter = 0;

  copy_self("prog", 0755);
  fd = must(open("prog", O_RDWR));
  must(pread(fd, &header, sizeof(header), 0));
  for (int i = 0; i < header.e_phnum; i++) {
    must(pread(fd, &program, sizeof(program), header.e_phoff + i * sizeof(program)));
    if (program.p_type == PT_INTERP) {
      must(pwrite(fd, "zz", 2, program.p_offset + program.p_filesz - 3));
      interpreter++;
    }
  }
  must(close(fd));
  if (!interpreter)
    skip("a static program has no interpreter");
  fails(try("prog"), ENOENT);
}

CASE(the_libraries_search_of_PATH) {
  pid_t child;

  must(mkdir("a", 0755));
  must(mkdir("b", 0755));
  put_file("a/prog", "not executable");
  copy_self("b/prog", 0755);
  must(setenv("PATH", "nowhere:a:b", 1));
  child = fork();
  if (child == 0) {
    execlp("prog", "name", "@say_hello", NULL);
    leave();
  }
  expect_exit(child, 0);
  must(setenv("PATH", "nowhere:a", 1));
  fails(execlp("prog", "name", NULL), EACCES);
  must(setenv("PATH", "nowhere", 1));
  fails(execlp("prog", "name", NULL), ENOENT);
}
