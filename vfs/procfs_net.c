/*
 * net of a process. A silo uses the host's network, so the host's live files are
 * true to it. Left out: files that list processes' or other users' doings and not
 * the network's (netlink, packet, connector, ptype), and those of netfilter.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int unix_text(const struct dz_view *view, const struct dz_procfs_process *process,
                     struct dz_text *text);

static const struct {
  const char *name;
  dz_procfs_text *text; /* NULL: live */
} files[] = {
    {"anycast6", NULL},     {"arp", NULL},          {"dev", NULL},         {"dev_mcast", NULL},
    {"fib_trie", NULL},     {"fib_triestat", NULL}, {"icmp", NULL},        {"icmp6", NULL},
    {"if_inet6", NULL},     {"igmp", NULL},         {"igmp6", NULL},       {"ip6_flowlabel", NULL},
    {"ip6_mr_cache", NULL}, {"ip6_mr_vif", NULL},   {"ip_mr_cache", NULL}, {"ip_mr_vif", NULL},
    {"ipv6_route", NULL},   {"mcfilter", NULL},     {"mcfilter6", NULL},   {"netstat", NULL},
    {"protocols", NULL},    {"psched", NULL},       {"raw", NULL},         {"raw6", NULL},
    {"route", NULL},        {"rt6_stats", NULL},    {"rt_cache", NULL},    {"snmp", NULL},
    {"snmp6", NULL},        {"sockstat", NULL},     {"sockstat6", NULL},   {"softnet_stat", NULL},
    {"tcp", NULL},          {"tcp6", NULL},         {"udp", NULL},         {"udp6", NULL},
    {"udplite", NULL},      {"udplite6", NULL},     {"unix", unix_text},   {"wireless", NULL},
};

static int find(const char *name) {
  for (size_t i = 0; i < DZ_ARRAY_SIZE(files); i++)
    if (strcmp(files[i].name, name) == 0)
      return (int)i;
  return -ENOENT;
}

/* ---- unix: sockets that some member holds ---- */

struct inodes {
  unsigned long *numbers;
  size_t count, room;
};

static void drop_inodes(struct inodes *inodes) {
  free(inodes->numbers);
}

static int add_inode(struct inodes *inodes, unsigned long number) {
  if (inodes->count == inodes->room) {
    size_t room = inodes->room ? 2 * inodes->room : 64;
    unsigned long *grown = realloc(inodes->numbers, room * sizeof *grown);

    if (!grown)
      return -ENOMEM;
    inodes->numbers = grown;
    inodes->room = room;
  }
  inodes->numbers[inodes->count++] = number;
  return 0;
}

/* What a process holds is read through its held directory: it is a member's, or gone. */
static int add_sockets_of(struct dz_mount *mount, pid_t pid, struct inodes *inodes) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  struct dz_procfs_ref ref = {.area = DZ_PROCFS_PROCESS, .pid = pid};
  struct dz_node node = dz_procfs_node(mount, &ref, S_IFDIR | 0555);
  int fd = dz_procfs_process_open(&node, &process)
               ? -1
               : dz_open_child(process.dir, "fd", O_RDONLY | O_DIRECTORY, 0);
  DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
  struct dirent *entry;
  int err = 0;

  if (!directory && fd >= 0)
    close(fd);
  while (directory && !err && (entry = readdir(directory))) {
    char name[64];
    unsigned long number;
    ssize_t length = readlinkat(fd, entry->d_name, name, sizeof name - 1);

    if (length <= 0)
      continue;
    name[length] = '\0';
    if (sscanf(name, "socket:[%lu]", &number) == 1)
      err = add_inode(inodes, number);
  }
  if (directory)
    closedir(directory);
  return err;
}

static int compare_numbers(const void *a, const void *b) {
  unsigned long left = *(const unsigned long *)a, right = *(const unsigned long *)b;

  return left < right ? -1 : left > right;
}

/* unix_seq_show() of net/unix/af_unix.c: "Num RefCount Protocol Flags Type St Inode Path". */
static void add_socket(const struct dz_procfs_names *names, const struct inodes *held,
                       const char *line, size_t length, struct dz_text *text) {
  char copy[512];
  unsigned long number;
  int used = 0;

  snprintf(copy, sizeof copy, "%.*s", (int)length, line);
  if (sscanf(copy, "%*s %*s %*s %*s %*s %*s %lu%n", &number, &used) != 1 || !used || !held->count ||
      !bsearch(&number, held->numbers, held->count, sizeof number, compare_numbers))
    return;
  dz_text_add(text, copy, (size_t)used);
  if (copy[used] == ' ') {
    dz_text_add(text, " ", 1);
    if (copy[used + 1] == '/')
      dz_procfs_names_add(names, copy + used + 1, text);
    else
      dz_text_add(text, copy + used + 1, strlen(copy + used + 1));
  }
  dz_text_add(text, "\n", 1);
}

