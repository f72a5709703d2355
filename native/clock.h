/* The monotonic clock. */
#ifndef HOOKVISOR_CLOCK_H
#define HOOKVISOR_CLOCK_H

#include <stdint.h>
#include <time.h>

/* How long to wait before a call that failed is tried again. */
enum { again_ms = 10 };

static inline int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Waits before something that failed is tried again, so that a failure that lasts does not burn the processor. */
static inline void pause_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

#endif
