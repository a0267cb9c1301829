/*
 * What a program file is: checked as the kernel's load_elf_binary() checks it
 * before it gives up the old program (Linux fs/binfmt_elf.c, 6.18), with its
 * errnos. What the kernel finds out later (segments that cannot be mapped, an
 * interpreter of the wrong type) it reports itself when it executes the file or
 * its copy, by a fatal signal, and nothing here anticipates it.
 *
 * The file is read by hand and not by libelf: libelf judges by EI_CLASS, EI_DATA,
 * EI_VERSION and section headers, none of which the kernel looks at, so that it
 * rejects programs that run and cannot say why others do not.
 */
#ifndef DZ_LOADER_IMAGE_H
#define DZ_LOADER_IMAGE_H

#include "loader/head.h"

#include <elf.h>
#include <limits.h>

/* The ABI that a program was built for. */
enum dz_personality {
  DZ_PERSONALITY_LINUX,
  DZ_PERSONALITY_FREEBSD,
  DZ_PERSONALITY_NETBSD,
  DZ_PERSONALITY_OPENBSD,
  DZ_PERSONALITY_SOLARIS,
  DZ_PERSONALITY_UNKNOWN, /* an OSABI byte that means nothing to us and no other sign */
};

struct dz_image {
  uint8_t class; /* ELFCLASS… as the file says; the kernel does not look at it */
  uint8_t osabi; /* ELFOSABI_… */
  uint16_t type; /* ET_EXEC or ET_DYN */
  uint16_t machine;
  uint64_t entry; /* before relocation */
  bool set_uid;   /* the file's mode; whether that counts is the mount's and the identity's */
  bool set_gid;   /* S_ISGID with group execution, as exec takes it */
  enum dz_personality personality;
  /* Room behind the program's own memory, made by giving the copy's last segment a larger
   * p_memsz; the engine writes there during an exec. No room (0) when that segment cannot be
   * written. */
  uint64_t room_phdr_offset; /* of its program header in the file */
  uint64_t room_memsz;       /* the p_memsz that makes the room */
  uint64_t room_address;     /* before relocation, page-aligned */
  uint64_t room_size;
  bool dynamic;                     /* there is a PT_INTERP: the first one is meant below */
  uint64_t interpreter_phdr_offset; /* of its program header in the file */
  char interpreter[PATH_MAX];       /* may be empty; then opening it fails with EACCES */
};

/*
 * Fill image from a program file.
 *
 * Errors: -ENOEXEC for what is no x86-64 ELF program, has no usable program headers
 * or a bad interpreter string, -EIO and -EINVAL for an interpreter string that lies
 * outside the file, those of pread(2). error's text is a predicate without a subject,
 * such as "is an aarch64 program; denizen runs x86-64": the caller knows the name.
 */
int dz_image_inspect(int fd, struct dz_image *image, struct dz_error *error);

/* The same for a file whose head was read already. */
int dz_image_from_head(int fd, const struct dz_file_head *head, struct dz_image *image,
                       struct dz_error *error);

/* May the kernel take this file as an ELF interpreter? -EIO for a file shorter than an
 * ELF header, -ELIBBAD otherwise; error's text is a predicate as above. */
int dz_image_check_interpreter(int fd, const struct dz_file_head *head, struct dz_error *error);

/* "Linux", "FreeBSD" … */
const char *dz_personality_name(enum dz_personality personality);

/* What the personality is by OSABI byte, notes and interpreter, in this order of weight.
 * headers: the program headers; unreadable or malformed notes say nothing. */
enum dz_personality dz_personality_find(int fd, const struct dz_file_head *head,
                                        const struct dz_image *image, const Elf64_Phdr *headers,
                                        size_t count);

#endif
