#include "loader/plan.h"
#include "loader/script.h"

#include <string.h>

/* exec_binprm(): "This allows 4 levels of binfmt rewrites before failing hard", though
 * its loop gives up at a depth over 5, that is after five scripts. */
#define MAX_SCRIPTS 5

static int fail_open(struct dz_error *error, int code, const char *path, const char *of) {
  if (code == -EAGAIN)
    return code;
  if (code == -ENOENT)
    return dz_fail(error, code, "%s, the interpreter of %s, does not exist in the root filesystem",
                   path, of);
  return dz_fail(error, code, "%s, the interpreter of %s, cannot be executed: %s", path, of,
                 strerror(-code));
}

/* Open an interpreter. An empty name is the working directory to open_exec(), and a
 * directory is no program: EACCES. */
static int open_interpreter(const struct dz_program_source *source, const char *path,
                            const char *of, int *fd, struct dz_error *error) {
  int result = *path == '\0' ? -EACCES : source->open(source->context, path, fd);

  return result < 0 ? fail_open(error, result, path, of) : 0;
}

/* What exec does with each file it opens, in its order: nobody may be writing it, then
 * its head is read. */
static int take_file(int fd, const char *path, struct dz_file_head *head, struct dz_error *error) {
  int result = dz_head_busy(fd);

  if (result < 0)
    return dz_fail(error, result, "%s is open for writing", path);
  result = dz_head_read(fd, head);
  if (result < 0)
    return dz_fail(error, result, "%s cannot be read: %s", path, strerror(-result));
  return 0;
}

/* Put interpreter, argument and script in front of what a former script left: its
 * interpreter, which is this script, was the first of it. */
static int push_script(struct dz_plan *plan, const struct dz_script *script, const char *path) {
  size_t added = script->has_argument ? 2 : 1, kept = plan->prefix_count;
  const char *text[] = {script->interpreter, script->has_argument ? script->argument : path, path};
  char **prefix;
  size_t i;

  if (kept == 0)
    added++;
  prefix = realloc(plan->prefix, (kept + added) * sizeof *prefix);
  if (!prefix)
    return -ENOMEM;
  memmove(prefix + added, prefix, kept * sizeof *prefix);
  memset(prefix, 0, added * sizeof *prefix);
  plan->prefix = prefix;
  plan->prefix_count = kept + added;
  for (i = 0; i < added; i++) {
    prefix[i] = strdup(text[i]);
    if (!prefix[i])
      return -ENOMEM;
  }
  return 0;
}

static void set_program(struct dz_plan *plan, int fd, bool owned) {
  if (plan->program_owned)
    close(plan->program);
  plan->program = fd;
  plan->program_owned = owned;
}

static int set_program_path(struct dz_plan *plan, const char *path) {
  char *copy = strdup(path);

  if (!copy)
    return -ENOMEM;
  free(plan->program_path);
  plan->program_path = copy;
  return 0;
}

/* Replace the script in plan->program by its interpreter. */
static int follow_script(const struct dz_program_source *source, const struct dz_script *script,
                         struct dz_plan *plan, struct dz_error *error) {
  int fd = -1;
  int result = push_script(plan, script, plan->program_path);

  if (result < 0)
    return dz_fail(error, result, "no memory");
  result = open_interpreter(source, script->interpreter, plan->program_path, &fd, error);
  if (result < 0)
    return result;
  set_program(plan, fd, true);
  result = set_program_path(plan, script->interpreter);
  return result < 0 ? dz_fail(error, result, "no memory") : 0;
}

/* Follow scripts until plan->program is none; its head is left in head. */
static int follow_scripts(const struct dz_program_source *source, struct dz_plan *plan,
                          struct dz_file_head *head, struct dz_error *error) {
  struct dz_script script;
  int depth;

  for (depth = 0; depth <= MAX_SCRIPTS; depth++) {
    int result = take_file(plan->program, plan->program_path, head, error);

    if (result < 0)
      return result;
    if (dz_script_parse(head->bytes, &script) < 0)
      return 0;
    result = follow_script(source, &script, plan, error);
    if (result < 0)
      return result;
  }
  return dz_fail(error, -ELOOP, "%s is reached through more than %d scripts", plan->program_path,
                 MAX_SCRIPTS);
}

static int find_interpreter(const struct dz_program_source *source, struct dz_plan *plan,
                            struct dz_file_head *head, struct dz_error *error) {
  struct dz_error why = {0};
  int result = open_interpreter(source, plan->image.interpreter, plan->program_path,
                                &plan->interpreter, error);

  if (result < 0)
    return result;
  result = take_file(plan->interpreter, plan->image.interpreter, head, error);
  if (result < 0)
    return result;
  result = dz_image_check_interpreter(plan->interpreter, head, &why);
  if (result < 0)
    return dz_fail(error, result, "%s, the interpreter of %s, %s", plan->image.interpreter,
                   plan->program_path, why.text);
  plan->interpreter_key = head->key;
  return 0;
}

static bool foreign(enum dz_personality personality) {
  return personality != DZ_PERSONALITY_LINUX && personality != DZ_PERSONALITY_UNKNOWN;
}

static int make(const struct dz_program_source *source, struct dz_plan *plan,
                struct dz_error *error) {
  struct dz_error why = {0};
  struct dz_file_head head;
  int result = follow_scripts(source, plan, &head, error);

  if (result < 0)
    return result;
  plan->program_key = head.key;
  result = dz_image_from_head(plan->program, &head, &plan->image, &why);
  if (result < 0)
    return dz_fail(error, result, "%s %s", plan->program_path, why.text);
  if (foreign(plan->image.personality)) {
    plan->kind = DZ_PLAN_FOREIGN;
    return dz_fail(error, -ENOEXEC, "%s is a %s program: this personality is not supported yet",
                   plan->program_path, dz_personality_name(plan->image.personality));
  }
  if (plan->image.dynamic) {
    result = find_interpreter(source, plan, &head, error);
    if (result < 0)
      return result;
  }
  plan->kind = plan->image.dynamic ? DZ_PLAN_PATCHED : DZ_PLAN_ORIGINAL;
  return 0;
}

int dz_plan_make(const struct dz_program_source *source, int program_fd, const char *guest_path,
                 struct dz_plan *plan, struct dz_error *error) {
  int result;

  memset(plan, 0, offsetof(struct dz_plan, image));
  plan->program = program_fd;
  plan->interpreter = -1;
  result = set_program_path(plan, guest_path);
  if (result < 0)
    return dz_fail(error, result, "no memory");
  return make(source, plan, error);
}

void dz_plan_release(struct dz_plan *plan) {
  size_t i;

  if (plan->program_owned)
    close(plan->program);
  if (plan->program_path && plan->interpreter >= 0)
    close(plan->interpreter);
  for (i = 0; i < plan->prefix_count; i++)
    free(plan->prefix[i]);
  free(plan->prefix);
  free(plan->program_path);
  memset(plan, 0, offsetof(struct dz_plan, image));
  plan->program = plan->interpreter = -1;
}
