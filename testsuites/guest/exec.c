/* execve(2): what is passed on, what is kept, and what is lost. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

extern char **environ;

/* Execute this program in a child, as a role. */
static void run_role(const char *role) {
  pid_t child = fork();

  if (child == 0) {
    execl(guest_self, guest_self, role, NULL);
    say("exec: %s\n", errno_name(errno));
    _exit(99);
  }
  expect_exit(child, 0);
}

ROLE(show_arguments) {
  for (int i = 0; i < argc; i++)
    show_bytes("argument", argv[i], strlen(argv[i]));
  for (char **entry = environ; *entry; entry++)
    show_bytes("environment", *entry, strlen(*entry));
  return 42;
}

CASE(exec_passes_arguments_and_environment) {
  char *arguments[] = {"zero", "@show_arguments", "", "two words", "\xff\n", NULL};
  char *environment[] = {"A=1", "B=", "no equal sign", "A=again", NULL};
  pid_t child = fork();

  if (child == 0) {
    execve(guest_self, arguments, environment);
    leave();
  }
  expect_exit(child, 42);
}

CASE(exec_with_an_empty_environment) {
  char *arguments[] = {"zero", "@show_arguments", NULL}, *nothing[] = {NULL};
  pid_t child = fork();

  if (child == 0) {
    execve(guest_self, arguments, nothing);
    leave();
  }
  expect_exit(child, 42);
  child = fork();
  if (child == 0) {
    syscall(SYS_execve, guest_self, arguments, NULL); /* Linux allows that */
    leave();
  }
  expect_exit(child, 42);
}

ROLE(count_arguments) {
  say("argc %d argv[0] \"%s\"\n", argc, argv[0]);
  check(argv[argc] == NULL);
  return 0;
}

