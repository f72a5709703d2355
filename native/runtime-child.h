/* What the gate and the spawner share: the runtime starts both and keeps them running. */
#ifndef HOOKVISOR_RUNTIME_CHILD_H
#define HOOKVISOR_RUNTIME_CHILD_H

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The socket to the runtime. */
enum { control = 3 };

/* systemd stops a service with TERM to all its processes; events in flight must finish first. */
static inline void ignore_stops(void) {
    for (size_t at = 0; at < 4; at++) signal((int[]){SIGPIPE, SIGTERM, SIGINT, SIGHUP}[at], SIG_IGN);
}

/*
 * Closes inherited descriptors. Otherwise they would stay open as long as this process runs, and a script would inherit
 * them.
 */
static inline void forget_inherited(int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
    for (int fd = first; fd < 1024; fd++) close(fd);
}

#endif
