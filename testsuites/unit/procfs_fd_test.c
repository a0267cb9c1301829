/* /proc/PID/fd and fdinfo: what descriptors are called, and what a new open of them gives. */
#include "testsuites/unit/madeup_room.h"

#include "host/calls.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

TestSuite(procfs_fd, .init = room_make, .fini = room_free);

/* Put a descriptor where the test looks for it. */
static void place_at(int fd, int number) {
  if (fd < 0 || dup2(fd, number) < 0)
    _exit(1);
}

static int in_root(const char *name, int flags) {
  return open(room_format("%s/%s", room.root, name), flags, 0644);
}

enum {
  FILE_FD = 100,
  DELETED_FD,
  DIRECTORY_FD,
  OUTSIDE_FD,
  PIPE_READ_FD,
  PIPE_WRITE_FD,
  SOCKET_FD,
  MEMFD_FD,
  NULL_FD,
  SECRET_DIRECTORY_FD,
  WRITE_ONLY_FD,
  SYS_FD
};

static void hold_things(void) {
  int ends[2], memfd = memfd_create("thing", 0);

  place_at(in_root("etc/file", O_CREAT | O_RDWR), FILE_FD);
  if (write(FILE_FD, "content", 7) != 7 || lseek(FILE_FD, 3, SEEK_SET) != 3)
    _exit(1);
  place_at(in_root("etc/gone", O_CREAT | O_RDWR), DELETED_FD);
  unlink(room_format("%s/etc/gone", room.root));
  place_at(in_root("etc", O_RDONLY | O_DIRECTORY), DIRECTORY_FD);
  place_at(open(room_format("%s/outside", room.scratch), O_CREAT | O_RDONLY, 0644), OUTSIDE_FD);
  if (pipe(ends))
    _exit(1);
  place_at(ends[0], PIPE_READ_FD);
  place_at(ends[1], PIPE_WRITE_FD);
  place_at(socket(AF_INET, SOCK_STREAM, 0), SOCKET_FD);
  place_at(memfd, MEMFD_FD);
  place_at(open("/dev/null", O_RDONLY), NULL_FD);
  place_at(open(room.scratch, O_RDONLY | O_DIRECTORY), SECRET_DIRECTORY_FD);
  place_at(open(room_format("%s/log", room.scratch), O_CREAT | O_WRONLY, 0644), WRITE_ONLY_FD);
  place_at(open("/proc/sys/kernel/core_pattern", O_RDONLY), SYS_FD);
}

static const char *fd_path(int fd) {
  return room_format("/proc/self/fd/%d", fd);
}

static void assert_link(int fd, const char *expected) {
  char text[PATH_MAX];

  cr_assert_gt(room_link(fd_path(fd), text), 0, "%d", fd);
  cr_assert_str_eq(text, expected);
}

Test(procfs_fd, links_show_guest_names) {
  room_guest(hold_things, NULL);
  assert_link(FILE_FD, "/etc/file");
  assert_link(DELETED_FD, "/etc/gone (deleted)");
  assert_link(DIRECTORY_FD, "/etc");
  assert_link(OUTSIDE_FD, "/outside");
  assert_link(SECRET_DIRECTORY_FD, strrchr(room.scratch, '/'));
  assert_link(MEMFD_FD, "/memfd:thing (deleted)");
  assert_link(NULL_FD, "/dev/null");
  assert_link(SYS_FD, "/proc/sys/kernel/core_pattern");
}

Test(procfs_fd, pipes_and_sockets_show_as_on_the_host) {
  char text[PATH_MAX], host[PATH_MAX] = "";
  pid_t guest = room_guest(hold_things, NULL);
  static const int fds[] = {PIPE_READ_FD, SOCKET_FD};

  for (size_t i = 0; i < DZ_ARRAY_SIZE(fds); i++) {
    memset(host, 0, sizeof host);
    cr_assert_gt(readlink(room_format("/proc/%d/fd/%d", guest, fds[i]), host, sizeof host - 1), 0);
    cr_assert_gt(room_link(fd_path(fds[i]), text), 0);
    cr_assert_str_eq(text, host);
  }
}

