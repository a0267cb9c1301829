/* Internet sockets on the loopback interface. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int bind_to(int fd, struct sockaddr_in address) {
  return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static int connect_to(int fd, struct sockaddr_in address) {
  return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static struct sockaddr_in name_of(int fd) {
  struct sockaddr_in address = {0};
  socklen_t size = sizeof(address);

  must(getsockname(fd, (struct sockaddr *)&address, &size));
  return address;
}

static int listener(void) {
  int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

  must(bind_to(fd, loopback(0)));
  must(listen(fd, 5));
  return fd;
}

CASE(a_stream_connection_carries_bytes_both_ways) {
  char text[16];
  int server = listener(), client, peer;

  client = ok(socket(AF_INET, SOCK_STREAM, 0));
  ok(connect_to(client, name_of(server)));
  peer = ok(accept(server, NULL, NULL));
  is(write(client, "hello", 5), 5);
  is(recv(peer, text, sizeof(text), 0), 5);
  is(send(peer, "answer", 6, 0), 6);
  is(read(client, text, sizeof(text)), 6);
  ok(shutdown(client, SHUT_WR));
  is(read(peer, text, sizeof(text)), 0);
  is(write(peer, "late", 4), 4);
  is(read(client, text, sizeof(text)), 4);
  ok(close(peer));
  is(read(client, text, sizeof(text)), 0);
}

CASE(addresses_of_both_ends_agree) {
  struct sockaddr_in seen, theirs;
  socklen_t size = sizeof(seen);
  int server = listener(), client = must(socket(AF_INET, SOCK_STREAM, 0)), peer;

  must(connect_to(client, name_of(server)));
  peer = must(accept4(server, (struct sockaddr *)&seen, &size, SOCK_CLOEXEC));
  is(fcntl(peer, F_GETFD), FD_CLOEXEC);
  is(size, sizeof(seen));
  check(seen.sin_port == name_of(client).sin_port);
  check(seen.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  size = sizeof(theirs);
  ok(getpeername(client, (struct sockaddr *)&theirs, &size));
  check(theirs.sin_port == name_of(server).sin_port);
  size = 4; /* too small: cut, with the true size told */
  ok(getsockname(client, (struct sockaddr *)&theirs, &size));
  is(size, sizeof(theirs));
}

CASE(connect_to_a_closed_port_fails_with_ECONNREFUSED) {
  int server = listener(), client = must(socket(AF_INET, SOCK_STREAM, 0));
  struct sockaddr_in address = name_of(server);

  must(close(server));
  fails(connect_to(client, address), ECONNREFUSED);
  server = must(socket(AF_INET, SOCK_STREAM, 0));
  must(bind_to(server, loopback(0))); /* bound and not listening */
  fails(connect_to(client, name_of(server)), ECONNREFUSED);
}

CASE(bind_to_a_port_in_use_fails_with_EADDRINUSE) {
  int server = listener(), other = must(socket(AF_INET, SOCK_STREAM, 0));

  fails(bind_to(other, name_of(server)), EADDRINUSE);
  fails(bind_to(server, loopback(0)), EINVAL);
  must(close(server));
}

CASE(bind_to_a_foreign_address_fails_with_EADDRNOTAVAIL) {
  struct sockaddr_in address = loopback(0);
  int fd = must(socket(AF_INET, SOCK_STREAM, 0));

  address.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, of TEST-NET-1 */
  fails(bind_to(fd, address), EADDRNOTAVAIL);
  address.sin_family = AF_UNIX;
  fails(bind_to(fd, address), EAFNOSUPPORT);
  fails(bind(fd, (struct sockaddr *)&address, 2), EINVAL);
}

CASE(a_nonblocking_connect_is_in_progress_or_done) {
  int server = listener(), client = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  struct pollfd watch = {.fd = client, .events = POLLOUT};
  int error = -1;
  socklen_t size = sizeof(error);

  fails(connect_to(client, name_of(server)), EINPROGRESS);
  is(poll(&watch, 1, 5000), 1);
  ok(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size));
  is(error, 0);
  ok(accept(server, NULL, NULL));
  show(connect_to(client, name_of(server))); /* the first time it says: done */
  fails(connect_to(client, name_of(server)), EISCONN);
}

