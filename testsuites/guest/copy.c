/* Moving bytes between descriptors: copy_file_range, sendfile, splice, and positioned input and
 * output. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

CASE(copy_file_range_copies_between_files) {
  off_t from = 2, to = 1;
  int in, out;

  put_file("in", "0123456789");
  put_file("out", "abc");
  in = must(open("in", O_RDONLY));
  out = must(open("out", O_RDWR));
  is(copy_file_range(in, &from, out, &to, 5, 0), 5);
  is(from, 7);
  is(to, 6);
  show_file("out");
  is(copy_file_range(in, NULL, out, NULL, 100, 0), 10);
  show_file("out");
  is(copy_file_range(in, NULL, out, NULL, 100, 0), 0);
  fails(copy_file_range(in, NULL, out, NULL, 1, 1 << 20), EINVAL);
  fails(copy_file_range(in, NULL, in, NULL, 1, 0), EBADF);
}

CASE(sendfile_copies_to_pipes_sockets_and_files) {
  char text[16];
  off_t offset = 4;
  int ends[2], in, out;

  put_file("in", "0123456789");
  in = must(open("in", O_RDONLY));
  must(pipe(ends));
  is(sendfile(ends[1], in, &offset, 3), 3);
  is(offset, 7);
  is(read(ends[0], text, sizeof(text)), 3);
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  is(sendfile(ends[1], in, NULL, 100), 10);
  is(read(ends[0], text, sizeof(text)), 10);
  out = must(open("out", O_CREAT | O_WRONLY, 0644));
  must(lseek(in, 8, SEEK_SET));
  is(sendfile(out, in, NULL, 100), 2);
  show_file("out");
}

CASE(splice_moves_between_files_and_pipes) {
  char text[16];
  int ends[2], others[2], in, out;

  put_file("in", "0123456789");
  in = must(open("in", O_RDONLY));
  out = must(open("out", O_CREAT | O_WRONLY, 0644));
  must(pipe(ends));
  must(pipe(others));
  is(splice(in, NULL, ends[1], NULL, 6, 0), 6);
  is(tee(ends[0], others[1], 6, 0), 6);
  is(splice(ends[0], NULL, out, NULL, 100, 0), 6);
  show_file("out");
  is(read(others[0], text, sizeof(text)), 6);
  fails(splice(in, NULL, out, NULL, 1, 0), EINVAL);
}

CASE(pread_and_pwrite_leave_the_position) {
  char text[16] = "";
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  is(pwrite(fd, "0123456789", 10, 5), 10);
  is(pread(fd, text, 4, 7), 4);
  show_bytes("read", text, 4);
  is(lseek(fd, 0, SEEK_CUR), 0);
  fails(pread(fd, text, 4, -1), EINVAL);
  fails(pread(must(dup(0)), text, 4, -1), EINVAL);
}

CASE(readv_and_writev_gather_and_scatter) {
  char a[4] = "", b[16] = "";
  struct iovec out[3] = {{"one ", 4}, {"", 0}, {"two", 3}}, in[2] = {{a, 3}, {b, 15}};
  int fd = must(open("f", O_RDWR | O_CREAT, 0644));

  is(writev(fd, out, 3), 7);
  is(lseek(fd, 0, SEEK_SET), 0);
  is(readv(fd, in, 2), 7);
  say("%s|%s\n", a, b);
  is(preadv(fd, in, 2, 4), 3);
  is(pwritev(fd, out, 1, 20), 4);
  fails(syscall(SYS_writev, fd, out, -1), EINVAL);
  fails(syscall(SYS_writev, fd, out, 1025), EINVAL);
}

CASE(lseek_knows_its_bounds) {
  int ends[2], fd = must(open("f", O_RDWR | O_CREAT, 0644));

  is(lseek(fd, 100, SEEK_SET), 100);
  is(write(fd, "x", 1), 1);
  is(lseek(fd, -1, SEEK_END), 100);
  is(lseek(fd, -50, SEEK_CUR), 50);
  fails(lseek(fd, -200, SEEK_CUR), EINVAL);
  fails(lseek(fd, 0, 77), EINVAL);
  must(pipe(ends));
  fails(lseek(ends[0], 0, SEEK_CUR), ESPIPE);
}

CASE(descriptors_are_duplicated) {
  int fd = must(open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0644));

  is(dup(fd), 4);
  is(fcntl(4, F_GETFD), 0);
  is(dup2(fd, 7), 7);
  is(dup2(7, 7), 7);
  is(dup3(fd, 8, O_CLOEXEC), 8);
  is(fcntl(8, F_GETFD), FD_CLOEXEC);
  fails(dup3(fd, fd, 0), EINVAL);
  fails(dup2(99, 5), EBADF);
  fails(dup2(99, 99), EBADF);
  is(fcntl(fd, F_DUPFD, 50), 50);
  fails(fcntl(99, F_GETFD), EBADF);
  fails(close(99), EBADF);
}

CASE(fsync_and_friends_work) {
  int fd, ends[2];

  put_file("f", "text");
  fd = must(open("f", O_WRONLY));
  ok(fsync(fd));
  ok(fdatasync(fd));
  ok(syncfs(fd));
  ok(fsync(must(open(".", O_RDONLY))));
  must(pipe(ends));
  fails(fsync(ends[0]), EINVAL);
  fails(fsync(99), EBADF);
  ok(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
}

CASE(bad_buffers_fail_with_EFAULT) {
  int fd;

  put_file("f", "text");
  fd = must(open("f", O_RDWR));
  fails(read(fd, bad_pointer, 4), EFAULT);
  fails(write(fd, bad_pointer, 4), EFAULT);
  fails(syscall(SYS_pipe, bad_pointer), EFAULT);
  is(read(fd, bad_pointer, 0), 0);
}
