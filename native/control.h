/* What the gate says on its socket to the runtime, and what it is told. */
#ifndef HOOKVISOR_CONTROL_H
#define HOOKVISOR_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True once nothing more can be told. What the runtime has said before may still be there to be read. */
extern bool control_ended;

/* Whether it ended by a failure, and not because the runtime closed it. */
extern bool control_failed;

/* Sends a frame with the number before its data. Blocks while the runtime does not read. */
void tell(int type, uint32_t number, const char *data, size_t size);

/*
 * Reads once and hands every whole frame, header included, to `obey`. False when nothing is there right now or ever
 * again: then `control_ended` is true.
 */
bool read_control(void (*obey)(const char *frame, size_t size));

#endif
