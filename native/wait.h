/* Waiting for descriptors until a deadline, in milliseconds on the monotonic clock. */
#ifndef HOOKVISOR_WAIT_H
#define HOOKVISOR_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    char *data;
    size_t size;
};

/* Waits until the descriptor is ready for `events` of poll(2). Returns false at the deadline. */
bool wait_for(int fd, short events, int64_t until);

/*
 * Writes all bytes, to a blocking or a non-blocking descriptor. Returns false and sets errno if it cannot; ETIMEDOUT at
 * the deadline.
 */
bool write_all(int fd, struct bytes bytes, int64_t until);

#endif
