/*
 * The first line of an interpreter script, read as Linux fs/binfmt_script.c
 * (load_script, 6.18) reads it, execve(2) "Interpreter scripts".
 *
 * Only the first 256 bytes count (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h).
 * An interpreter's name that may have been cut there is not executed; an argument
 * that was cut is passed as it is.
 */
#ifndef DZ_LOADER_SCRIPT_H
#define DZ_LOADER_SCRIPT_H

#include "host/base.h"

#define DZ_SCRIPT_BUFFER 256

struct dz_script {
  bool has_argument; /* the argument may be empty all the same */
  char interpreter[DZ_SCRIPT_BUFFER];
  char argument[DZ_SCRIPT_BUFFER];
};

/* head: the file's first bytes, zeroes after its end. 0, or -ENOEXEC when this is no
 * script or names no interpreter. The interpreter's name may be empty: opening it
 * fails with EACCES in the kernel. */
int dz_script_parse(const unsigned char head[DZ_SCRIPT_BUFFER], struct dz_script *script);

#endif
