/* /proc as a process sees itself in it. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const char *link_text(const char *path) {
  static char text[PATH_MAX + 1];
  ssize_t length = readlink(path, text, PATH_MAX);

  text[length < 0 ? 0 : length] = 0;
  return length < 0 ? errno_name(errno) : text;
}

static const char *fd_path(int fd) {
  static char path[64];

  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  return path;
}

CASE(proc_self_is_the_callers_number) {
  char text[32];

  snprintf(text, sizeof(text), "%d", (int)getpid());
  check(strcmp(link_text("/proc/self"), text) == 0);
  snprintf(text, sizeof(text), "%d/task/%d", (int)getpid(), (int)gettid());
  check(strcmp(link_text("/proc/thread-self"), text) == 0);
  check(same_path("/proc/self/status", "/proc/self/../self/status"));
}

CASE(proc_self_fd_names_what_is_open) {
  int fd;

  put_file("f", "");
  fd = must(open("f", O_RDONLY));
  show_path("file", start_directory(), link_text(fd_path(fd)));
  must(rename("f", "g"));
  show_path("renamed", start_directory(), link_text(fd_path(fd)));
  must(unlink("g"));
  show_path("removed", start_directory(), link_text(fd_path(fd)));
  fd = must(open(".", O_PATH));
  show_path("directory", start_directory(), link_text(fd_path(fd)));
  fd = must(open("/", O_RDONLY));
  say("root: %s\n", link_text(fd_path(fd)));
  fd = must(open("/dev/null", O_RDONLY));
  say("device: %s\n", link_text(fd_path(fd)));
  say("closed: %s\n", link_text(fd_path(99)));
}

CASE(proc_self_fd_of_pipes_sockets_and_memory) {
  int ends[2];

  must(pipe(ends));
  say("%.6s\n", link_text(fd_path(ends[0])));
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  say("%.8s\n", link_text(fd_path(ends[0])));
  say("%s\n", link_text(fd_path(must(memfd_create("name", 0)))));
}

CASE(proc_self_fd_can_be_opened_anew) {
  char text[8];
  int fd, again, ends[2];

  put_file("f", "text");
  fd = must(open("f", O_RDONLY));
  must(read(fd, text, 2));
  must(unlink("f"));
  again = ok(open(fd_path(fd), O_RDWR));
  is(read(again, text, sizeof(text)), 4);
  must(pipe(ends));
  again = ok(open(fd_path(ends[1]), O_WRONLY));
  is(write(again, "piped", 5), 5);
  is(read(ends[0], text, sizeof(text)), 5);
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  fails(open(fd_path(ends[0]), O_RDWR), ENXIO);
  fails(open(fd_path(99), O_RDONLY), ENOENT);
}

CASE(proc_self_fd_lists_what_is_open) {
  struct dirent *entry;
  DIR *dir;
  char seen[64] = "";

  must(open("/dev/null", O_RDONLY));
  must(dup2(3, 7));
  must(close(3));
  dir = opendir("/proc/self/fd");
  while ((entry = readdir(dir)))
    if (entry->d_name[0] != '.' && atoi(entry->d_name) < 10)
      seen[atoi(entry->d_name)] = 'x';
  for (int i = 0; i < 10; i++)
    say("%d %s\n", i, seen[i] ? "open" : "closed");
  check(dirfd(dir) == 3);
}

CASE(proc_self_fd_leads_into_directories) {
  char path[128];
  int fd;

  must(mkdir("d", 0755));
  put_file("d/f", "text");
  fd = must(open("d", O_RDONLY));
  snprintf(path, sizeof(path), "/proc/self/fd/%d/f", fd);
  show_file("d/f");
  ok(access(path, R_OK));
  snprintf(path, sizeof(path), "/proc/self/fd/%d/../d/f", fd);
  ok(access(path, R_OK));
  ok(chdir(fd_path(fd)));
  show_directory(".");
}

CASE(proc_self_exe_is_the_program) {
  char path[PATH_MAX];

  check(strcmp(link_text("/proc/self/exe"), realpath(guest_self, path)) == 0);
  check(same_path("/proc/self/exe", guest_self));
  ok(open("/proc/self/exe", O_RDONLY));
}

ROLE(show_exe) {
  char start[PATH_MAX];

  must(getcwd(start, sizeof(start)) ? 0 : -1);
  show_path("exe", start, link_text("/proc/self/exe"));
  fails(open("/proc/self/exe", O_WRONLY), ETXTBSY);
  must(rename("prog", "renamed"));
  show_path("exe", start, link_text("/proc/self/exe"));
  must(unlink("renamed"));
  show_path("exe", start, link_text("/proc/self/exe"));
  ok(open("/proc/self/exe", O_RDONLY));
  return 0;
}

CASE(proc_self_exe_follows_a_rename_and_tells_of_a_removal) {
  pid_t child;

  copy_self("prog", 0755);
  must(symlink("prog", "link"));
  child = fork();
  if (child == 0) {
    execl("./link", "link", "@show_exe", NULL);
    leave();
  }
  expect_exit(child, 0);
}

CASE(proc_self_exe_can_be_executed) {
  pid_t child = fork();

  if (child == 0) {
    execl("/proc/self/exe", "again", "@say_argv0", NULL);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(say_argv0) {
  say("argv[0] is %s\n", argv[0]);
  return 0;
}

CASE(proc_self_cwd_and_root_lead_to_directories) {
  char path[PATH_MAX];

  must(mkdir("d", 0755));
  put_file("d/f", "text");
  start_directory();
  must(chdir("d"));
  show_path("cwd", start_directory(), link_text("/proc/self/cwd"));
  say("root: %s\n", link_text("/proc/self/root"));
  show_file("/proc/self/cwd/f");
  check(same_path("/proc/self/root/bin", "/bin") && same_path("/proc/self/root", "/"));
  snprintf(path, sizeof(path), "/proc/%d/cwd/f", (int)getpid());
  ok(access(path, R_OK));
  must(rename("../d", "../e"));
  show_path("cwd", start_directory(), link_text("/proc/self/cwd"));
}

CASE(dev_fd_and_dev_stdin_are_the_descriptors) {
  char text[16];
  int ends[2], fd;

  must(pipe(ends));
  must(write(ends[1], "through", 7));
  must(dup2(ends[0], 0));
  fd = ok(open("/dev/stdin", O_RDONLY));
  is(read(fd, text, 3), 3);
  fd = ok(open("/dev/fd/0", O_RDONLY));
  is(read(fd, text, 16), 4);
  put_file("f", "text");
  must(dup2(must(open("f", O_RDONLY)), 0));
  fd = ok(open("/dev/stdin", O_RDONLY));
  is(read(fd, text, 16), 4);
  fails(open("/dev/fd/99", O_RDONLY), ENOENT);
  say("%s %s\n", link_text("/dev/fd"), link_text("/dev/stdout"));
}

/* One field of /proc/self/status, after the tab. */
static const char *status_field(const char *name) {
  static char text[8192];
  char *line;

  if (get_file("/proc/self/status", text, sizeof(text)) < 0)
    return "unreadable";
  for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
    if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
      return line + strlen(name) + 2;
  return "missing";
}

