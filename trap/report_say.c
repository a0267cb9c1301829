/* Standard error, which guests hold too and could fill: nothing here waits for it. */
#include "trap/report.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

/* A pipe or terminal is opened anew, so that O_NONBLOCK is ours alone. A file keeps its
 * description: the guest's position is in it, and writing never waits there; so does a socket,
 * which cannot be opened and takes MSG_DONTWAIT. */
int dz_report_open_messages(void) {
  struct stat st;

  if (fstat(STDERR_FILENO, &st))
    return -1;
  if (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode))
    return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  return open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static void put(struct dz_engine *engine, const char *text, size_t length) {
  ssize_t put = send(engine->messages, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);

  if (put < 0 && errno == ENOTSOCK)
    put = write(engine->messages, text, length);
  if (put < 0 || (size_t)put < length)
    dz_debug("a message was lost: %s", put < 0 ? strerror(errno) : "no room");
}

static bool is_raw(int fd) {
  struct termios modes;

  return tcgetattr(fd, &modes) == 0 && !(modes.c_oflag & OPOST);
}

void dz_report_say(struct dz_engine *engine, const char *text, size_t length) {
  char with_returns[DZ_REPORT_TEXT_MAX + DZ_REPORT_TEXT_MAX / 8];
  size_t filled = 0;

  if (engine->messages < 0 || length == 0)
    return;
  if (!is_raw(engine->messages)) {
    put(engine, text, length);
    return;
  }
  for (size_t i = 0; i < length && filled + 2 <= sizeof with_returns; i++) {
    if (text[i] == '\n')
      with_returns[filled++] = '\r';
    with_returns[filled++] = text[i];
  }
  put(engine, with_returns, filled);
}
