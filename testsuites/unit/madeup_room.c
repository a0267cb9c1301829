#include "testsuites/unit/madeup_room.h"

#include "host/calls.h"
#include "vfs/devfs.h"
#include "vfs/procfs.h"
#include "vfs/sysfs.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct room room;

static const char *const made_directories[] = {"proc", "dev", "sys", "etc", "bin", "tmp", "work"};

static void must(int result, const char *what) {
  cr_assert_geq(result, 0, "%s: %s", what, strerror(result < 0 ? -result : 0));
}

static int in_root(int flags, const char *name) {
  return openat(AT_FDCWD, room_format("%s/%s", room.root, name), flags | O_CLOEXEC, 0755);
}

static void mount_one(const struct dz_fs_ops *ops, void *fs, struct dz_node node,
                      const char *target, const char *source) {
  struct dz_mount_request request = {
      .ops = ops, .fs = fs, .root = node, .target = target, .source = source};
  struct dz_error error = {0};

  must(dz_vfs_mount(room.vfs, &request, &error), error.text);
}

static void mount_all(int private_fd) {
  struct dz_node node = DZ_NODE_NONE;
  struct dz_error error = {0};

  must(dz_vfs_make(private_fd, &room.vfs, &error), error.text);
  must(dz_hostfs_node(NULL, open(room.root, O_PATH | O_CLOEXEC), &node), "root");
  mount_one(&dz_hostfs, NULL, node, "/", room.root);
  must(dz_procfs_make(&room.proc, &room.procfs, &node, &error), error.text);
  mount_one(&dz_procfs, room.procfs, node, "/proc", "proc");
  must(dz_devfs_make(&room.proc, &room.devfs, &node, &error), error.text);
  mount_one(&dz_devfs, room.devfs, node, "/dev", "devtmpfs");
  must(dz_sysfs_make(&room.proc, &room.sysfs, &node, &error), error.text);
  mount_one(&dz_sysfs, room.sysfs, node, "/sys", "sysfs");
}

void room_make(void) {
  const char *directory = getenv("TMPDIR");
  uint64_t silo = (uint64_t)getpid() & DZ_TAG_SILO_MAX; /* tests run side by side */
  char path[256];

  memset(&room, 0, sizeof room);
  snprintf(room.scratch, sizeof room.scratch, "%s/denizen-proc.XXXXXX",
           directory ? directory : "/tmp");
  cr_assert_not_null(mkdtemp(room.scratch));
  snprintf(room.root, sizeof room.root, "%s/root", room.scratch);
  must((int)dz_result(mkdir(room.root, 0755)), "root");
  for (size_t i = 0; i < DZ_ARRAY_SIZE(made_directories); i++)
    must((int)dz_result(mkdir(room_format("%s/%s", room.root, made_directories[i]), 0755)),
         "mkdir");
  close(in_root(O_CREAT | O_WRONLY, "bin/program"));
  snprintf(path, sizeof path, "%s/private", room.scratch);
  must((int)dz_result(mkdir(path, 0700)), path);
  room.proc = (struct dz_proc){
      .silo = silo,
      .proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
      .supervisor = getpid(),
      .host_uid = geteuid(),
      .host_gid = getegid(),
      .hostname = "guesthost",
      .domainname = "(none)",
      .terminal = -1,
  };
  must(dz_states_make(silo, &room.proc.states), "states");
  mount_all(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  room.view = (struct dz_view){.vfs = room.vfs,
                               .proc = &room.proc,
                               .root = dz_vfs_root(room.vfs),
                               .cwd = dz_vfs_root(room.vfs),
                               .may_block = true};
}

static int remove_one(const char *path, const struct stat *info DZ_UNUSED, int kind DZ_UNUSED,
                      struct FTW *level DZ_UNUSED) {
  return remove(path);
}

void room_free(void) {
  for (unsigned i = 0; i < room.guest_count; i++) {
    close(room.guest_pipes[i]);
    waitpid(room.guests[i], NULL, 0);
  }
  dz_vfs_free(room.vfs);
  dz_procfs_free(room.procfs);
  dz_devfs_free(room.devfs);
  dz_sysfs_free(room.sysfs);
  dz_states_free(room.proc.states);
  nftw(room.scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void room_adopt(pid_t pid, const struct dz_identity *identity, const char *program) {
  struct dz_state *draft = dz_state_draft(NULL);
  struct dz_node node = DZ_NODE_NONE;

  cr_assert_not_null(draft);
  must(dz_node_copy(dz_vfs_root(room.vfs), &node), "root");
  must(dz_state_set_root(draft, &node), "root");
  must(room_walk("/work", DZ_WALK_FOLLOW, &node), "/work");
  must(dz_state_set_cwd(draft, &node), "cwd");
  must(room_walk(program, DZ_WALK_FOLLOW, &node), program);
  dz_state_set_program(draft, dz_program_make(&node));
  draft->umask = 027;
  if (identity)
    draft->identity = *identity;
  must(dz_states_give(room.proc.states, pid, NULL, draft), "tag");
}

pid_t room_guest(void (*prepare)(void), const struct dz_identity *identity) {
  int ready[2], end[2];
  char byte;
  pid_t pid;

  cr_assert_eq(pipe2(ready, O_CLOEXEC) | pipe2(end, O_CLOEXEC), 0);
  pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(end[1]);
    for (unsigned i = 0; i < room.guest_count; i++)
      close(room.guest_pipes[i]);
    if (prepare)
      prepare();
    if (write(ready[1], "r", 1) != 1 || read(end[0], &byte, 1) < 0)
      _exit(1);
    _exit(0);
  }
  close(ready[1]);
  close(end[0]);
  cr_assert_eq(read(ready[0], &byte, 1), 1, "the guest could not prepare itself");
  close(ready[0]);
  room.guests[room.guest_count] = pid;
  room.guest_pipes[room.guest_count++] = end[1];
  room_adopt(pid, identity, "/bin/program");
  if (!room.view.tid) {
    room.view.tid = room.view.tgid = pid;
    room.proc.init = pid;
  }
  return pid;
}

/* ---- guest paths ---- */

int room_walk(const char *path, unsigned flags, struct dz_node *node) {
  struct dz_lookup lookup = DZ_LOOKUP_NONE;
  int err = dz_walk(&room.view, room.view.cwd, path, flags, &lookup);

  *node = err ? DZ_NODE_NONE : dz_node_take(&lookup.node);
  dz_lookup_drop(&lookup);
  return err;
}

int room_open(const char *path, int flags) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  struct dz_open_how how = {.flags = flags | O_CLOEXEC};
  int err = room_walk(path, flags & O_NOFOLLOW ? 0 : DZ_WALK_FOLLOW, &node);

  return err ? err : node.mount->ops->open(&room.view, &node, &how);
}

char *room_read(const char *path) {
  int fd DZ_FD = room_open(path, O_RDONLY);
  size_t size = 4 << 20, length = 0;
  char *text = malloc(size);

  must(fd, path);
  cr_assert_not_null(text);
  for (;;) {
    ssize_t got = read(fd, text + length, size - length - 1);

    cr_assert_geq(got, 0, "%s: %s", path, strerror(errno));
    length += (size_t)got;
    text[length] = '\0';
    if (got == 0)
      return text;
  }
}

int room_link(const char *path, char text[PATH_MAX]) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = room_walk(path, 0, &node);

  text[0] = '\0';
  return err ? err : (int)node.mount->ops->readlink(&room.view, &node, text, PATH_MAX);
}