CASE(a_nonblocking_connect_that_is_refused) {
  int server = listener(), client = must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  struct sockaddr_in address = name_of(server);
  struct pollfd watch = {.fd = client, .events = POLLOUT};
  int error = -1;
  socklen_t size = sizeof(error);

  must(close(server));
  check(connect_to(client, address) == -1);
  check(errno == EINPROGRESS || errno == ECONNREFUSED);
  if (errno == EINPROGRESS) {
    is(poll(&watch, 1, 5000), 1);
    must(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size));
    is(error, ECONNREFUSED);
  }
}

CASE(a_nonblocking_accept_has_nothing_to_give) {
  int server = listener(), client = must(socket(AF_INET, SOCK_STREAM, 0));
  struct pollfd watch = {.fd = server, .events = POLLIN};

  must(fcntl(server, F_SETFL, O_NONBLOCK));
  fails(accept(server, NULL, NULL), EAGAIN);
  must(connect_to(client, name_of(server)));
  is(poll(&watch, 1, 5000), 1);
  ok(accept(server, NULL, NULL));
  fails(accept(client, NULL, NULL), EINVAL);
}

static void nothing(int number) {
  (void)number;
}

/* A listener whose queue is full: further connections wait. */
static int full_listener(int *occupant) {
  int server = must(socket(AF_INET, SOCK_STREAM, 0));

  must(bind_to(server, loopback(0)));
  must(listen(server, 0));
  *occupant = must(socket(AF_INET, SOCK_STREAM, 0));
  must(connect_to(*occupant, name_of(server)));
  return server;
}

CASE(an_interrupted_connect_completes_in_the_background) {
  int occupant, server = full_listener(&occupant);
  int client = must(socket(AF_INET, SOCK_STREAM, 0)), error = -1;
  struct pollfd watch = {.fd = client, .events = POLLOUT};
  socklen_t size = sizeof(error);

  on_signal(SIGALRM, nothing, 0);
  ualarm(50000, 200000);
  fails(connect_to(client, name_of(server)), EINTR);
  ualarm(0, 0);
  fails(connect_to(must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), name_of(server)),
        EINPROGRESS);
  ok(accept(server, NULL, NULL));
  is(poll(&watch, 1, 8000), 1);
  must(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size));
  is(error, 0);
  is(write(client, "x", 1), 1);
}

CASE(a_blocking_connect_with_SA_RESTART_goes_on) {
  int occupant, server = full_listener(&occupant);
  int client = must(socket(AF_INET, SOCK_STREAM, 0));
  pid_t child;

  on_signal(SIGUSR1, nothing, SA_RESTART);
  child = fork();
  if (child == 0) {
    await_sleep(getppid());
    must(kill(getppid(), SIGUSR1));
    await_sleep(getppid());
    must(accept(server, NULL, NULL));
    leave();
  }
  ok(connect_to(client, name_of(server)));
  expect_exit(child, 0);
}

CASE(an_accept_is_interrupted) {
  struct sockaddr_in from;
  socklen_t size = sizeof(from);
  int server = listener();

  on_signal(SIGALRM, nothing, 0);
  ualarm(30000, 100000);
  fails(accept(server, NULL, NULL), EINTR);
  fails(accept(server, (struct sockaddr *)&from, &size), EINTR);
}

CASE(a_server_process_and_a_client_process) {
  char text[64] = "";
  int server = listener(), fd;
  pid_t child = fork();

  if (child == 0) {
    fd = must(socket(AF_INET, SOCK_STREAM, 0));
    must(connect_to(fd, name_of(server)));
    must(write(fd, "from the client", 15));
    must(read(fd, text, sizeof(text)));
    say("the client got \"%s\"\n", text);
    leave();
  }
  fd = must(accept(server, NULL, NULL));
  must(read(fd, text, sizeof(text)));
  say("the server got \"%s\"\n", text);
  must(write(fd, "from the server", 16));
  expect_exit(child, 0);
}

