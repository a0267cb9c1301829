/*
 * The same by ioctl, and requests that type into a terminal or name a process group.
 *
 * without: call:ioctl,landlock
 */
#include "testsuites/security/attack.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#define REQUEST_SIOCSPGRP 0x8902
#define REQUEST_FIOSETOWN 0x8901
#define REQUEST_FIOASYNC 0x5452
#define REQUEST_TIOCSTI 0x5412
#define REQUEST_TIOCLINUX 0x541c
#define REQUEST_TIOCSETD 0x5423
#define REQUEST_TIOCCONS 0x541d

static void own_socket(int outsider, unsigned long request, const char *what) {
  int pair[2], on = 1;

  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
    return;
  must_fail(what, ioctl(pair[0], request, &outsider));
  if (ioctl(pair[0], REQUEST_FIOASYNC, &on) == 0)
    broke("FIOASYNC succeeded");
  (void)!send(pair[1], "x", 1, MSG_OOB);
  (void)!write(pair[1], "x", 1);
  close(pair[0]);
  close(pair[1]);
}

/* A terminal of the silo's own: what is typed there harms nobody; the request itself must not be
 * the kernel's, because the same descriptor may be a host terminal. */
static void type_into_terminal(void) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), discipline = 2, slave;
  char key = 'x', name[32];
  unsigned number = 0;

  if (master < 0 || ioctl(master, TIOCGPTN, &number)) {
    got("no terminal: %s", strerror(errno));
    return;
  }
  ioctl(master, TIOCSPTLCK, &(int){0});
  snprintf(name, sizeof name, "/dev/pts/%u", number);
  setsid();
  slave = open(name, O_RDWR);
  must_fail("TIOCSTI", ioctl(slave, REQUEST_TIOCSTI, &key));
  must_fail("TIOCLINUX", ioctl(slave, REQUEST_TIOCLINUX, &key));
  must_fail("TIOCSETD", ioctl(slave, REQUEST_TIOCSETD, &discipline));
  must_fail("TIOCCONS", ioctl(slave, REQUEST_TIOCCONS, 0));
}

static void attack(void) {
  int outsider = given_pid("OUTSIDER"), group = -outsider;
  pid_t child;

  own_socket(outsider, REQUEST_FIOSETOWN, "FIOSETOWN");
  own_socket(outsider, REQUEST_SIOCSPGRP, "SIOCSPGRP");
  own_socket(group, REQUEST_FIOSETOWN, "FIOSETOWN of a group");
  child = fork();
  if (child == 0) {
    type_into_terminal();
    _exit(attack_broken);
  }
  {
    int status;

    waitpid(child, &status, 0);
    attack_broken |= status != 0;
  }
  pause_for(0.1);
}