int room_stat(const char *path, struct stat *st) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  int err = room_walk(path, 0, &node);

  return err ? err : node.mount->ops->stat(&room.view, &node, st);
}

#define LISTING_SIZE 65536

struct listing {
  char *text;
  size_t length;
  unsigned left;
  uint64_t next;
};

static int list_one(void *context, const struct dz_entry *entry) {
  struct listing *listing = context;

  cr_assert_geq(entry->next, 2, "%s: positions 0 and 1 are for . and ..", entry->name);
  if (!listing->left)
    return 1;
  listing->left--;
  listing->next = entry->next;
  listing->length += (size_t)snprintf(listing->text + listing->length,
                                      LISTING_SIZE - listing->length, "%s ", entry->name);
  cr_assert_lt(listing->length, LISTING_SIZE);
  return 0;
}

char *room_list(const char *path, unsigned at_once) {
  struct dz_node node DZ_NODE = DZ_NODE_NONE;
  struct listing listing = {.text = malloc(LISTING_SIZE), .next = 2, .length = 1};

  must(room_walk(path, DZ_WALK_FOLLOW, &node), path);
  cr_assert(listing.text && node.mount);
  memcpy(listing.text, " ", 2);
  do {
    listing.left = at_once;
    must(node.mount->ops->list(&room.view, &node, listing.next, list_one, &listing), path);
  } while (!listing.left);
  return listing.text;
}

bool room_listed(const char *names, const char *name) {
  return strstr(names, room_format(" %s ", name)) != NULL;
}

const char *room_line(const char *text, const char *start, char line[512]) {
  while (text && strncmp(text, start, strlen(start)) != 0) {
    text = strchr(text, '\n');
    text = text && text[1] ? text + 1 : NULL;
  }
  if (text)
    snprintf(line, 512, "%.*s", (int)strcspn(text, "\n"), text);
  return text ? line : NULL;
}

const char *room_format(const char *format, ...) {
  static char buffers[8][PATH_MAX];
  static unsigned next;
  char *buffer = buffers[next++ % DZ_ARRAY_SIZE(buffers)];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(buffer, sizeof buffers[0], format, arguments);
  va_end(arguments);
  return buffer;
}
