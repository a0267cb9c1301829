/* Signals' names, as signal(7) has them, and which of them say that a program is broken. */
#ifndef DZ_SIGNALS_NAMES_H
#define DZ_SIGNALS_NAMES_H

#include "host/base.h"

enum { DZ_SIGNAL_NAME_MAX = 16 };

/* "SIGSEGV", "SIGRTMIN+3", or the number of what is none. Real-time signals count from the
 * kernel's first, 32, as /proc and the wait status do not know what a C library keeps to itself. */
const char *dz_signal_name(int signal, char buffer[DZ_SIGNAL_NAME_MAX]);

/* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP: nobody ends a program with these on
 * purpose. */
bool dz_signal_is_crash(int signal);

#endif
