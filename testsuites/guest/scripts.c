/* Scripts: the first line of execve(2). This program is the interpreter. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

/* Arguments; the interpreter's own path is not printed. */
ROLE(show_call) {
  for (int i = 0; i < argc; i++)
    if (argv[i][0] == '/' && same_path(argv[i], "/proc/self/exe"))
      say("%d: the interpreter\n", i);
    else
      show_bytes("argument", argv[i], strlen(argv[i]));
  return 0;
}

static void put_script(const char *path, const char *format, const char *first) {
  char text[8192];

  snprintf(text, sizeof(text), format, first);
  put_file(path, text);
  must(chmod(path, 0755));
}

#define run(...) run_script((char *[]){__VA_ARGS__, NULL})
static void run_script(char **arguments) {
  pid_t child;

  child = fork();
  if (child == 0) {
    execv(arguments[0], arguments);
    say("exec: %s\n", errno_name(errno));
    _exit(99);
  }
  show_wait_status("script", guest_reap(child));
}

CASE(a_script_gets_its_path_and_the_other_arguments) {
  put_script("script", "#!%s @show_call\nignored\n", guest_self);
  run("./script", "one", "two words", "");
  run("./script");
}

CASE(argv0_of_a_script_is_lost) {
  pid_t child;

  put_script("script", "#!%s @show_call\n", guest_self);
  child = fork();
  if (child == 0) {
    execl("./script", "another name", "one", NULL);
    leave();
  }
  expect_exit(child, 0);
}

CASE(a_script_has_one_argument_at_most) {
  put_script("script", "#!%s @show_call  with several\t words \n", guest_self);
  setenv("GUEST_ROLE", "show_call", 1);
  run("./script", "one");
}

CASE(a_script_without_an_argument) {
  put_script("script", "#!%s\n", guest_self);
  put_script("blanks", "#! \t %s \t \n", guest_self);
  setenv("GUEST_ROLE", "show_call", 1);
  run("./script", "one");
  run("./blanks", "one");
}

CASE(a_script_without_a_newline_at_the_end) {
  put_script("script", "#!%s @show_call", guest_self);
  run("./script", "one");
}

CASE(a_script_with_a_missing_interpreter_fails_with_ENOENT) {
  put_script("script", "#!/nowhere/at/all%s\n", "");
  fails(execl("./script", "script", NULL), ENOENT);
  put_script("script", "#!%s\n", "");
  fails(execl("./script", "script", NULL), ENOEXEC);
  put_script("script", "#! \t%s\n", "");
  fails(execl("./script", "script", NULL), ENOEXEC);
  put_script("script", "#%s", "");
  fails(execl("./script", "script", NULL), ENOEXEC);
}

CASE(a_script_with_an_unsuitable_interpreter) {
  put_script("script", "#!%s\n", "/tmp");
  fails(execl("./script", "script", NULL), EACCES);
  put_script("script", "#!%s\n", "/etc/passwd");
  fails(execl("./script", "script", NULL), EACCES);
  put_file("f", "");
  put_script("script", "#!f/%s\n", "x");
  fails(execl("./script", "script", NULL), ENOTDIR);
  put_script("nonsense", "no program%s", "");
  put_script("script", "#!./%s\n", "nonsense");
  fails(execl("./script", "script", NULL), ENOEXEC);
}

CASE(scripts_may_be_nested_a_few_times) {
  char name[16], first[32];

  put_script("s0", "#!%s @show_call\n", guest_self);
  for (int i = 1; i <= 7; i++) {
    snprintf(name, sizeof(name), "s%d", i);
    snprintf(first, sizeof(first), "./s%d arg%d", i - 1, i);
    put_script(name, "#!%s\n", first);
  }
  run("./s1", "one");
  run("./s3", "one");
  run("./s4", "one");
  run("./s5", "one");
  run("./s7", "one");
}

CASE(a_script_that_is_its_own_interpreter_fails_with_ELOOP) {
  put_script("script", "#!./%s\n", "script");
  fails(execl("./script", "script", NULL), ELOOP);
}

CASE(a_relative_interpreter_starts_at_the_working_directory) {
  must(symlink(guest_self, "interpreter"));
  must(mkdir("d", 0755));
  put_script("d/script", "#!%s @show_call\n", "interpreter");
  run("d/script", "one");
  must(chdir("d"));
  fails(execl("./script", "script", NULL), ENOENT);
}

CASE(a_first_line_longer_than_the_kernels_buffer) {
  char first[600];

  /* 255 bytes are looked at: a longer argument is cut, a longer interpreter refused. */
  must(symlink(guest_self, "link"));
  strcpy(first, "./link @show_call");
  memset(first + strlen(first), 'a', 500 - strlen(first));
  first[500] = 0;
  put_script("argument", "#!%s\n", first);
  setenv("GUEST_ROLE", "show_call", 1);
  run("./argument", "one");
  memset(first, 'b', 500);
  first[0] = '/';
  put_script("interpreter", "#!%s\n", first);
  fails(execl("./interpreter", "x", NULL), ENOEXEC);
}

CASE(a_script_needs_only_execute_permission_of_the_superuser_and_reading_of_others) {
  put_script("script", "#!%s @show_call\n", guest_self);
  must(chmod("script", 0644));
  fails(execl("./script", "script", NULL), EACCES);
}

CASE(a_script_has_the_name_of_the_script) {
  put_script("a_script", "#!%s @show_name\n", guest_self);
  run("./a_script");
}

ROLE(show_name) {
  show_file("/proc/self/comm");
  return 0;
}

CASE(a_script_with_carriage_returns_does_not_find_its_interpreter) {
  put_script("script", "#!%s\r\n", guest_self);
  fails(execl("./script", "script", NULL), ENOENT);
}

CASE(the_shell_runs_scripts_and_text) {
  put_script("script", "#!/bin/sh%s\necho \"$# $1 $2\"\nexit 3\n", "");
  run("./script", "one", "two words");
  put_script("text", "echo shell text \"$1\"%s\n", "");
  pid_t child = fork();
  if (child == 0) {
    execlp("./text", "text", "one", NULL); /* the library goes to /bin/sh at ENOEXEC */
    say("exec: %s\n", errno_name(errno));
    leave();
  }
  show_wait_status("text", guest_reap(child));
  is(system("exit 5"), 5 << 8);
}
