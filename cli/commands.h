/*
 * The commands of `denizen`, one file each. Each takes its own argc and argv
 * (argv[0] is the command's name, "run" say), prints what there is to print and
 * returns the exit code of the process; "--help" works for every one.
 */
#ifndef DZ_CLI_COMMANDS_H
#define DZ_CLI_COMMANDS_H

/* The build may name a more exact version. */
#ifndef DZ_VERSION
#define DZ_VERSION "0.1.0"
#endif

int dz_cmd_run(int argc, char **argv);
int dz_cmd_doctor(int argc, char **argv);
int dz_cmd_coverage(int argc, char **argv);
int dz_cmd_clean(int argc, char **argv);

#endif