CASE(datagrams_keep_their_bounds_and_senders) {
  struct sockaddr_in from, to;
  socklen_t size = sizeof(from);
  char text[16];
  int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = must(socket(AF_INET, SOCK_DGRAM, 0));

  must(bind_to(a, loopback(0)));
  must(bind_to(b, loopback(0)));
  to = name_of(b);
  is(sendto(a, "first", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
  is(sendto(a, "second one", 10, 0, (struct sockaddr *)&to, sizeof(to)), 10);
  is(recvfrom(b, text, sizeof(text), 0, (struct sockaddr *)&from, &size), 5);
  check(from.sin_port == name_of(a).sin_port && size == sizeof(from));
  is(recv(b, text, 3, 0), 3); /* the rest is lost */
  is(recv(b, text, 3, MSG_DONTWAIT), -1);
  is(errno, EAGAIN);
}

CASE(a_connected_datagram_socket_hears_its_peer_only) {
  struct sockaddr_in unspecified = {.sin_family = AF_UNSPEC}, to;
  char text[16];
  int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = must(socket(AF_INET, SOCK_DGRAM, 0));
  int c = must(socket(AF_INET, SOCK_DGRAM, 0));

  must(bind_to(a, loopback(0)));
  must(bind_to(b, loopback(0)));
  ok(connect_to(a, name_of(b)));
  to = name_of(a);
  is(sendto(c, "stranger", 8, 0, (struct sockaddr *)&to, sizeof(to)), 8);
  is(sendto(b, "friend", 6, 0, (struct sockaddr *)&to, sizeof(to)), 6);
  is(recv(a, text, sizeof(text), 0), 6);
  is(send(a, "x", 1, 0), 1);
  ok(connect(a, (struct sockaddr *)&unspecified, sizeof(unspecified)));
  fails(send(a, "x", 1, 0), EDESTADDRREQ);
}

CASE(sendmsg_and_recvmsg_gather_and_scatter) {
  struct sockaddr_in to, from;
  char left[4] = "", right[16] = "";
  struct iovec out[2] = {{"ab", 2}, {"cdef", 4}}, in[2] = {{left, 3}, {right, sizeof(right)}};
  struct msghdr message = {
      .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = out, .msg_iovlen = 2};
  int a = must(socket(AF_INET, SOCK_DGRAM, 0)), b = must(socket(AF_INET, SOCK_DGRAM, 0));

  must(bind_to(b, loopback(0)));
  to = name_of(b);
  is(sendmsg(a, &message, 0), 6);
  message = (struct msghdr){
      .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = in, .msg_iovlen = 2};
  is(recvmsg(b, &message, 0), 6);
  say("%.3s %.3s\n", left, right);
  check(from.sin_port == name_of(a).sin_port);
}

CASE(sending_to_a_closed_stream_raises_SIGPIPE_unless_told_not_to) {
  int server = listener(), client = must(socket(AF_INET, SOCK_STREAM, 0)), peer;
  pid_t child;

  must(connect_to(client, name_of(server)));
  peer = must(accept(server, NULL, NULL));
  must(shutdown(peer, SHUT_WR));
  fails(send(peer, "x", 1, MSG_NOSIGNAL), EPIPE);
  child = fork();
  if (child == 0) {
    write(peer, "x", 1);
    leave();
  }
  expect_signal(child, SIGPIPE);
}

CASE(socket_options_and_errors) {
  int value = 1, fd = must(socket(AF_INET, SOCK_STREAM, 0));
  socklen_t size = sizeof(value);

  ok(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, size));
  value = 0;
  ok(getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &size));
  is(value, 1);
  ok(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size));
  is(value, SOCK_STREAM);
  ok(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, size));
  fails(getsockopt(fd, SOL_SOCKET, 9999, &value, &size), ENOPROTOOPT);
  fails(getpeername(fd, (struct sockaddr *)&(struct sockaddr_in){0}, &size), ENOTCONN);
  fails(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
  fails(listen(0, 5), ENOTSOCK);
  fails(listen(99, 5), EBADF);
  fails(socket(AF_INET, 77, 0), EINVAL);
  fails(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
  fails(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
}

CASE(a_receive_timeout_fails_with_EAGAIN) {
  struct timeval limit = {.tv_usec = 20000};
  char byte;
  int server = listener(), client = must(socket(AF_INET, SOCK_STREAM, 0));

  must(connect_to(client, name_of(server)));
  ok(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
  fails(recv(client, &byte, 1, 0), EAGAIN);
  must(accept(server, NULL, NULL));
  ok(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
  fails(accept(server, NULL, NULL), EAGAIN);
}

CASE(internet_version_six_on_the_loopback) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  socklen_t size = sizeof(address);
  int server = socket(AF_INET6, SOCK_STREAM, 0), client;

  if (server < 0 || bind(server, (struct sockaddr *)&address, sizeof(address)) < 0)
    skip("this host has no IPv6 loopback");
  ok(listen(server, 1));
  ok(getsockname(server, (struct sockaddr *)&address, &size));
  client = must(socket(AF_INET6, SOCK_STREAM, 0));
  ok(connect(client, (struct sockaddr *)&address, sizeof(address)));
  ok(accept(server, NULL, NULL));
}