Test(procfs_fd, modes_of_links_tell_the_access) {
  struct stat st;

  room_guest(hold_things, NULL);
  cr_assert_eq(room_stat(fd_path(FILE_FD), &st), 0);
  cr_assert_eq(st.st_mode, S_IFLNK | 0700);
  cr_assert_eq(room_stat(fd_path(NULL_FD), &st), 0);
  cr_assert_eq(st.st_mode, S_IFLNK | 0500);
  cr_assert_eq(room_stat(fd_path(WRITE_ONLY_FD), &st), 0);
  cr_assert_eq(st.st_mode, S_IFLNK | 0300);
  cr_assert_eq(room_stat(fd_path(999), &st), -ENOENT);
}

Test(procfs_fd, a_file_is_opened_anew) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE, own DZ_NODE = DZ_NODE_NONE;
  char *text DZ_FREE = NULL;

  room_guest(hold_things, NULL);
  cr_assert_eq(room_walk(fd_path(FILE_FD), DZ_WALK_FOLLOW, &node), 0);
  cr_assert_eq(room_walk("/etc/file", 0, &own), 0);
  cr_assert(dz_node_same(&node, &own));
  text = room_read(fd_path(FILE_FD)); /* a position of its own */
  cr_assert_str_eq(text, "content");
  cr_assert_geq(room_open(fd_path(DELETED_FD), O_RDWR), 0);
}

Test(procfs_fd, a_walk_goes_on_from_a_directory) {
  char *text DZ_FREE = NULL;
  struct dz_node node = DZ_NODE_NONE;

  room_guest(hold_things, NULL);
  text = room_read(room_format("%s/file", fd_path(DIRECTORY_FD)));
  cr_assert_str_eq(text, "content");
  cr_assert_eq(room_walk(room_format("%s/x", fd_path(FILE_FD)), 0, &node), -ENOTDIR);
  cr_assert_eq(room_walk(room_format("%s/x", fd_path(PIPE_READ_FD)), 0, &node), -ENOTDIR);
}

Test(procfs_fd, a_pipe_is_opened_anew) {
  int reader DZ_FD = -1, writer DZ_FD = -1;
  char byte = 0;

  room_guest(hold_things, NULL);
  room.view.may_block = false;
  reader = room_open(fd_path(PIPE_READ_FD), O_RDONLY);
  writer = room_open(fd_path(PIPE_READ_FD), O_WRONLY);
  cr_assert_geq(reader, 0);
  cr_assert_geq(writer, 0);
  cr_assert_eq(write(writer, "x", 1), 1);
  cr_assert_eq(read(reader, &byte, 1), 1);
  cr_assert_eq(byte, 'x');
}

Test(procfs_fd, a_memfd_is_opened_anew) {
  int fd DZ_FD = -1, path DZ_FD = -1;
  struct stat st, same;
  pid_t guest = room_guest(hold_things, NULL);

  fd = room_open(fd_path(MEMFD_FD), O_RDWR);
  cr_assert_geq(fd, 0);
  cr_assert_eq(fstat(fd, &st) | stat(room_format("/proc/%d/fd/%d", guest, MEMFD_FD), &same), 0);
  cr_assert_eq(st.st_ino, same.st_ino);
}

Test(procfs_fd, a_socket_gives_ENXIO) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  struct stat st;

  room_guest(hold_things, NULL);
  cr_assert_eq(room_open(fd_path(SOCKET_FD), O_RDWR), -ENXIO);
  cr_assert_eq(room_walk(fd_path(SOCKET_FD), DZ_WALK_FOLLOW, &node), 0);
  cr_assert_eq(node.mount->ops->stat(&room.view, &node, &st), 0);
  cr_assert(S_ISSOCK(st.st_mode));
}

