#include "testsuites/bench/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_MILLISECONDS = 60000 };

static uint64_t now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void become(uid_t user) {
  if (user != 0 && geteuid() == 0 &&
      (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
       setresuid(user, user, user) != 0))
    _exit(125);
}

static _Noreturn void become_and_exec(const struct place *place, const char *const *command) {
  const char *line[PLACE_ARGUMENTS_MAX];
  size_t length = 0;

  become(place->user);
  for (const char *const *word = place->prefix; *word; word++)
    line[length++] = *word;
  for (; *command && length < PLACE_ARGUMENTS_MAX - 1; command++)
    line[length++] = *command;
  line[length] = NULL;
  execvp(line[0], (char *const *)line);
  _exit(127);
}

pid_t place_start(const struct place *place, const char *const *command, int *input, int *output) {
  int to[2], from[2];
  pid_t child;

  if (pipe2(to, O_CLOEXEC) != 0)
    return -1;
  if (pipe2(from, O_CLOEXEC) != 0) {
    close(to[0]);
    close(to[1]);
    return -1;
  }
  child = fork();
  if (child == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    become_and_exec(place, command);
  }
  close(to[0]);
  close(from[1]);
  *input = to[1];
  *output = from[0];
  return child;
}

/* Read until the end, the buffer is full, or time is up (-1). */
static ssize_t read_all(int fd, char *buffer, size_t size) {
  uint64_t deadline = now() + LONGEST_MILLISECONDS * 1000000ull;
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  size_t length = 0;

  while (length < size) {
    uint64_t time = now();
    ssize_t got;

    if (time >= deadline || poll(&wait, 1, (int)((deadline - time) / 1000000) + 1) <= 0)
      return -1;
    got = read(fd, buffer + length, size - length);
    if (got < 0)
      return -1;
    if (got == 0)
      break;
    length += (size_t)got;
  }
  return (ssize_t)length;
}

ssize_t place_run(const struct place *place, const char *const *command, void *buffer, size_t size,
                  uint64_t *started) {
  int input, output, status;
  ssize_t length;
  pid_t child;

  if (started)
    *started = now();
  child = place_start(place, command, &input, &output);
  if (child < 0)
    return -1;
  close(input);
  length = read_all(output, buffer, size);
  close(output);
  if (length < 0)
    kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    continue;
  if (length >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return length;
  fprintf(stderr, "bench: %s: \"%s %s\" %s (wait status %#x)\n", place->name, command[0],
          command[1] ? command[1] : "", length < 0 ? "took more than a minute" : "failed",
          (unsigned)status);
  return -1;
}
