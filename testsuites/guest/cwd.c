/* The working directory and the root: getcwd, chdir, fchdir, chroot, and who shares them. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <pthread.h>
#include <sched.h>

static void show_cwd(const char *label) {
  char dir[PATH_MAX];
  static char start[PATH_MAX];

  if (!start[0])
    must(getcwd(start, sizeof(start)) ? 0 : -1);
  if (!getcwd(dir, sizeof(dir)))
    say("%s: -1 %s\n", label, errno_name(errno));
  else
    show_path(label, start, dir);
}

CASE(chdir_changes_what_getcwd_says) {
  show_cwd("at the start");
  must(mkdir("d", 0755));
  must(mkdir("d/sub", 0755));
  must(symlink("d/sub", "link"));
  ok(chdir("d"));
  show_cwd("chdir d");
  ok(chdir("sub"));
  show_cwd("chdir sub");
  ok(chdir(".."));
  show_cwd("chdir ..");
  ok(chdir("../link"));
  show_cwd("by a symlink");
  ok(chdir("/"));
  show_cwd("chdir /");
  ok(chdir("/../tmp/./../tmp"));
  show_cwd("absolute");
}

CASE(chdir_errors) {
  put_file("f", "");
  must(symlink("nowhere", "dangling"));
  show_cwd("before");
  fails(chdir("f"), ENOTDIR);
  fails(chdir("missing"), ENOENT);
  fails(chdir("dangling"), ENOENT);
  fails(chdir("f/x"), ENOTDIR);
  show_cwd("after");
}

CASE(chdir_needs_search_permission) {
  int fd;

  need_ordinary_user();
  must(mkdir("d", 0600));
  fd = must(open("d", O_RDONLY));
  fails(chdir("d"), EACCES);
  fails(fchdir(fd), EACCES);
  must(chmod("d", 0100));
  ok(chdir("d"));
  show_cwd("unreadable");
}

CASE(fchdir_goes_where_the_descriptor_points) {
  int fd, file, ends[2];

  show_cwd("at the start");
  must(mkdir("d", 0755));
  put_file("f", "");
  fd = must(open("d", O_RDONLY));
  file = must(open("f", O_RDONLY));
  must(pipe(ends));
  must(rename("d", "e"));
  ok(fchdir(fd));
  show_cwd("after a rename");
  fails(fchdir(file), ENOTDIR);
  fails(fchdir(ends[0]), ENOTDIR);
  fails(fchdir(99), EBADF);
  fails(fchdir(AT_FDCWD), EBADF);
}

CASE(getcwd_with_a_small_buffer_fails_with_ERANGE) {
  char dir[PATH_MAX];
  long length = must(syscall(SYS_getcwd, dir, sizeof(dir)));

  check((size_t)length == strlen(dir) + 1);
  fails(syscall(SYS_getcwd, dir, length - 1), ERANGE);
  check(syscall(SYS_getcwd, dir, length) == length);
  fails(syscall(SYS_getcwd, dir, 0), ERANGE);
  must(chdir("/"));
  is(syscall(SYS_getcwd, dir, 2), 2);
  fails(syscall(SYS_getcwd, dir, 1), ERANGE);
}

CASE(getcwd_of_a_removed_directory_fails_with_ENOENT) {
  char dir[PATH_MAX];

  must(mkdir("d", 0755));
  must(chdir("d"));
  must(rmdir("../d"));
  fails(syscall(SYS_getcwd, dir, sizeof(dir)), ENOENT);
  must(mkdir("../d", 0755)); /* another of the same name is another */
  fails(syscall(SYS_getcwd, dir, sizeof(dir)), ENOENT);
  fails(open("f", O_CREAT | O_WRONLY, 0644), ENOENT);
  ok(chdir("../d"));
  ok(open("f", O_CREAT | O_WRONLY, 0644));
}

CASE(getcwd_follows_a_rename_of_any_parent) {
  show_cwd("at the start");
  must(mkdir("a", 0755));
  must(mkdir("a/b", 0755));
  must(mkdir("a/b/c", 0755));
  must(chdir("a/b/c"));
  must(rename("../../../a", "../../../renamed"));
  show_cwd("the grandparent renamed");
  must(rename("../../b", "../../../moved"));
  show_cwd("the parent moved");
  put_file("f", "");
  must(chdir(".."));
  show_directory("c");
}

