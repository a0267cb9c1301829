/* Unix-domain sockets: by path, in pairs, and what they carry. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un named(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};

  strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
  return address;
}

static int bind_at(int fd, const char *path) {
  struct sockaddr_un address = named(path);

  return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static int connect_at(int fd, const char *path) {
  struct sockaddr_un address = named(path);

  return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static int stream(void) {
  return must(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int listener(const char *path) {
  int fd = stream();

  must(bind_at(fd, path));
  must(listen(fd, 5));
  return fd;
}

static void show_name(const char *label, int (*call)(int, struct sockaddr *, socklen_t *), int fd) {
  struct sockaddr_un address = {0};
  socklen_t size = sizeof(address);

  must(call(fd, (struct sockaddr *)&address, &size));
  say("%s: family %d size %d path \"%s\"\n", label, address.sun_family, (int)size,
      size > 2 ? address.sun_path : "");
}

/* accept has another type in glibc than getsockname; so a wrapper of the same one */
static int socket_name(int fd, struct sockaddr *address, socklen_t *size) {
  return getsockname(fd, address, size);
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *size) {
  return getpeername(fd, address, size);
}

CASE(a_socket_with_a_path_accepts_connections) {
  char text[16];
  int server = stream(), client = stream(), peer;

  ok(bind_at(server, "socket"));
  show_stat("socket");
  ok(listen(server, 1));
  ok(connect_at(client, "socket"));
  peer = ok(accept(server, NULL, NULL));
  is(write(client, "hello", 5), 5);
  is(read(peer, text, sizeof(text)), 5);
  is(write(peer, "answer", 6), 6);
  is(read(client, text, sizeof(text)), 6);
  ok(close(client));
  is(read(peer, text, sizeof(text)), 0);
}

CASE(the_names_of_both_ends_are_what_was_bound) {
  int server = listener("./the socket"), client = stream(), peer;

  must(connect_at(client, "the socket"));
  peer = must(accept(server, NULL, NULL));
  show_name("server", socket_name, server);
  show_name("accepted", socket_name, peer);
  show_name("client", socket_name, client);
  show_name("the client's peer", peer_name, client);
  show_name("the server's peer", peer_name, peer);
}

CASE(accept_tells_the_name_of_a_bound_client) {
  struct sockaddr_un from = {0};
  socklen_t size = sizeof(from);
  int server = listener("server"), client = stream();

  must(bind_at(client, "client"));
  must(connect_at(client, "server"));
  ok(accept(server, (struct sockaddr *)&from, &size));
  say("size %d path \"%s\"\n", (int)size, from.sun_path);
}

CASE(bind_creates_with_the_umask_and_never_replaces) {
  umask(027);
  ok(bind_at(stream(), "socket"));
  show_stat("socket");
  fails(bind_at(stream(), "socket"), EADDRINUSE);
  put_file("f", "");
  must(symlink("nowhere", "dangling"));
  fails(bind_at(stream(), "f"), EADDRINUSE);
  fails(bind_at(stream(), "dangling"), EADDRINUSE);
  fails(bind_at(stream(), "missing/socket"), ENOENT);
  fails(bind_at(stream(), "f/socket"), ENOTDIR);
}

CASE(binding_twice_fails_with_EINVAL) {
  int fd = stream();

  ok(bind_at(fd, "a"));
  fails(bind_at(fd, "b"), EINVAL);
  show_directory(".");
}

CASE(connect_errors_by_path) {
  int fd = stream();

  put_file("f", "");
  must(mkdir("d", 0755));
  must(bind_at(stream(), "bound"));
  fails(connect_at(fd, "missing"), ENOENT);
  fails(connect_at(fd, "f"), ECONNREFUSED);
  fails(connect_at(fd, "d"), ECONNREFUSED);
  fails(connect_at(fd, "f/x"), ENOTDIR);
  fails(connect_at(fd, "bound"), ECONNREFUSED);
  must(close(listener("closed")));
  fails(connect_at(fd, "closed"), ECONNREFUSED);
}

CASE(connect_of_another_type_fails_with_EPROTOTYPE) {
  int packets = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));

  must(listener("socket"));
  fails(connect_at(packets, "socket"), EPROTOTYPE);
}