Test(procfs_fd, what_came_from_outside_is_opened_with_no_more_access_than_it_has) {
  room_guest(hold_things, NULL);
  cr_assert_eq(room_open(fd_path(OUTSIDE_FD), O_RDWR), -EACCES);
  cr_assert_eq(room_open(fd_path(OUTSIDE_FD), O_WRONLY), -EACCES);
  cr_assert_eq(room_open(fd_path(OUTSIDE_FD), O_RDONLY | O_TRUNC), -EACCES);
  cr_assert_geq(room_open(fd_path(OUTSIDE_FD), O_RDONLY), 0);
  cr_assert_eq(room_open(fd_path(WRITE_ONLY_FD), O_RDONLY), -EACCES);
  cr_assert_geq(room_open(fd_path(WRITE_ONLY_FD), O_WRONLY | O_APPEND), 0);
}

Test(procfs_fd, a_live_file_of_the_host_cannot_be_opened_for_writing_by_its_descriptor) {
  room_guest(hold_things, NULL);
  cr_assert_eq(room_open(fd_path(SYS_FD), O_WRONLY), -EACCES);
  cr_assert_eq(room_open(fd_path(SYS_FD), O_RDWR), -EACCES);
  cr_assert_geq(room_open(fd_path(SYS_FD), O_RDONLY), 0);
}

Test(procfs_fd, a_directory_from_outside_gives_no_way_out) {
  struct dz_node node = DZ_NODE_NONE;

  room_guest(hold_things, NULL);
  cr_assert_eq(room_walk(fd_path(SECRET_DIRECTORY_FD), DZ_WALK_FOLLOW, &node), -EACCES);
  cr_assert_eq(room_walk(room_format("%s/private", fd_path(SECRET_DIRECTORY_FD)), 0, &node),
               -EACCES);
  cr_assert_eq(room_walk(room_format("%s/..", fd_path(SECRET_DIRECTORY_FD)), 0, &node), -EACCES);
}

Test(procfs_fd, standard_descriptors_are_reached_through_dev) {
  char text[PATH_MAX];

  room_guest(hold_things, NULL);
  cr_assert_gt(room_link("/dev/stdin", text), 0);
  cr_assert_str_eq(text, "/proc/self/fd/0");
  cr_assert_geq(room_open(room_format("/dev/fd/%d", FILE_FD), O_RDONLY), 0);
}

static void hold_a_snapshot(void) {
  struct dz_node node = DZ_NODE_NONE;
  struct dz_open_how how = {.flags = O_RDONLY};

  if (room_walk("/proc/filesystems", 0, &node))
    _exit(1);
  place_at(node.mount->ops->open(&room.view, &node, &how), 100);
  place_at(dz_vfs_placeholder(&room.view, &node.mount->root), 101);
}

Test(procfs_fd, a_snapshot_shows_as_what_it_is_of) {
  char text[PATH_MAX];

  room_guest(hold_a_snapshot, NULL);
  cr_assert_gt(room_link(fd_path(100), text), 0);
  cr_assert_str_eq(text, "/proc/filesystems");
  cr_assert_geq(room_open(fd_path(100), O_RDONLY), 0);
}

Test(procfs_fd, fdinfo_has_the_guests_mount) {
  char *text DZ_FREE = NULL, *pipe DZ_FREE = NULL, line[512];

  room_guest(hold_things, NULL);
  text = room_read(room_format("/proc/self/fdinfo/%d", FILE_FD));
  cr_assert_str_eq(room_line(text, "pos:", line), "pos:\t3");
  cr_assert_str_eq(room_line(text, "mnt_id:", line), "mnt_id:\t1");
  pipe = room_read(room_format("/proc/self/fdinfo/%d", PIPE_READ_FD));
  cr_assert_str_eq(room_line(pipe, "mnt_id:", line), "mnt_id:\t0");
}

/* ---- net/unix ---- */

static void bind_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);

  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1))
    _exit(1);
}

static void listen_within(void) {
  bind_at(room_format("%s/tmp/socket", room.root));
}

Test(procfs_fd, unix_sockets_are_those_of_members_with_guest_names) {
  char *text DZ_FREE = NULL;

  bind_at(room_format("%s/host-socket", room.scratch));
  room_guest(listen_within, NULL);
  text = room_read("/proc/net/unix");
  cr_assert_not_null(strstr(text, " /tmp/socket\n"), "%s", text);
  cr_assert_null(strstr(text, room.scratch), "%s", text);
  cr_assert_eq(strncmp(text, "Num ", 4), 0);
}
