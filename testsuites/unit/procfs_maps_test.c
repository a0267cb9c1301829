/* /proc/PID/maps and smaps of a program that runs as denizen's copy, with a copy of its
 * interpreter: what a guest of the loader looks like on the host. */
#include "testsuites/unit/madeup_room.h"

#include "host/calls.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define INTERPRETER "/lib64/ld-linux-x86-64.so.2"

static char cache[192];

static void copy_file(const char *from, const char *to) {
  int in DZ_FD = open(from, O_RDONLY | O_CLOEXEC);
  int out DZ_FD = open(to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);
  ssize_t got;
  char buffer[65536];

  cr_assert(in >= 0 && out >= 0, "%s to %s: %s", from, to, strerror(errno));
  while ((got = read(in, buffer, sizeof buffer)) > 0)
    cr_assert_eq(dz_write_all(out, buffer, (size_t)got), 0);
}

/* The copy's interpreter is a file of the cache, relative to the working directory. */
static void patch_interpreter(const char *path) {
  int fd DZ_FD = open(path, O_RDWR | O_CLOEXEC);
  char data[65536], *at;
  ssize_t size = pread(fd, data, sizeof data, 0);

  cr_assert_gt(size, 0);
  at = memmem(data, (size_t)size, INTERPRETER, sizeof INTERPRETER);
  cr_assert_not_null(at, "%s does not name %s", path, INTERPRETER);
  memset(at, 0, sizeof INTERPRETER);
  memcpy(at, "./ld", sizeof "./ld");
  cr_assert_eq(pwrite(fd, data, (size_t)size, 0), size);
}

static void prepare(void) {
  room_make();
  snprintf(cache, sizeof cache, "%s/cache", room.scratch);
  cr_assert_eq(mkdir(cache, 0755), 0);
  cr_assert_eq(mkdir(room_format("%s/lib64", room.root), 0755), 0);
  cr_assert_eq(mkdir(room_format("%s/usr", room.root), 0755), 0);
  copy_file("/bin/sleep", room_format("%s/usr/sleep", room.root));
  copy_file(INTERPRETER, room_format("%s/usr/ld.so", room.root));
  cr_assert_eq(symlink("/usr/ld.so", room_format("%s%s", room.root, INTERPRETER)), 0);
  copy_file("/bin/sleep", room_format("%s/sleep", cache));
  patch_interpreter(room_format("%s/sleep", cache));
  copy_file(INTERPRETER, room_format("%s/ld", cache));
}

static pid_t sleeper;

static void finish(void) {
  if (sleeper > 0) {
    kill(sleeper, SIGKILL);
    waitpid(sleeper, NULL, 0);
  }
  room_free();
}

TestSuite(procfs_maps, .init = prepare, .fini = finish);

/* Start the copy and wait until its interpreter has mapped the C library. */
static void start_copy(void) {
  char path[64], text[65536];

  sleeper = fork();
  cr_assert_geq(sleeper, 0);
  if (sleeper == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(cache) == 0)
      execl("./sleep", "sleep", "1000", NULL);
    _exit(127);
  }
  snprintf(path, sizeof path, "/proc/%d/maps", sleeper);
  for (int i = 0; i < 500; i++) {
    if (dz_read_file_at(AT_FDCWD, path, text, sizeof text) > 0 && strstr(text, "/sleep") &&
        strstr(text, "libc"))
      break;
    usleep(10000);
  }
  cr_assert_not_null(strstr(text, room_format("%s/ld", cache)), "the copy runs:\n%s", text);
  room_adopt(sleeper, NULL, "/usr/sleep");
  room.proc.init = sleeper;
  room.view.tid = room.view.tgid = sleeper;
}

/* Every mapping of the name has the numbers of the guest's file. Returns how many there are. */
static int count_mappings(const char *text, const char *name) {
  struct stat st;
  int count = 0;

  cr_assert_eq(room_stat(name, &st), 0);
  for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
    char path[256] = "";
    unsigned long ino;
    unsigned high, low;

    if (sscanf(line, "%*x-%*x %*s %*x %x:%x %lu %255[^\n]", &high, &low, &ino, path) < 4 ||
        strcmp(path, name) != 0)
      continue;
    cr_assert_eq(ino, st.st_ino);
    cr_assert(high == major(st.st_dev) && low == minor(st.st_dev));
    cr_assert_eq(line[72], ' ', "the name's column:\n%.120s", line);
    cr_assert_eq(line[73], '/', "the name's column:\n%.120s", line);
    count++;
  }
  return count;
}

Test(procfs_maps, program_and_interpreter_show_as_the_guests_own) {
  char *text DZ_FREE = NULL;

  start_copy();
  text = room_read("/proc/self/maps");
  cr_assert_geq(count_mappings(text, "/usr/sleep"), 3, "%s", text);
  cr_assert_geq(count_mappings(text, "/usr/ld.so"), 3, "%s", text);
  cr_assert_not_null(strstr(text, "[stack]\n"));
  cr_assert_not_null(strstr(text, "[heap]\n"));
}

Test(procfs_maps, nothing_tells_where_the_host_keeps_files) {
  static const char *const files[] = {"/proc/self/maps", "/proc/self/smaps"};

  start_copy();
  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++) {
    char *text DZ_FREE = room_read(files[i]);

    cr_assert_null(strstr(text, room.scratch), "%s", text);
    cr_assert_null(strstr(text, "/lib/x86_64"), "%s", text);
    cr_assert_not_null(strstr(text, " /libc"), "a file from outside shows by its name:\n%s", text);
  }
}

Test(procfs_maps, ranges_are_the_hosts) {
  char *text DZ_FREE = NULL, *host DZ_FREE = malloc(1 << 16);
  const char *ours, *theirs;

  start_copy();
  text = room_read("/proc/self/maps");
  cr_assert_gt(dz_read_file_at(AT_FDCWD, room_format("/proc/%d/maps", sleeper), host, 1 << 16), 0);
  for (ours = text, theirs = host; *ours && *theirs;
       ours = strchr(ours, '\n') + 1, theirs = strchr(theirs, '\n') + 1)
    cr_assert_eq(strncmp(ours, theirs, strcspn(theirs, ":") - 2), 0, "%.80s", ours);
  cr_assert(!*ours && !*theirs);
}

Test(procfs_maps, smaps_keeps_its_fields) {
  char *text DZ_FREE = NULL;
  int rss = 0, flags = 0;

  start_copy();
  text = room_read("/proc/self/smaps");
  for (const char *at = text; (at = strstr(at, "\nRss:")); at++)
    rss++;
  for (const char *at = text; (at = strstr(at, "\nVmFlags:")); at++)
    flags++;
  cr_assert_gt(rss, 10);
  cr_assert_eq(rss, flags);
}

Test(procfs_maps, a_deleted_program_says_so) {
  char *text DZ_FREE = NULL, link[PATH_MAX];

  start_copy();
  cr_assert_eq(unlink(room_format("%s/usr/sleep", room.root)), 0);
  cr_assert_gt(room_link("/proc/self/exe", link), 0);
  cr_assert_str_eq(link, "/usr/sleep (deleted)");
  text = room_read("/proc/self/maps");
  cr_assert_not_null(strstr(text, " /usr/sleep (deleted)\n"), "%s", text);
}