CASE(connect_needs_write_permission_of_the_socket) {
  need_ordinary_user();
  must(listener("socket"));
  must(chmod("socket", 0400));
  fails(connect_at(stream(), "socket"), EACCES);
  must(chmod("socket", 0200));
  ok(connect_at(stream(), "socket"));
}

CASE(connect_follows_symlinks_and_relative_paths) {
  must(mkdir("d", 0755));
  must(listener("d/socket"));
  must(symlink("d/socket", "link"));
  ok(connect_at(stream(), "link"));
  must(chdir("d"));
  ok(connect_at(stream(), "socket"));
  ok(connect_at(stream(), "../link"));
  must(rename("socket", "renamed"));
  ok(connect_at(stream(), "renamed"));
  fails(connect_at(stream(), "../link"), ENOENT);
}

CASE(an_unlinked_socket_keeps_its_connections_and_gets_no_new_ones) {
  char byte;
  int server = listener("socket"), client = stream(), peer;

  must(connect_at(client, "socket"));
  peer = must(accept(server, NULL, NULL));
  ok(unlink("socket"));
  fails(connect_at(stream(), "socket"), ENOENT);
  is(write(client, "x", 1), 1);
  is(read(peer, &byte, 1), 1);
  must(listener("socket"));
  ok(connect_at(stream(), "socket"));
}

CASE(a_path_may_fill_the_whole_field) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = stream();

  memset(address.sun_path, 'p', sizeof(address.sun_path));
  ok(bind(fd, (struct sockaddr *)&address, sizeof(address)));
  ok(listen(fd, 1));
  ok(connect(stream(), (struct sockaddr *)&address, sizeof(address)));
  show_directory(".");
}

CASE(an_address_may_be_shorter_than_its_structure) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "abcdef"};
  int fd = stream();

  ok(bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 3));
  show_directory(".");
  show_name("name", socket_name, fd);
  fails(bind(stream(), (struct sockaddr *)&address, 1), EINVAL);
  fails(bind(stream(), (struct sockaddr *)&address, 200), EINVAL);
}

CASE(an_autobound_socket_has_an_abstract_name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  socklen_t size = sizeof(address);
  int fd = stream();

  ok(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)));
  ok(getsockname(fd, (struct sockaddr *)&address, &size));
  is(size, 2 + 6);
  is(address.sun_path[0], 0);
}

CASE(abstract_names_connect_without_files) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  socklen_t size;
  int server = stream(), client = stream();

  size = 2 + 1 +
         snprintf(address.sun_path + 1, 80, "guest-test-%d-%d", (int)getpid(), (int)time(NULL));
  ok(bind(server, (struct sockaddr *)&address, size));
  ok(listen(server, 1));
  ok(connect(client, (struct sockaddr *)&address, size));
  ok(accept(server, NULL, NULL));
  fails(bind(stream(), (struct sockaddr *)&address, size), EADDRINUSE);
  fails(connect(stream(), (struct sockaddr *)&address, size - 1), ECONNREFUSED);
  show_directory(".");
}

