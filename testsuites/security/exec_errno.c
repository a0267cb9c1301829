/*
 * Another program's name is put in the place of the chosen one, of a file that the host has and of
 * one that it has not: the error of the exec that fails would tell which is which.
 *
 * limit: 40
 * without: exec_errno,exec_name
 */
#include "testsuites/security/scratch.h"

#define ROUNDS 400

static const char *target;

static void *overwrite(void *unused ATTACK_UNUSED) {
  scratch_overwrite(target);
  return NULL;
}

/* The errno of an exec that returned, or 0. */
static int one_round(void) {
  char *arguments[] = {"chosen", NULL}, *environment[] = {NULL};
  pid_t child = fork();
  int status;

  if (child == 0) {
    start_thread(overwrite, NULL);
    execve("/bin/chosen", arguments, environment);
    _exit(errno == 42 ? 43 : errno);
  }
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) != 42 ? WEXITSTATUS(status) : 0;
}

static int try_name(const char *name) {
  int error = 0;

  target = name;
  for (int i = 0; i < ROUNDS && !error; i++)
    error = one_round();
  got("%s: %s", name, error ? strerror(error) : "no error came back");
  return error;
}

static void attack(void) {
  char missing[PATH_MAX];
  int there, absent, garbage;

  snprintf(missing, sizeof missing, "%s/missing", given("HOST_DIRECTORY"));
  scratch_find();
  there = try_name(given("SECRET"));
  absent = try_name(missing);
  garbage = try_name(given("HOST_GARBAGE")); /* may be executed, and is no program */
  if (there != absent)
    broke("a file that is there gives another error than one that is not");
  if (garbage != absent)
    broke("a file that may be executed gives another error than one that is not there");
}
