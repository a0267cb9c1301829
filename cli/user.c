#include "cli/user.h"

#include "host/calls.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* --user, taken apart. */
struct request {
  const char *spec;
  char user[256];
  char group[256]; /* empty: not given */
  int root_fd;
};

static void close_file(FILE **file) {
  if (*file)
    fclose(*file);
}
#define SCOPED_FILE DZ_CLEANUP(close_file)

/* NULL when the file is missing or no regular file: then it has no entries. */
static FILE *open_database(int root_fd, const char *path) {
  int fd DZ_FD = dz_openat2(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
                            RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  struct stat info;
  FILE *file;

  if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
    return NULL;
  file = fdopen(fd, "r");
  if (file)
    dz_steal_fd(&fd);
  return file;
}

/* A decimal id; 2³²−1 is "no change" in chown(2) and setresuid(2), so no id. */
static bool parse_id(const char *text, uint32_t *id) {
  char *end;
  unsigned long long value;

  if (text[0] < '0' || text[0] > '9')
    return false;
  errno = 0;
  value = strtoull(text, &end, 10);
  if (errno || *end || value >= UINT32_MAX)
    return false;
  *id = (uint32_t)value;
  return true;
}

/* 1 found, 0 not found, -ENOMEM. The name wins over the number, as in docker. */
static int find_user(const struct request *request, struct dz_user *user, char **name) {
  FILE *file SCOPED_FILE = open_database(request->root_fd, "etc/passwd");
  uint32_t uid = 0;
  bool numeric = parse_id(request->user, &uid);
  struct passwd *entry;

  while (file && (entry = fgetpwent(file))) {
    if (strcmp(entry->pw_name, request->user) != 0 && (!numeric || entry->pw_uid != uid))
      continue;
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
    *name = strdup(entry->pw_name);
    if (entry->pw_dir[0] == '/')
      user->home = strdup(entry->pw_dir);
    return *name && (user->home || entry->pw_dir[0] != '/') ? 1 : -ENOMEM;
  }
  return 0;
}

static bool find_group(const struct request *request, gid_t *gid) {
  FILE *file SCOPED_FILE = open_database(request->root_fd, "etc/group");
  uint32_t number = 0;
  bool numeric = parse_id(request->group, &number);
  struct group *entry;

  while (file && (entry = fgetgrent(file)))
    if (strcmp(entry->gr_name, request->group) == 0 || (numeric && entry->gr_gid == number)) {
      *gid = entry->gr_gid;
      return true;
    }
  *gid = number;
  return numeric;
}

static int add_group(struct dz_user *user, gid_t gid) {
  gid_t *groups;

  for (size_t at = 0; at < user->group_count; at++)
    if (user->groups[at] == gid)
      return 0;
  groups = reallocarray(user->groups, user->group_count + 1, sizeof *groups);
  if (!groups)
    return -ENOMEM;
  user->groups = groups;
  user->groups[user->group_count++] = gid;
  return 0;
}

static bool is_member(const struct group *group, const char *name) {
  for (char **member = group->gr_mem; *member; member++)
    if (strcmp(*member, name) == 0)
      return true;
  return false;
}

/* setgroups(2) takes no more than NGROUPS_MAX (65536). */
static int add_memberships(int root_fd, const char *name, struct dz_user *user) {
  enum { GROUPS_MAX = 65536 };
  FILE *file SCOPED_FILE = open_database(root_fd, "etc/group");
  struct group *entry;
  int err = 0;

  while (file && !err && user->group_count < GROUPS_MAX && (entry = fgetgrent(file)))
    if (is_member(entry, name))
      err = add_group(user, entry->gr_gid);
  return err;
}

/* Take spec apart at its colon. */
static int split(struct request *request, struct dz_error *error) {
  const char *colon = strchr(request->spec, ':');
  size_t user_length = colon ? (size_t)(colon - request->spec) : strlen(request->spec);
  const char *group = colon ? colon + 1 : "";

  if (user_length == 0 || (colon && !*group) || strchr(group, ':'))
    return dz_fail(error, -EINVAL, "user '%s': write UID[:GID] or NAME[:GROUP]", request->spec);
  if (user_length >= sizeof request->user || strlen(group) >= sizeof request->group)
    return dz_fail(error, -EINVAL, "user '%.40s...': the name is too long", request->spec);
  memcpy(request->user, request->spec, user_length);
  request->user[user_length] = '\0';
  memcpy(request->group, group, strlen(group) + 1);
  return 0;
}

static int look_up(const struct request *request, struct dz_user *user, struct dz_error *error) {
  char *name DZ_FREE = NULL;
  int found = find_user(request, user, &name);
  int err;

  if (found < 0)
    return found;
  if (!found && !parse_id(request->user, &user->uid))
    return dz_fail(error, -ENOENT,
                   "user '%s': not in the root filesystem's /etc/passwd; name one that is there, "
                   "or give a number",
                   request->user);
  if (request->group[0] && !find_group(request, &user->gid))
    return dz_fail(error, -ENOENT,
                   "group '%s': not in the root filesystem's /etc/group; name one that is there, "
                   "or give a number",
                   request->group);
  err = add_group(user, user->gid);
  if (!err && !request->group[0] && name)
    err = add_memberships(request->root_fd, name, user);
  if (!err && !user->home && !(user->home = strdup(user->uid == 0 ? "/root" : "/")))
    err = -ENOMEM;
  return err;
}

int dz_user_lookup(const char *root, const char *spec, struct dz_user *user,
                   struct dz_error *error) {
  int root_fd DZ_FD = (int)dz_result(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct request request = {.spec = spec ? spec : "0", .root_fd = root_fd};
  int err;

  *user = (struct dz_user){0};
  if (root_fd < 0)
    return dz_fail(error, root_fd, "root filesystem %s: %s", root, strerror(-root_fd));
  err = split(&request, error);
  if (!err)
    err = look_up(&request, user, error);
  if (err) {
    dz_user_drop(user);
    return dz_fail(error, err, "user '%s': %s", request.spec, strerror(-err));
  }
  return 0;
}

void dz_user_drop(struct dz_user *user) {
  free(user->groups);
  free(user->home);
  *user = (struct dz_user){0};
}