CASE(the_working_directory_is_inherited_by_fork_and_kept_by_exec) {
  pid_t child;

  show_cwd("parent");
  must(mkdir("d", 0755));
  child = fork();
  if (child == 0) {
    must(chdir("d"));
    show_cwd("child");
    leave();
  }
  expect_exit(child, 0);
  show_cwd("parent");
}

ROLE(show_where) {
  show_directory(".");
  return 0;
}

CASE(exec_starts_where_the_caller_was) {
  pid_t child;

  must(mkdir("d", 0755));
  put_file("d/in_d", "");
  child = fork();
  if (child == 0) {
    must(chdir("d"));
    execl(guest_self, guest_self, "@show_where", NULL);
    leave();
  }
  expect_exit(child, 0);
}

static void *go_down(void *unused) {
  (void)unused;
  ok(chdir("d"));
  return NULL;
}

CASE(threads_share_the_working_directory) {
  pthread_t thread;

  show_cwd("before");
  must(mkdir("d", 0755));
  must(-pthread_create(&thread, NULL, go_down, NULL));
  must(-pthread_join(thread, NULL));
  show_cwd("after a thread's chdir");
}

static void *go_down_alone(void *unused) {
  (void)unused;
  ok(unshare(CLONE_FS));
  ok(chdir("d"));
  show_cwd("in the thread");
  is(umask(055), 022);
  return NULL;
}

CASE(a_thread_can_leave_the_shared_directory_by_unshare) {
  pthread_t thread;

  show_cwd("before");
  must(mkdir("d", 0755));
  must(-pthread_create(&thread, NULL, go_down_alone, NULL));
  must(-pthread_join(thread, NULL));
  show_cwd("after");
  is(umask(022), 022);
}

static int clone_and_go_down(void *unused) {
  (void)unused;
  return chdir("d") == 0 && umask(055) == 022 ? 0 : 1;
}

CASE(a_process_cloned_with_CLONE_FS_shares_the_directory) {
  static char stack[65536];
  pid_t child;

  show_cwd("before");
  must(mkdir("d", 0755));
  child = must(clone(clone_and_go_down, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL));
  expect_exit(child, 0);
  show_cwd("after");
  is(umask(022), 055);
}

CASE(a_vforked_child_has_a_directory_of_its_own) {
  pid_t child;

  show_cwd("before");
  must(mkdir("d", 0755));
  child = vfork();
  if (child == 0)
    _exit(chdir("d") == 0 ? 0 : 1);
  expect_exit(child, 0);
  show_cwd("after");
}

CASE(chroot_makes_a_directory_the_root) {
  pid_t child;

  need_superuser();
  must(mkdir("jail", 0755));
  must(mkdir("jail/inside", 0755));
  put_file("jail/f", "in the jail");
  must(symlink("/f", "jail/absolute"));
  child = fork();
  if (child == 0) {
    ok(chroot("jail"));
    show_file("/f");
    show_file("/../../f");
    show_file("/absolute");
    fails(open("/bin", O_RDONLY), ENOENT);
    check(exists("jail/f")); /* the working directory stays, outside */
    ok(chdir("/"));
    show_directory(".");
    show_directory("..");
    ok(chdir("inside"));
    show_file("../f");
    show_file("../../../f");
    say("%s\n", getcwd((char[64]){0}, 64));
    leave();
  }
  expect_exit(child, 0);
  check(exists("/bin"));
}

CASE(getcwd_outside_of_the_root_is_marked_unreachable) {
  char dir[PATH_MAX];
  pid_t child;

  need_superuser();
  must(mkdir("jail", 0755));
  child = fork();
  if (child == 0) {
    must(chroot("jail"));
    must(syscall(SYS_getcwd, dir, sizeof(dir)));
    dir[sizeof("(unreachable)") - 1] = 0;
    say("%s\n", dir);
    check(strcmp(dir, "(unreachable)") == 0);
    leave();
  }
  expect_exit(child, 0);
}

CASE(chroot_errors) {
  need_superuser();
  put_file("f", "");
  fails(chroot("f"), ENOTDIR);
  fails(chroot("missing"), ENOENT);
  fails(chroot(""), ENOENT);
  fails(chroot(bad_path), EFAULT);
}

CASE(chroot_is_for_the_superuser) {
  need_ordinary_user();
  must(mkdir("d", 0755));
  fails(chroot("d"), EPERM);
  fails(chroot("missing"), ENOENT);
}