CASE(socketpair_makes_two_connected_ends) {
  char text[16];
  int ends[2];

  ok(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  say("%d %d\n", ends[0], ends[1]);
  is(write(ends[0], "ab", 2), 2);
  is(write(ends[0], "cd", 2), 2);
  is(read(ends[1], text, sizeof(text)), 4);
  show_name("name", socket_name, ends[0]);
  ok(close(ends[0]));
  is(read(ends[1], text, sizeof(text)), 0);
  fails(send(ends[1], "x", 1, MSG_NOSIGNAL), EPIPE);
  fails(socketpair(AF_INET, SOCK_STREAM, 0, ends), EOPNOTSUPP);
}

CASE(datagram_and_packet_pairs_keep_bounds) {
  char text[16];
  int ends[2];

  ok(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
  is(send(ends[0], "one", 3, 0), 3);
  is(send(ends[0], "three", 5, 0), 5);
  is(recv(ends[1], text, sizeof(text), 0), 3);
  is(recv(ends[1], text, 2, 0), 2);
  fails(recv(ends[1], text, sizeof(text), MSG_DONTWAIT), EAGAIN);
  ok(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
  is(send(ends[0], "one", 3, 0), 3);
  is(send(ends[0], "two", 3, 0), 3);
  is(recv(ends[1], text, sizeof(text), 0), 3);
  ok(close(ends[0]));
  is(recv(ends[1], text, sizeof(text), 0), 3);
  is(recv(ends[1], text, sizeof(text), 0), 0);
}

CASE(datagram_sockets_by_path) {
  struct sockaddr_un to = named("receiver"), from = {0};
  socklen_t size = sizeof(from);
  char text[16];
  int receiver = must(socket(AF_UNIX, SOCK_DGRAM, 0));
  int sender = must(socket(AF_UNIX, SOCK_DGRAM, 0));

  ok(bind_at(receiver, "receiver"));
  ok(bind_at(sender, "sender"));
  is(sendto(sender, "text", 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
  is(recvfrom(receiver, text, sizeof(text), 0, (struct sockaddr *)&from, &size), 4);
  say("from \"%s\"\n", from.sun_path);
  ok(connect_at(sender, "receiver"));
  is(send(sender, "more", 4, 0), 4);
  is(recv(receiver, text, sizeof(text), 0), 4);
  to = named("missing");
  fails(sendto(sender, "text", 4, 0, (struct sockaddr *)&to, sizeof(to)), ENOENT);
}

/* Send one byte with a descriptor. */
static int send_descriptor(int socket, int fd) {
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct iovec part = {"x", 1};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof(control.bytes)};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);

  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  return sendmsg(socket, &message, 0);
}

static int receive_descriptor(int socket, int flags) {
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  char byte;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof(control.bytes)};
  int fd = -1;

  must(recvmsg(socket, &message, flags));
  if (CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_RIGHTS)
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
  return fd;
}

CASE(descriptors_travel_over_a_socket) {
  char text[16];
  int ends[2], fd;
  pid_t child;

  put_file("f", "through the socket");
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  child = fork();
  if (child == 0) {
    fd = ok(receive_descriptor(ends[1], MSG_CMSG_CLOEXEC));
    is(fcntl(fd, F_GETFD), FD_CLOEXEC);
    is(read(fd, text, 7), 7);
    leave();
  }
  fd = must(open("f", O_RDONLY));
  must(unlink("f"));
  must(send_descriptor(ends[0], fd));
  expect_exit(child, 0);
  is(lseek(fd, 0, SEEK_CUR), 7);
  fails(send_descriptor(ends[0], 99), EBADF);
}

CASE(O_PATH_descriptors_and_directories_travel_too) {
  int ends[2], fd;

  must(mkdir("d", 0755));
  put_file("d/f", "text");
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  must(send_descriptor(ends[0], must(open("d", O_PATH))));
  fd = ok(receive_descriptor(ends[1], 0));
  ok(openat(fd, "f", O_RDONLY));
  ok(fchdir(fd));
  show_directory(".");
}

CASE(the_peers_credentials_are_known) {
  struct ucred credentials;
  socklen_t size = sizeof(credentials);
  int server = listener("socket"), client = stream(), ends[2];

  must(connect_at(client, "socket"));
  ok(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &credentials, &size));
  check(credentials.pid == getpid());
  check(credentials.uid == geteuid() && credentials.gid == getegid());
  must(accept(server, NULL, NULL));
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  ok(getsockopt(ends[0], SOL_SOCKET, SO_PEERCRED, &credentials, &size));
  check(credentials.pid == getpid() && credentials.uid == geteuid());
}

CASE(servers_and_clients_in_several_processes) {
  int server = listener("socket"), sum = 0;
  unsigned char byte;

  for (int i = 1; i <= 8; i++) {
    if (fork() == 0) {
      int fd = stream();

      byte = i;
      must(connect_at(fd, "socket"));
      must(write(fd, &byte, 1));
      leave();
    }
  }
  for (int i = 1; i <= 8; i++) {
    int fd = must(accept(server, NULL, NULL));

    must(read(fd, &byte, 1));
    sum += byte;
    close(fd);
  }
  is(sum, 36);
  while (wait(NULL) > 0)
    ;
}

CASE(a_full_queue_refuses_nonblocking_clients) {
  int server = stream(), results = 0;

  must(bind_at(server, "socket"));
  must(listen(server, 0));
  for (int i = 0; i < 5; i++) {
    int fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));

    if (connect_at(fd, "socket") == 0)
      results++;
    else
      check(errno == EAGAIN);
  }
  is(results, 1);
  ok(accept(server, NULL, NULL));
}