CASE(proc_self_status_is_about_the_caller) {
  umask(027);
  must(prctl(PR_SET_NAME, "a name"));
  say("Name %s\n", status_field("Name"));
  say("Umask %s\n", status_field("Umask"));
  say("State %s\n", status_field("State"));
  say("Threads %s\n", status_field("Threads"));
  check(atoi(status_field("Pid")) == (int)getpid());
  check(atoi(status_field("Tgid")) == (int)getpid());
  check(atoi(status_field("PPid")) == (int)getppid());
  is(atoi(status_field("TracerPid")), 0);
  check(atoi(status_field("Uid")) == (int)getuid());
  check(atoi(status_field("Gid")) == (int)getgid());
}

CASE(proc_self_comm_can_be_read_and_written) {
  char name[17] = "";
  int fd = ok(open("/proc/self/comm", O_RDWR));

  is(write(fd, "a rather long name", 18), 18);
  show_file("/proc/self/comm");
  must(prctl(PR_GET_NAME, name));
  say("%s\n", name);
}

ROLE(show_cmdline) {
  char text[256];

  show_bytes("cmdline", text, get_file("/proc/self/cmdline", text, sizeof(text)));
  show_file("/proc/self/comm");
  show_bytes("environ", text, get_file("/proc/self/environ", text, sizeof(text)));
  return 0;
}

