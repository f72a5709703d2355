/* One exchange with the runtime: a hook call and its answer. See docs/protocol.md. */
#ifndef HOOKVISOR_EXCHANGE_H
#define HOOKVISOR_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wait.h"

enum { first_bytes = 64 * 1024 };

struct answer {
    unsigned char status;
    struct bytes out, err;
};

/*
 * Sends the call to the runtime at `path` and reads its answer. Returns false and sets `reason` if there is no answer
 * in time.
 */
bool exchange(const char *path, struct bytes arguments, struct bytes document, int64_t until, struct answer *answer);

#endif