static int unix_text(const struct dz_view *view, const struct dz_procfs_process *process,
                     struct dz_text *text) {
  struct inodes held DZ_CLEANUP(drop_inodes) = {0};
  struct dz_procfs_names *names DZ_FREE = malloc(sizeof *names);
  struct dz_text host DZ_TEXT = {0};
  pid_t *pids DZ_FREE = NULL;
  size_t count;
  const char *line, *end;
  int err = dz_text_read(&host, process->dir, "net/unix");

  if (err || !names)
    return err ? err : -ENOMEM;
  err = dz_proc_list(process->fs->proc, &pids, &count);
  for (size_t i = 0; !err && i < count; i++)
    err = add_sockets_of(process->mount, pids[i], &held);
  if (err)
    return err;
  if (held.count)
    qsort(held.numbers, held.count, sizeof *held.numbers, compare_numbers);
  dz_procfs_names_make(view, names);
  for (line = host.data; line && (end = strchr(line, '\n')); line = end + 1)
    if (line == host.data)
      dz_text_add(text, line, (size_t)(end - line) + 1);
    else
      add_socket(names, &held, line, (size_t)(end - line), text);
  dz_procfs_names_drop(names);
  return 0;
}

/* ---- the directory ---- */

static void file_path(unsigned item, char path[32]) {
  snprintf(path, 32, "net/%s", files[item].name);
}

static int net_lookup(const struct dz_procfs_place *directory, const char *name,
                      struct dz_procfs_ref *child, mode_t *mode) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int item = find(name);
  char path[32];
  int err = item < 0 ? item : dz_procfs_process_open(directory->node, &process);

  if (err)
    return err;
  file_path((unsigned)item, path);
  if (faccessat(process.dir, path, F_OK, AT_SYMLINK_NOFOLLOW))
    return -ENOENT;
  child->item = (unsigned)item;
  *mode = S_IFREG | 0444;
  return 0;
}

static bool keep_file(void *context, const char *name, struct dz_entry *entry) {
  struct dz_procfs_ref *ref = context;
  int item = find(name);

  ref->item = (unsigned)item;
  entry->ino = dz_procfs_ino(ref);
  entry->type = DT_REG;
  return item >= 0;
}

static int net_list(const struct dz_procfs_place *directory, const struct dz_procfs_list *list) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  struct dz_procfs_ref ref = directory->ref;
  int err = dz_procfs_process_open(directory->node, &process);
  int fd DZ_FD = err ? err : dz_open_child(process.dir, "net", O_RDONLY | O_DIRECTORY, 0);

  ref.area = DZ_PROCFS_NET;
  if (fd < 0)
    return fd;
  return dz_procfs_list_host(&(struct dz_procfs_host_list){fd, keep_file, &ref}, list);
}

/* They belong to root, whoever's process it is (proc_net_inode_operations). */
static int net_stat(const struct dz_procfs_place *place, struct stat *out) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  int err = dz_procfs_process_open(place->node, &process);
  char path[32];

  file_path(place->ref.item, path);
  if (!err)
    err = dz_procfs_host_stat(&process, path, place->node->mode, out);
  out->st_uid = 0;
  out->st_gid = 0;
  return err;
}

static int net_open(const struct dz_procfs_place *place, const struct dz_open_how *how) {
  struct dz_procfs_process process DZ_PROCFS_PROCESS_SCOPE = DZ_PROCFS_PROCESS_NONE;
  struct dz_text text DZ_TEXT = {0};
  int err = dz_procfs_process_open(place->node, &process), fd;
  char path[32];

  if (err)
    return err;
  file_path(place->ref.item, path);
  if (!files[place->ref.item].text) {
    fd = dz_open_child(process.dir, path, (uint64_t)(how->flags & O_NONBLOCK), 0);
    return fd == -ESRCH ? -ENOENT : fd;
  }
  err = files[place->ref.item].text(place->view, &process, &text);
  return err ? err : dz_procfs_snapshot(place->view, place->node, &text);
}

static void net_name(const struct dz_procfs_place *place, char name[NAME_MAX + 1]) {
  snprintf(name, NAME_MAX + 1, "%s", files[place->ref.item].name);
}

const struct dz_procfs_area_ops dz_procfs_net_area = {
    .lookup = net_lookup,
    .list = net_list,
    .stat = net_stat,
    .open = net_open,
    .name = net_name,
};