CASE(exec_without_arguments_gives_one_empty) {
  char *nothing[] = {NULL}, *environment[] = {"GUEST_ROLE=count_arguments", NULL};
  pid_t child = fork();

  if (child == 0) {
    syscall(SYS_execve, guest_self, nothing, environment); /* since Linux 5.18 */
    leave();
  }
  expect_exit(child, 0);
  child = fork();
  if (child == 0) {
    syscall(SYS_execve, guest_self, NULL, environment);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(sum_arguments) {
  unsigned sum = 0, length = 0;

  for (int i = 2; i < argc; i++)
    for (char *at = argv[i]; *at; at++, length++)
      sum = sum * 31 + (unsigned char)*at;
  say("%d arguments, %u bytes, sum %u\n", argc - 2, length, sum);
  return 0;
}

CASE(exec_with_thousands_of_arguments) {
  static char text[5000][64], *arguments[5003];
  pid_t child;

  arguments[0] = "zero", arguments[1] = "@sum_arguments";
  for (int i = 0; i < 5000; i++) {
    snprintf(text[i], sizeof(text[i]), "argument number %d with some text after it", i);
    arguments[i + 2] = text[i];
  }
  child = fork();
  if (child == 0) {
    execve(guest_self, arguments, environ);
    leave();
  }
  expect_exit(child, 0);
}

CASE(one_argument_may_have_131071_bytes) {
  static char large[131073];
  char *arguments[] = {"zero", "@sum_arguments", large, NULL};
  pid_t child;

  memset(large, 'x', 131071);
  child = fork();
  if (child == 0) {
    execve(guest_self, arguments, environ);
    leave();
  }
  expect_exit(child, 0);
  large[131071] = 'x';
  fails(execve(guest_self, arguments, environ), E2BIG);
}

ROLE(show_descriptors) {
  for (int fd = 0; fd < 12; fd++)
    say("%s", fcntl(fd, F_GETFD) < 0 ? "-" : "x");
  say("\n");
  return 0;
}

CASE(exec_closes_what_is_close_on_exec_and_nothing_else) {
  must(open("/dev/null", O_RDONLY));
  must(open("/dev/null", O_RDONLY | O_CLOEXEC));
  must(dup(4));
  must(fcntl(3, F_DUPFD_CLOEXEC, 8));
  must(fcntl(3, F_DUPFD, 9));
  must(open(".", O_PATH));
  must(open(".", O_PATH | O_CLOEXEC));
  run_role("@show_descriptors");
  is(fcntl(4, F_GETFD), FD_CLOEXEC);
}

CASE(close_range_can_mark_close_on_exec) {
  must(open("/dev/null", O_RDONLY));
  must(dup2(3, 6));
  must(dup2(3, 7));
  must(dup2(3, 8));
  ok(raw_close_range(6, 7, 4)); /* CLOSE_RANGE_CLOEXEC */
  run_role("@show_descriptors");
  ok(raw_close_range(3, ~0U, 0));
  fails(fcntl(8, F_GETFD), EBADF);
}

ROLE(read_on) {
  char text[16];

  show_bytes("rest", text, read(3, text, sizeof(text)));
  return 0;
}

CASE(a_kept_descriptor_keeps_its_position) {
  char text[4];

  put_file("f", "0123456789");
  must(open("f", O_RDONLY));
  must(read(3, text, 4));
  must(unlink("f"));
  run_role("@read_on");
}

static void handler(int number) {
  (void)number;
}

ROLE(show_signals) {
  static const int numbers[] = {SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGTERM, SIGPIPE, SIGCHLD};
  struct sigaction action;
  sigset_t mask, pending;

  sigprocmask(SIG_BLOCK, NULL, &mask);
  sigpending(&pending);
  for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
    sigaction(numbers[i], NULL, &action);
    say("%s %s%s%s\n", signal_name(numbers[i]),
        action.sa_handler == SIG_DFL   ? "default"
        : action.sa_handler == SIG_IGN ? "ignored"
                                       : "handled",
        sigismember(&mask, numbers[i]) ? " blocked" : "",
        sigismember(&pending, numbers[i]) ? " pending" : "");
  }
  return 0;
}

CASE(exec_resets_handlers_and_keeps_ignored_blocked_and_pending_signals) {
  pid_t child = fork();

  if (child == 0) {
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGTERM, handler, 0);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_DFL);
    mask_signal(SIG_BLOCK, SIGUSR1);
    mask_signal(SIG_BLOCK, SIGUSR2);
    raise(SIGUSR2);
    execl(guest_self, guest_self, "@show_signals", NULL);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(show_process) {
  say("same pid %s, same parent %s\n", getpid() == atoi(argv[2]) ? "yes" : "no",
      getppid() == atoi(argv[3]) ? "yes" : "no");
  say("same group %s\n", getpgid(0) == atoi(argv[4]) ? "yes" : "no");
  return 0;
}

CASE(exec_keeps_the_process) {
  char pid[16], parent[16], group[16];
  pid_t child = fork();

  if (child == 0) {
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    snprintf(parent, sizeof(parent), "%d", (int)getppid());
    snprintf(group, sizeof(group), "%d", (int)getpgid(0));
    execl(guest_self, guest_self, "@show_process", pid, parent, group, NULL);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(show_kept) {
  struct rlimit limit;

  getrlimit(RLIMIT_NOFILE, &limit);
  say("nofile %d\n", (int)limit.rlim_cur);
  say("nice %d\n", getpriority(PRIO_PROCESS, 0));
  say("no_new_privs settable %d\n", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  say("alarm %s\n", alarm(0) > 0 ? "set" : "not set");
  return 0;
}

CASE(exec_keeps_limits_priority_and_alarm) {
  pid_t child = fork();

  if (child == 0) {
    struct rlimit limit;

    must(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 77;
    must(setrlimit(RLIMIT_NOFILE, &limit));
    must(setpriority(PRIO_PROCESS, 0, 3));
    alarm(100);
    execl(guest_self, guest_self, "@show_kept", NULL);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(show_comm) {
  char name[17] = "";

  prctl(PR_GET_NAME, name);
  say("comm %s\n", name);
  show_file("/proc/self/comm");
  return 0;
}

CASE(exec_names_the_process_after_the_file_and_not_after_argv0) {
  pid_t child;

  copy_self("a_name_longer_than_fifteen_bytes", 0755);
  must(symlink("a_name_longer_than_fifteen_bytes", "link"));
  must(mkdir("d", 0755));
  child = fork();
  if (child == 0) {
    must(prctl(PR_SET_NAME, "before"));
    execl("./a_name_longer_than_fifteen_bytes", "argv0", "@show_comm", NULL);
    leave();
  }
  expect_exit(child, 0);
  child = fork();
  if (child == 0) {
    execl("d/../link", "argv0", "@show_comm", NULL);
    leave();
  }
  expect_exit(child, 0);
}

CASE(a_failed_exec_leaves_the_caller_as_it_was) {
  int fd = must(open("/dev/null", O_RDONLY | O_CLOEXEC));
  struct sigaction action;
  char name[17] = "";

  put_file("not executable", "");
  put_file("nonsense", "this is no program");
  must(chmod("nonsense", 0755));
  on_signal(SIGUSR1, handler, 0);
  must(prctl(PR_SET_NAME, "unchanged"));
  fails(execl("missing", "x", NULL), ENOENT);
  fails(execl("not executable", "x", NULL), EACCES);
  fails(execl("nonsense", "x", NULL), ENOEXEC);
  is(fcntl(fd, F_GETFD), FD_CLOEXEC);
  must(sigaction(SIGUSR1, NULL, &action));
  check(action.sa_handler == handler);
  must(prctl(PR_GET_NAME, name));
  say("%s\n", name);
  check(getpid() == gettid());
}

static void *exec_in_thread(void *role) {
  execl(guest_self, guest_self, (char *)role, NULL);
  return NULL;
}

ROLE(show_single) {
  char threads[8192], *line;

  get_file("/proc/self/status", threads, sizeof(threads));
  line = strstr(threads, "Threads:");
  say("%.10s\n", line);
  say("pid is tid: %s\n", getpid() == gettid() ? "yes" : "no");
  say("same pid: %s\n", getpid() == atoi(getenv("PID_BEFORE")) ? "yes" : "no");
  return 0;
}

static void *wait_for_ever(void *unused) {
  for (;;)
    pause();
  return unused;
}

CASE(exec_from_a_thread_replaces_the_whole_process) {
  pthread_t thread;
  char pid[16];
  pid_t child = fork();

  if (child == 0) {
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("PID_BEFORE", pid, 1);
    for (int i = 0; i < 5; i++)
      must(-pthread_create(&thread, NULL, wait_for_ever, NULL));
    must(-pthread_create(&thread, NULL, exec_in_thread, "@show_single"));
    pause();
    leave();
  }
  expect_exit(child, 0);
}

static void *fail_in_thread(void *unused) {
  fails(execl("missing", "x", NULL), ENOENT);
  return unused;
}

CASE(a_failed_exec_in_a_thread_leaves_the_other_threads) {
  pthread_t thread;
  int value = 1;

  must(-pthread_create(&thread, NULL, fail_in_thread, &value));
  must(-pthread_join(thread, NULL));
  is(value, 1);
}

CASE(a_vforked_child_executes_and_the_parent_goes_on) {
  volatile int before = 1;
  pid_t child = vfork();

  if (child == 0) {
    before = 2;
    execl(guest_self, "name", "@count_arguments", NULL);
    _exit(99);
  }
  expect_exit(child, 0);
  is(before, 2);
}

CASE(a_vforked_child_whose_exec_fails_says_why) {
  volatile int error = 0;
  pid_t child = vfork();

  if (child == 0) {
    execl("missing", "missing", NULL);
    error = errno;
    _exit(127);
  }
  expect_exit(child, 127);
  is(error, ENOENT);
}

ROLE(descend) {
  int depth = atoi(argv[2]);
  char next[16];

  if (depth == 0) {
    say("at the bottom\n");
    return 17;
  }
  snprintf(next, sizeof(next), "%d", depth - 1);
  execl("/proc/self/exe", argv[0], "@descend", next, NULL);
  return 99;
}

CASE(a_program_may_execute_itself_many_times) {
  pid_t child = fork();

  if (child == 0) {
    execl(guest_self, guest_self, "@descend", "30", NULL);
    leave();
  }
  expect_exit(child, 17);
}

CASE(many_children_execute_at_once) {
  pid_t children[16];
  int fine = 0, null = must(open("/dev/null", O_WRONLY));

  for (int i = 0; i < 16; i++) {
    children[i] = fork();
    if (children[i] == 0) {
      dup2(null, 1);
      execl(guest_self, guest_self, "@show_arguments", NULL);
      _exit(99);
    }
  }
  for (int i = 0; i < 16; i++)
    fine += WEXITSTATUS(guest_reap(children[i])) == 42;
  is(fine, 16);
}

CASE(the_program_may_be_removed_or_replaced_while_it_runs) {
  int ends[2];
  pid_t child;

  must(pipe(ends));
  copy_self("prog", 0755);
  child = fork();
  if (child == 0) {
    must(dup2(ends[0], 0));
    must(close(ends[1]));
    execl("./prog", "prog", "@wait_then_say", NULL);
    leave();
  }
  must(close(ends[0]));
  await_sleep(child);
  ok(unlink("prog"));
  put_file("prog", "another");
  tell(ends[1]);
  expect_exit(child, 0);
  show_file("prog");
}

ROLE(wait_then_say) {
  hear(0);
  say("still here\n");
  return 0;
}
