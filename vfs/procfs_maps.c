/*
 * maps and smaps: the host's, with the files named as the guest knows them.
 *
 * A dynamic program runs from denizen's cached copy of it, and so does its
 * interpreter. The program is known by the device and inode of /proc/PID/exe, the
 * interpreter by where the kernel put it (AT_BASE); both show as the guest's own
 * files, inode numbers included.
 */
#include "vfs/procfs_internal.h"

#include "host/calls.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* A file of denizen's, and what stands for it. */
struct stand_in {
  bool known;
  unsigned major, minor;
  unsigned long ino;
  dev_t shown_dev;
  ino_t shown_ino;
  char shown[PATH_MAX];
};

struct maps {
  struct dz_procfs_names names;
  struct stand_in program, interpreter;
  uint64_t base; /* AT_BASE, 0: none */
};

/* One mapping's line; show_map_vma() of fs/proc/task_mmu.c. */
struct line {
  uint64_t start;
  unsigned major, minor;
  unsigned long ino;
  size_t head;      /* up to and with the blank before the device */
  const char *path; /* NULL: none; ends with the line */
  size_t path_length;
};

static bool parse_line(const char *text, size_t length, struct line *line) {
  unsigned long long start, end;
  int head = 0, rest = 0;
  const char *path;

  if (sscanf(text, "%llx-%llx %*s %*x %n%x:%x %lu%n", &start, &end, &head, &line->major,
             &line->minor, &line->ino, &rest) != 5 ||
      (size_t)rest > length)
    return false;
  line->start = start;
  line->head = (size_t)head;
  path = memchr(text + rest, '/', length - (size_t)rest);
  line->path = path && strspn(text + rest, " ") == (size_t)(path - text - rest) ? path : NULL;
  line->path_length = line->path ? length - (size_t)(path - text) : 0;
  return true;
}

/* A mapping's line starts with a lower-case hexadecimal digit; smaps's fields with a capital. */
static bool is_mapping(const char *text) {
  return (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'f');
}

static bool is_file(const struct line *line, const struct stand_in *file) {
  return file->known && line->ino == file->ino && line->major == file->major &&
         line->minor == file->minor;
}

static bool stand_for(struct stand_in *file, const struct dz_view *view,
                      const struct dz_node *node) {
  file->shown_dev = node->dev;
  file->shown_ino = node->ino;
  return dz_vfs_path(view, node, file->shown, sizeof file->shown) >= 0;
}

static void find_program(const struct dz_view *view, const struct dz_procfs_process *process,
                         struct maps *maps) {
  const struct dz_program *program = process->state->program;
  struct stat st;

  if (!program || !program->node.mount || fstatat(process->dir, "exe", &st, 0))
    return;
  maps->program.major = major(st.st_dev);
  maps->program.minor = minor(st.st_dev);
  maps->program.ino = st.st_ino;
  maps->program.known = stand_for(&maps->program, view, &program->node);
}

static uint64_t interpreter_base(const struct dz_procfs_process *process) {
  struct dz_text auxv DZ_TEXT = {0};
  Elf64_auxv_t entry;

  if (dz_text_read(&auxv, process->dir, "auxv"))
    return 0;
  for (size_t at = 0; at + sizeof entry <= auxv.length; at += sizeof entry) {
    memcpy(&entry, auxv.data + at, sizeof entry);
    if (entry.a_type == AT_BASE)
      return entry.a_un.a_val;
  }
  return 0;
}

/* The interpreter that the guest's own program names. */
static bool interpreter_name(const struct dz_node *program, char name[PATH_MAX]) {
  int fd DZ_FD = program->fd >= 0 ? dz_reopen(program->fd, O_RDONLY | O_NONBLOCK) : -1;
  Elf64_Ehdr head;
  Elf64_Phdr part;

  if (fd < 0 || pread(fd, &head, sizeof head, 0) != sizeof head ||
      memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
      head.e_phentsize != sizeof part)
    return false;
  for (unsigned i = 0; i < head.e_phnum; i++) {
    off_t at = (off_t)(head.e_phoff + i * sizeof part);
    ssize_t got;

    if (pread(fd, &part, sizeof part, at) != sizeof part)
      return false;
    if (part.p_type != PT_INTERP || part.p_filesz == 0 || part.p_filesz > PATH_MAX)
      continue;
    got = pread(fd, name, part.p_filesz, (off_t)part.p_offset);
    return got == (ssize_t)part.p_filesz && name[got - 1] == '\0' && name[0] == '/';
  }
  return false;
}