CASE(proc_self_cmdline_comm_and_environ_are_what_exec_was_given) {
  char *arguments[] = {"any name", "@show_cmdline", "", "a b", NULL};
  char *environment[] = {"A=1", "EMPTY=", "B=2", NULL};
  pid_t child;

  copy_self("a_long_program_name", 0755);
  child = fork();
  if (child == 0) {
    execve("./a_long_program_name", arguments, environment);
    leave();
  }
  expect_exit(child, 0);
}

CASE(proc_self_maps_names_the_program_and_the_stack) {
  char line[512], path[PATH_MAX];
  bool program = false, stack = false, foreign = false;
  FILE *maps = fopen("/proc/self/maps", "r");

  must(realpath(guest_self, path) ? 0 : -1);
  while (maps && fgets(line, sizeof(line), maps)) {
    line[strcspn(line, "\n")] = 0;
    program = program || (strchr(line, '/') && strcmp(strchr(line, '/'), path) == 0);
    stack = stack || strstr(line, "[stack]");
    foreign = foreign || (strchr(line, '/') && !exists(strchr(line, '/')));
  }
  check(maps && program && stack);
  check(!foreign && "every mapped file can be found by its name");
}

static void *list_tasks(void *count) {
  DIR *dir = opendir("/proc/self/task");
  struct dirent *entry;

  while ((entry = readdir(dir)))
    *(int *)count += entry->d_name[0] != '.';
  closedir(dir);
  return NULL;
}

CASE(proc_self_task_lists_the_threads) {
  pthread_t thread;
  int count = 0;

  must(-pthread_create(&thread, NULL, list_tasks, &count));
  must(-pthread_join(thread, NULL));
  is(count, 2);
}

CASE(proc_of_a_child_appears_and_disappears) {
  char path[64];
  pid_t child = fork();

  if (child == 0) {
    pause();
    leave();
  }
  snprintf(path, sizeof(path), "/proc/%d", (int)child);
  ok(access(path, F_OK));
  await(process_state(child) == 'S');
  must(kill(child, SIGKILL));
  await(process_state(child) == 'Z');
  expect_signal(child, SIGKILL);
  fails(access(path, F_OK), ENOENT);
}

CASE(proc_cannot_be_written_as_a_directory) {
  fails(mkdir("/proc/new", 0755), ENOENT);
  fails(open("/proc/new", O_CREAT | O_WRONLY, 0644), ENOENT);
  fails(open("/proc/self/nothing", O_RDONLY), ENOENT);
  fails(open("/proc/999999999", O_RDONLY), ENOENT);
}

CASE(nothing_can_be_removed_from_proc) {
  need_unmapped();
  show(unlink("/proc/version")); /* EPERM for the superuser, EACCES for others */
  show(rmdir("/proc/self/task"));
  show(rename("/proc/version", "/proc/other"));
}

CASE(the_general_files_of_proc_are_there) {
  char text[256];

  check(get_file("/proc/version", text, sizeof(text)) > 0);
  say("%.13s\n", text);
  check(get_file("/proc/meminfo", text, sizeof(text)) > 0);
  say("%.9s\n", text);
  check(get_file("/proc/uptime", text, sizeof(text)) > 0 && atof(text) > 0);
  check(get_file("/proc/stat", text, sizeof(text)) > 0 && strncmp(text, "cpu ", 4) == 0);
  check(get_file("/proc/loadavg", text, sizeof(text)) > 0);
  check(get_file("/proc/filesystems", text, sizeof(text)) > 0);
  check(get_file("/proc/cpuinfo", text, sizeof(text)) > 0);
  check(get_file("/proc/self/mounts", text, sizeof(text)) > 0);
  check(get_file("/proc/mounts", text, sizeof(text)) > 0);
  check(get_file("/proc/self/mountinfo", text, sizeof(text)) > 0);
  check(get_file("/proc/sys/kernel/ostype", text, sizeof(text)) > 0);
  say("%s", text);
  check(get_file("/proc/sys/kernel/random/uuid", text, sizeof(text)) == 37);
}
