/*
 * The environment that a guest's first process gets. It starts clean, as with
 * docker and podman: nothing of the host's passes unless it is named.
 *
 *   PATH        the usual six directories
 *   HOME        the user's, from the root filesystem's /etc/passwd
 *   HOSTNAME    the silo's host name
 *   container   denizen (systemd's container interface, as podman does)
 *   LANG        the host's, when it is set there
 *   TERM        with a terminal only: the host's, else xterm
 *
 * USER and LOGNAME are not set, as with docker and podman: what a program asks
 * of getpwuid(3) is always true, what a variable says may not be.
 */
#ifndef DZ_CLI_ENVIRONMENT_H
#define DZ_CLI_ENVIRONMENT_H

#include "host/base.h"

/* "NAME=VALUE" texts, each name once; items ends with NULL and is never NULL
 * after the first change. All memory is the struct's own. */
struct dz_environment {
  char **items;
  size_t count;
};

#define DZ_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Set what the list above says. */
int dz_environment_defaults(struct dz_environment *env, const char *home, const char *hostname,
                            bool terminal, struct dz_error *error);

/* NAME=VALUE sets; NAME alone takes the host's value, or removes the variable
 * where the host has none (docker's -e). */
int dz_environment_apply(struct dz_environment *env, const char *setting, struct dz_error *error);

/* docker's --env-file: a line is NAME=VALUE (taken as it stands: no quotes, no
 * expansion), NAME alone (as above, but ignored where the host has none), empty,
 * or a comment that starts with '#'. */
int dz_environment_read_file(struct dz_environment *env, const char *path, struct dz_error *error);

/* The value of name, or NULL. */
const char *dz_environment_get(const struct dz_environment *env, const char *name);

void dz_environment_drop(struct dz_environment *env);

#endif