static void find_interpreter(const struct dz_view *view, const struct dz_procfs_process *process,
                             const struct line *line, struct maps *maps) {
  const struct dz_place *root = process->state->root;
  struct dz_view inside = *view;
  struct dz_lookup lookup DZ_LOOKUP = DZ_LOOKUP_NONE;
  char name[PATH_MAX];

  if (!root || !process->state->program || !interpreter_name(&process->state->program->node, name))
    return;
  inside.root = inside.cwd = &root->node;
  if (dz_walk(&inside, &root->node, name, DZ_WALK_FOLLOW, &lookup) || !lookup.node.mount)
    return;
  maps->interpreter.major = line->major;
  maps->interpreter.minor = line->minor;
  maps->interpreter.ino = line->ino;
  maps->interpreter.known = stand_for(&maps->interpreter, view, &lookup.node);
}

/* The column where the name begins: seq_setwidth(25 + sizeof(void *) * 6 - 1), then a blank. */
#define NAME_COLUMN 73

static void add_mapping(struct maps *maps, const char *text, const struct line *line,
                        struct dz_text *out) {
  const struct stand_in *file = is_file(line, &maps->program)       ? &maps->program
                                : is_file(line, &maps->interpreter) ? &maps->interpreter
                                                                    : NULL;
  char path[PATH_MAX * 4];
  size_t start = out->length;

  if (file) {
    dz_text_add(out, text, line->head);
    dz_text_print(out, "%02x:%02x %lu ", major(file->shown_dev), minor(file->shown_dev),
                  (unsigned long)file->shown_ino);
    if (out->length - start < NAME_COLUMN)
      dz_text_print(out, "%*s", (int)(NAME_COLUMN - (out->length - start)), "");
    dz_text_add_escaped(out, file->shown, "\n");
  } else {
    snprintf(path, sizeof path, "%.*s", (int)line->path_length, line->path);
    dz_text_add(out, text, (size_t)(line->path - text));
    dz_procfs_names_add(&maps->names, path, out);
  }
  dz_text_add(out, "\n", 1);
}

static void add_line(struct maps *maps, const char *text, size_t length, struct dz_text *out) {
  struct line line;

  if (is_mapping(text) && parse_line(text, length, &line) && line.path)
    add_mapping(maps, text, &line, out);
  else
    dz_text_add(out, text, length + 1);
}

/* The interpreter's mapping comes after the program's and others': look for it first. */
static void look_for_interpreter(const struct dz_view *view,
                                 const struct dz_procfs_process *process, struct maps *maps,
                                 const char *text) {
  const char *end;

  for (; (end = strchr(text, '\n')); text = end + 1) {
    struct line line;

    if (!is_mapping(text) || strtoull(text, NULL, 16) != maps->base ||
        !parse_line(text, (size_t)(end - text), &line) || !line.path)
      continue;
    if (!is_file(&line, &maps->program))
      find_interpreter(view, process, &line, maps);
    return;
  }
}

static int rewrite(const struct dz_view *view, const struct dz_procfs_process *process,
                   const char *name, struct dz_text *text) {
  struct dz_text host DZ_TEXT = {0};
  struct maps *maps DZ_FREE = calloc(1, sizeof *maps);
  int err = dz_text_read(&host, process->dir, name);
  const char *line, *end;

  if (err || !maps)
    return err ? err : -ENOMEM;
  if (!host.data)
    return -ESRCH;
  dz_procfs_names_make(view, &maps->names);
  find_program(view, process, maps);
  maps->base = interpreter_base(process);
  if (maps->base)
    look_for_interpreter(view, process, maps, host.data);
  for (line = host.data; (end = strchr(line, '\n')); line = end + 1)
    add_line(maps, line, (size_t)(end - line), text);
  dz_procfs_names_drop(&maps->names);
  return 0;
}

int dz_procfs_maps_text(const struct dz_view *view, const struct dz_procfs_process *process,
                        struct dz_text *text) {
  return rewrite(view, process, "maps", text);
}

int dz_procfs_smaps_text(const struct dz_view *view, const struct dz_procfs_process *process,
                         struct dz_text *text) {
  return rewrite(view, process, "smaps", text);
}
