/* What the programs have in common that the runtime starts and keeps: gate and spawner. */
#ifndef HOOKVISOR_RUNTIME_CHILD_H
#define HOOKVISOR_RUNTIME_CHILD_H

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The socket to the runtime. */
enum { control = 3 };

/* A service is stopped by TERM to all its processes, and events under way are finished first. */
static inline void ignore_stops(void) {
    for (size_t at = 0; at < 4; at++) signal((int[]){SIGPIPE, SIGTERM, SIGINT, SIGHUP}[at], SIG_IGN);
}

/* Closes what somebody left open on the way here: it would stay open as long as this runs, and a script would see it. */
static inline void forget_inherited(int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
    for (int fd = first; fd < 1024; fd++) close(fd);
}

#endif
