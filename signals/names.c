#include "signals/names.h"

#include <signal.h>
#include <stdio.h>

#define KERNEL_SIGRTMIN 32 /* include/uapi/asm-generic/signal.h */
#define KERNEL_SIGRTMAX 64

static const char *const names[KERNEL_SIGRTMIN] = {
    [SIGHUP] = "SIGHUP",       [SIGINT] = "SIGINT",       [SIGQUIT] = "SIGQUIT",
    [SIGILL] = "SIGILL",       [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
    [SIGBUS] = "SIGBUS",       [SIGFPE] = "SIGFPE",       [SIGKILL] = "SIGKILL",
    [SIGUSR1] = "SIGUSR1",     [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE",     [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
    [SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",
    [SIGSTOP] = "SIGSTOP",     [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",
    [SIGTTOU] = "SIGTTOU",     [SIGURG] = "SIGURG",       [SIGXCPU] = "SIGXCPU",
    [SIGXFSZ] = "SIGXFSZ",     [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
    [SIGWINCH] = "SIGWINCH",   [SIGIO] = "SIGIO",         [SIGPWR] = "SIGPWR",
    [SIGSYS] = "SIGSYS",
};

const char *dz_signal_name(int signal, char buffer[DZ_SIGNAL_NAME_MAX]) {
  if (signal > 0 && signal < KERNEL_SIGRTMIN)
    return names[signal];
  if (signal >= KERNEL_SIGRTMIN && signal <= KERNEL_SIGRTMAX)
    snprintf(buffer, DZ_SIGNAL_NAME_MAX, "SIGRTMIN+%d", signal - KERNEL_SIGRTMIN);
  else
    snprintf(buffer, DZ_SIGNAL_NAME_MAX, "%d", signal);
  return buffer;
}

bool dz_signal_is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
         signal == SIGABRT || signal == SIGSYS || signal == SIGTRAP;
}
