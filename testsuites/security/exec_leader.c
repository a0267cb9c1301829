/*
 * exec in one thread takes over the number of its process's first thread. While it runs, the first
 * thread makes calls for which the supervisor attaches to that number: the exec event, which is
 * where the file is verified, then arrives where another stop is waited for. A third thread
 * overwrites the name, with that of another program that this silo has executed (Landlock does not
 * mind that one).
 *
 * limit: 60
 * without: exec_verify,exec_name,exec_errno
 */
#include "testsuites/security/scratch.h"

#define ROUNDS 1000

static char target[32];

static void *overwrite(void *unused ATTACK_UNUSED) {
  scratch_overwrite(target);
  return NULL;
}

static void *execute(void *unused ATTACK_UNUSED) {
  char *arguments[] = {"chosen", NULL}, *environment[] = {NULL};

  execve("/bin/chosen", arguments, environment);
  _exit(3);
}

static int run(const char *path) {
  char *arguments[] = {"x", NULL}, *environment[] = {NULL};
  pid_t child = fork();
  int status;

  if (child == 0) {
    int null = open("/dev/null", O_WRONLY);

    dup2(null, STDOUT_FILENO);
    execve(path, arguments, environment);
    _exit(3);
  }
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int one_round(void) {
  pid_t child = fork();
  int status;

  if (child == 0) {
    signal(SIGTRAP, SIG_IGN); /* kept by exec */
    start_thread(overwrite, NULL);
    start_thread(execute, NULL);
    for (pid_t self = getpid();;)
      kill(self, SIGURG);
  }
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

static void attack(void) {
  int chosen = 0, killed = 0;

  scratch_find();
  if (run("/bin/host-program") != 99 || run("/bin/chosen") != 42)
    broke("the test itself: its programs do not run");
  /* programs are numbered in the order of their first execution: this one is 1 */
  snprintf(target, sizeof target, "n/2/host-program");
  for (int i = 0; i < ROUNDS && !attack_broken; i++) {
    int code = one_round();

    chosen += code == 42;
    killed += code == -1;
    if (code == 99)
      broke("round %d: another file ran unseen", i);
  }
  got("%d ran the chosen file, %d were killed", chosen, killed);
}
