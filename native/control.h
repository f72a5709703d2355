/* The gate's end of the socket to the runtime. */
#ifndef HOOKVISOR_CONTROL_H
#define HOOKVISOR_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True once no more frames can be sent. Frames that the runtime sent earlier may still be unread. */
extern bool control_ended;

/* True if the socket ended with a failure, and not because the runtime closed it. */
extern bool control_failed;

/* Sends a frame with the number before its data. Blocks while the runtime does not read. */
void tell(int type, uint32_t number, const char *data, size_t size);

/*
 * Reads once and passes each complete frame, header included, to `obey`. Returns false if there is nothing to read now,
 * or never again: then `control_ended` is true.
 */
bool read_control(void (*obey)(const char *frame, size_t size));

#endif
