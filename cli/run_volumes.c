#include "cli/run_volumes.h"

#include <limits.h>
#include <string.h>

static const char *const host_files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/localtime"};

/* Takes the volume's texts. */
static int add(struct dz_volume_list *list, size_t at, char *source, char *target, bool read_only,
               bool optional) {
  struct dz_volume *items = reallocarray(list->items, list->count + 1, sizeof *items);

  if (!items || !source || !target) {
    if (items)
      list->items = items;
    free(source);
    free(target);
    return -ENOMEM;
  }
  list->items = items;
  memmove(&items[at + 1], &items[at], (list->count - at) * sizeof *items);
  items[at] = (struct dz_volume){
      .source = source, .target = target, .read_only = read_only, .optional = optional};
  list->count++;
  return 0;
}

/* Copy an absolute target without "//", "/./" and a final '/'. Returns -EINVAL
 * for a ".." in it: what it means depends on links that only the guest sees. */
static int clean_target(const char *target, char clean[PATH_MAX]) {
  size_t length = 0;

  while (*target) {
    size_t part;

    target += strspn(target, "/");
    part = strcspn(target, "/");
    if (part == 2 && memcmp(target, "..", 2) == 0)
      return -EINVAL;
    if (part > 0 && !(part == 1 && *target == '.')) {
      if (length + part + 2 > PATH_MAX)
        return -ENAMETOOLONG;
      clean[length++] = '/';
      memcpy(clean + length, target, part);
      length += part;
    }
    target += part;
  }
  clean[length] = '\0';
  return 0;
}

static int check_target(const struct dz_volume_list *list, const char *text, const char *target,
                        char clean[PATH_MAX], struct dz_error *error) {
  int err;

  if (target[0] != '/')
    return dz_fail(error, -EINVAL,
                   "volume '%s': target '%s' is not absolute; it must start with '/'", text,
                   target);
  err = clean_target(target, clean);
  if (err)
    return dz_fail(error, err, "volume '%s': target '%s' %s", text, target,
                   err == -EINVAL ? "contains '..'; name the place itself" : "is too long");
  if (!clean[0])
    return dz_fail(error, -EINVAL,
                   "volume '%s': target '/' is the root filesystem; name a place in it", text);
  for (size_t at = 0; at < list->count; at++)
    if (strcmp(list->items[at].target, clean) == 0)
      return dz_fail(error, -EEXIST, "volume '%s': target '%s' is given twice", text, clean);
  return 0;
}

/* The third field. */
static int parse_mode(const char *text, const char *mode, bool *read_only, struct dz_error *error) {
  *read_only = mode && strcmp(mode, "ro") == 0;
  if (!mode || *read_only || strcmp(mode, "rw") == 0)
    return 0;
  return dz_fail(error, -EINVAL, "volume '%s': unknown mode '%s'; use ro or rw", text, mode);
}

int dz_volumes_add(struct dz_volume_list *list, const char *text, struct dz_error *error) {
  char *copy DZ_FREE = strdup(text);
  char *rest = copy;
  char *source = copy ? strsep(&rest, ":") : NULL;
  char *target = strsep(&rest, ":");
  char *real_source DZ_FREE = NULL;
  char clean[PATH_MAX];
  bool read_only;

  if (!copy)
    return dz_fail(error, -ENOMEM, "volume '%s': out of memory", text);
  if (!*source || !target || !*target)
    return dz_fail(error, -EINVAL, "volume '%s': write SOURCE:TARGET or SOURCE:TARGET:ro", text);
  if (parse_mode(text, rest, &read_only, error) || check_target(list, text, target, clean, error))
    return error ? error->code : -EINVAL;
  real_source = realpath(source, NULL);
  if (!real_source)
    return dz_fail(error, -errno, "volume '%s': source %s: %s; make it first", text, source,
                   strerror(errno));
  if (add(list, list->count, strdup(real_source), strdup(clean), read_only, false) == 0)
    return 0;
  return dz_fail(error, -ENOMEM, "volume '%s': out of memory", text);
}

/* Whether a volume stands at path or at a directory above it. */
static bool is_covered(const struct dz_volume_list *list, const char *path) {
  for (size_t at = 0; at < list->count; at++) {
    size_t length = strlen(list->items[at].target);

    if (strncmp(list->items[at].target, path, length) == 0 &&
        (path[length] == '/' || path[length] == '\0'))
      return true;
  }
  return false;
}

int dz_volumes_add_host_etc(struct dz_volume_list *list, struct dz_error *error) {
  size_t added = 0;

  for (size_t row = 0; row < DZ_ARRAY_SIZE(host_files); row++) {
    char *source;

    if (is_covered(list, host_files[row]))
      continue;
    source = realpath(host_files[row], NULL);
    if (!source || access(source, R_OK) < 0) {
      free(source);
      continue;
    }
    if (add(list, added++, source, strdup(host_files[row]), true, true))
      return dz_fail(error, -ENOMEM, "volume for %s: out of memory", host_files[row]);
  }
  return 0;
}

void dz_volumes_drop(struct dz_volume_list *list) {
  for (size_t at = 0; at < list->count; at++) {
    free((void *)list->items[at].source);
    free((void *)list->items[at].target);
  }
  free(list->items);
  *list = (struct dz_volume_list){0};
}
