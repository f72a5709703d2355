/* Waiting for files until a moment on the monotonic clock, in milliseconds. */
#ifndef HOOKVISOR_WAIT_H
#define HOOKVISOR_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    char *data;
    size_t size;
};

/* Waits until the file is ready for `events` of poll(2). False when the time is over. */
bool wait_for(int fd, short events, int64_t until);

/* Writes all, to a blocking or a non-blocking file. False with errno when it cannot, ETIMEDOUT when the time is over. */
bool write_all(int fd, struct bytes bytes, int64_t until);

#endif
