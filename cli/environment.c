#include "cli/environment.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static size_t name_length(const char *setting) {
  return strcspn(setting, "=");
}

/* The index of the variable that setting names, or count. */
static size_t find(const struct dz_environment *env, const char *setting) {
  size_t length = name_length(setting);
  size_t at = 0;

  while (at < env->count &&
         (name_length(env->items[at]) != length || memcmp(env->items[at], setting, length) != 0))
    at++;
  return at;
}

static void unset(struct dz_environment *env, const char *name) {
  size_t at = find(env, name);

  if (at == env->count)
    return;
  free(env->items[at]);
  memmove(&env->items[at], &env->items[at + 1], (env->count - at) * sizeof *env->items);
  env->count--;
}

/* Takes setting, which may be NULL after an allocation that failed. */
static int set(struct dz_environment *env, char *setting, struct dz_error *error) {
  size_t at = setting ? find(env, setting) : 0;
  char **items = setting ? reallocarray(env->items, env->count + 2, sizeof *items) : NULL;

  if (!items) {
    free(setting);
    return dz_fail(error, -ENOMEM, "environment: out of memory");
  }
  env->items = items;
  if (at < env->count) {
    free(items[at]);
  } else {
    env->count++;
    items[env->count] = NULL;
  }
  items[at] = setting;
  return 0;
}

static int set_value(struct dz_environment *env, const char *name, const char *value,
                     struct dz_error *error) {
  char *setting;

  if (asprintf(&setting, "%s=%s", name, value) < 0)
    setting = NULL;
  return set(env, setting, error);
}

int dz_environment_defaults(struct dz_environment *env, const char *home, const char *hostname,
                            bool terminal, struct dz_error *error) {
  const char *lang = getenv("LANG");
  const char *term = getenv("TERM");
  const struct {
    const char *name, *value;
  } defaults[] = {
      {"PATH", DZ_DEFAULT_PATH},
      {"HOME", home},
      {"HOSTNAME", hostname},
      {"container", "denizen"},
      {"LANG", lang && *lang ? lang : NULL},
      {"TERM", !terminal       ? NULL
               : term && *term ? term
                               : "xterm"},
  };

  for (size_t row = 0; row < DZ_ARRAY_SIZE(defaults); row++) {
    int err =
        defaults[row].value ? set_value(env, defaults[row].name, defaults[row].value, error) : 0;

    if (err)
      return err;
  }
  return 0;
}

int dz_environment_apply(struct dz_environment *env, const char *setting, struct dz_error *error) {
  const char *value;

  if (name_length(setting) == 0)
    return dz_fail(error, -EINVAL, "environment variable '%s': has no name; write NAME=VALUE",
                   setting);
  if (strchr(setting, '='))
    return set(env, strdup(setting), error);
  value = getenv(setting);
  if (value)
    return set_value(env, setting, value, error);
  unset(env, setting);
  return 0;
}

/* One line of an --env-file, without its newline. */
static int apply_line(struct dz_environment *env, char *line, const char *path, unsigned number,
                      struct dz_error *error) {
  size_t length;

  while (isspace((unsigned char)*line))
    line++;
  if (*line == '\0' || *line == '#')
    return 0;
  length = name_length(line);
  if (length == 0)
    return dz_fail(error, -EINVAL, "environment file %s: line %u: has no name; write NAME=VALUE",
                   path, number);
  for (size_t at = 0; at < length; at++)
    if (isspace((unsigned char)line[at]))
      return dz_fail(error, -EINVAL,
                     "environment file %s: line %u: the name '%.*s' contains white space", path,
                     number, (int)length, line);
  if (line[length] == '\0' && !getenv(line))
    return 0;
  return dz_environment_apply(env, line, error);
}

/* "\xEF\xBB\xBF", UTF-8's byte order mark, is skipped as docker does. */
static int apply_lines(struct dz_environment *env, FILE *file, const char *path,
                       struct dz_error *error) {
  static const char mark[] = "\xEF\xBB\xBF";
  char *line DZ_FREE = NULL;
  size_t room = 0;
  ssize_t length;
  int err = 0;

  for (unsigned number = 1; !err && (length = getline(&line, &room, file)) >= 0; number++) {
    char *start = line;

    if (memchr(line, '\0', (size_t)length))
      return dz_fail(error, -EINVAL, "environment file %s: line %u: contains a NUL byte", path,
                     number);
    if (length > 0 && line[length - 1] == '\n')
      line[--length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
      line[--length] = '\0';
    if (number == 1 && strncmp(line, mark, sizeof mark - 1) == 0)
      start += sizeof mark - 1;
    err = apply_line(env, start, path, number, error);
  }
  if (!err && ferror(file))
    return dz_fail(error, -errno, "environment file %s: %s", path, strerror(errno));
  return err;
}

int dz_environment_read_file(struct dz_environment *env, const char *path, struct dz_error *error) {
  FILE *file = fopen(path, "re");
  int err;

  if (!file)
    return dz_fail(error, -errno, "environment file %s: %s; name a file with NAME=VALUE lines",
                   path, strerror(errno));
  err = apply_lines(env, file, path, error);
  fclose(file);
  return err;
}

const char *dz_environment_get(const struct dz_environment *env, const char *name) {
  size_t at = find(env, name);

  return at < env->count ? strchr(env->items[at], '=') + 1 : NULL;
}

void dz_environment_drop(struct dz_environment *env) {
  for (size_t at = 0; at < env->count; at++)
    free(env->items[at]);
  free(env->items);
  *env = (struct dz_environment){0};
}
