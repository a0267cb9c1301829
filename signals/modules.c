#include "signals/modules.h"

#include <stdio.h>
#include <string.h>

/* A hostile guest makes many mappings: a program has hundreds. */
#define MAPPINGS_MAX 8192

void dz_modules_drop(struct dz_modules *modules) {
  free(modules->mappings);
  free(modules->modules);
  free(modules->text);
  *modules = (struct dz_modules){0};
}

/* The parts of a file follow each other; another mapping may come between (its .bss). */
static unsigned module_of(struct dz_modules *modules, const char *name, uint64_t ino) {
  size_t oldest = modules->module_count > 16 ? modules->module_count - 16 : 0;

  for (size_t i = modules->module_count; i-- > oldest;)
    if (modules->modules[i].ino == ino && strcmp(modules->modules[i].name, name) == 0)
      return (unsigned)i;
  modules->modules[modules->module_count] = (struct dz_module){.name = name, .ino = ino};
  return (unsigned)modules->module_count++;
}

/* "start-end perms offset major:minor inode   name" */
static void add_line(struct dz_modules *modules, char *line) {
  unsigned long long start, end, offset, ino;
  struct dz_mapping *mapping = &modules->mappings[modules->mapping_count];
  int name = 0;

  if (sscanf(line, "%llx-%llx %*s %llx %*x:%*x %llu %n", &start, &end, &offset, &ino, &name) != 4 ||
      name == 0 || end <= start || (line[name] != '/' && strcmp(line + name, "[vdso]") != 0))
    return;
  *mapping = (struct dz_mapping){start, end, offset, module_of(modules, line + name, ino)};
  modules->mapping_count++;
  if (offset == 0 && !modules->modules[mapping->module].base)
    modules->modules[mapping->module].base = start;
}

int dz_modules_make(struct dz_modules *modules, char *text) {
  char *line = text, *end;

  *modules = (struct dz_modules){.mappings = malloc(MAPPINGS_MAX * sizeof *modules->mappings),
                                 .modules = malloc(MAPPINGS_MAX * sizeof *modules->modules),
                                 .text = text};
  if (!modules->mappings || !modules->modules) {
    dz_modules_drop(modules);
    return -ENOMEM;
  }
  for (; (end = strchr(line, '\n')) && modules->mapping_count < MAPPINGS_MAX; line = end + 1) {
    *end = '\0';
    add_line(modules, line);
  }
  return 0;
}

const struct dz_mapping *dz_modules_find(const struct dz_modules *modules, uint64_t address) {
  size_t low = 0, high = modules->mapping_count;

  while (low < high) {
    size_t middle = (low + high) / 2;
    const struct dz_mapping *mapping = &modules->mappings[middle];

    if (address >= mapping->start && address < mapping->end)
      return mapping;
    if (address < mapping->start)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
