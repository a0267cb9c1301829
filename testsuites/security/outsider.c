/*
 * Not an attack: what attacks aim at. It runs on the host, as the user who runs denizen, and writes
 * down what it suffers.
 *
 *   outsider watch DIRECTORY     a process of its own session that listens at DIRECTORY/stream,
 *                                DIRECTORY/dgram and the abstract name DIRECTORY, has a terminal,
 * and appends what reaches it to DIRECTORY/harm; it says its number and the terminal's in
 * DIRECTORY/outsider outsider move A B            rename A to B and back, for ever outsider swap
 * SOCKET TARGET  whenever SOCKET is a socket, put a symlink to TARGET there outsider a program of
 * the host that no guest may run
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int harm = -1;

static void note(const char *what) {
  (void)!write(harm, what, strlen(what));
  (void)!write(harm, "\n", 1);
}

static void take_signal(int signal) {
  char text[] = "signal 00";

  text[7] = (char)('0' + signal / 10);
  text[8] = (char)('0' + signal % 10);
  note(text);
}

static int listen_at(const char *path, const char *abstract, int type) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  size_t length;

  if (abstract) {
    length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract);
    memcpy(address.sun_path + 1, abstract, strlen(abstract));
  } else {
    length = sizeof address;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  }
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, (socklen_t)length)) {
    perror(path);
    exit(2);
  }
  if (!abstract)
    chmod(path, 0777);
  if (type == SOCK_STREAM)
    listen(fd, 16);
  return fd;
}

static int watch(const char *directory) {
  struct pollfd polled[4] = {{0}};
  char path[512], text[128];
  int fd, master;

  setsid();
  snprintf(path, sizeof path, "%s/harm", directory);
  harm = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  for (int signal = 1; signal < 32; signal++)
    if (signal != SIGCHLD && signal != SIGALRM)
      sigaction(signal, &(struct sigaction){.sa_handler = take_signal}, NULL);
  snprintf(path, sizeof path, "%s/stream", directory);
  polled[0] = (struct pollfd){.fd = listen_at(path, NULL, SOCK_STREAM), .events = POLLIN};
  polled[1] = (struct pollfd){.fd = listen_at(path, directory, SOCK_STREAM), .events = POLLIN};
  snprintf(path, sizeof path, "%s/dgram", directory);
  polled[2] = (struct pollfd){.fd = listen_at(path, NULL, SOCK_DGRAM), .events = POLLIN};
  master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0 || grantpt(master) || unlockpt(master))
    return 2;
  polled[3] = (struct pollfd){.fd = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)};
  polled[3] = (struct pollfd){.fd = master, .events = POLLIN};
  chmod(ptsname(master), 0666);
  snprintf(path, sizeof path, "%s/outsider", directory);
  fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  snprintf(text, sizeof text, "%d %s\n", getpid(), ptsname(master));
  (void)!write(fd, text, strlen(text));
  close(fd);
  for (;;) {
    if (poll(polled, 4, -1) < 0)
      continue;
    if (polled[0].revents)
      note("reached: stream"), close(accept(polled[0].fd, NULL, NULL));
    if (polled[1].revents)
      note("reached: abstract"), close(accept(polled[1].fd, NULL, NULL));
    if (polled[2].revents)
      note("reached: dgram"), (void)!read(polled[2].fd, text, sizeof text);
    if (polled[3].revents)
      note("reached: terminal"), (void)!read(polled[3].fd, text, sizeof text);
  }
}

static void move(const char *a, const char *b) {
  for (;;) {
    rename(a, b);
    rename(b, a);
  }
}

static void swap(const char *at, const char *target) {
  struct stat st;

  for (;;)
    if (lstat(at, &st) == 0 && S_ISSOCK(st.st_mode)) {
      unlink(at);
      (void)!symlink(target, at);
    }
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "watch") == 0)
    return watch(argv[2]);
  if (argc == 4 && strcmp(argv[1], "move") == 0)
    move(argv[2], argv[3]);
  if (argc == 4 && strcmp(argv[1], "swap") == 0)
    swap(argv[2], argv[3]);
  (void)!write(STDOUT_FILENO, "BROKEN: a program of the host ran\n", 34);
  return 99;
}
