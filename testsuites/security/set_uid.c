/*
 * A set-uid program of the host's root, executed by a guest of another user. run.sh makes
 * /home/set-uid such a file: this program. What the guest is told of its user is made up; the
 * kernel tells the truth with a message on a socket (SCM_CREDENTIALS of unix(7)).
 *
 * users: nobody
 * without: - no_new_privs is also what a filter needs to be installed at all
 */
#include "testsuites/security/attack.h"

#include <sys/prctl.h>
#include <sys/socket.h>

/* The caller's effective user on the host, or -1. */
static long true_user(void) {
  struct {
    pid_t pid;
    uid_t uid;
    gid_t gid;
  } sender;
  char control[CMSG_SPACE(sizeof sender)] = {0}, byte = 0;
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int pair[2], on = 1;

  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
      setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) || write(pair[1], "x", 1) != 1 ||
      recvmsg(pair[0], &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
    return -1;
  memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof sender);
  return sender.uid;
}

static void attack(void) {
  char *arguments[] = {"set-uid", NULL}, *environment[] = {"SET_UID=1", NULL};
  struct stat st;
  pid_t child;

  if (getenv("SET_UID"))
    _exit(true_user() == 0 ? 99 : 98);
  if (stat("/home/set-uid", &st) || !(st.st_mode & S_ISUID))
    skip("this user cannot make a set-uid file of another's");
  got("the host's user of this guest is %ld", true_user());
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    broke("no_new_privs is not set");
  child = fork();
  if (child == 0) {
    execve("/home/set-uid", arguments, environment);
    _exit(errno);
  }
  {
    int status;

    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 98)
      broke("the set-uid program ended with %#x", status);
  }
}
