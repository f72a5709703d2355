/* The monotonic clock. */
#ifndef HOOKVISOR_CLOCK_H
#define HOOKVISOR_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Pause before a failed call is retried. */
enum { again_ms = 10 };

static inline int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Pauses before a retry, so that a persistent failure does not occupy the processor. */
static inline void pause_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

#endif
