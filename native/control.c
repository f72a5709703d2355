/* See control.h. */
#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "frame.h"
#include "runtime-child.h"

/*
 * Maximum number of consecutive failures for lack of memory, about a second, before the runtime must start another
 * gate.
 */
enum { most_attempts = 100, room_bytes = 16384, kept_bytes = 1024 * 1024 };

bool control_ended, control_failed;

static void end_control(int error) {
    control_ended = true;
    if (error != 0 && error != EPIPE && error != ECONNRESET) control_failed = true;
}

/* Counts a failure. Returns true if the call should be retried, and ends the connection otherwise. */
static bool try_again(int *attempts, int error) {
    if (++*attempts < most_attempts && is_passing(error)) return true;
    end_control(error);
    return false;
}

void tell(int type, uint32_t number, const char *data, size_t size) {
    char head[header_bytes + 4];
    put_header(head, type, 4 + size);
    put_u32(head + header_bytes, number);
    struct iovec parts[] = {{head, sizeof head}, {(char *)data, size}};
    int attempts = 0;
    for (size_t done = 0; done < 2 && !control_ended;) {
        struct msghdr message = {.msg_iov = parts + done, .msg_iovlen = 2 - done};
        ssize_t sent = sendmsg(control, &message, MSG_NOSIGNAL);
        if (sent >= 0) done += skip_sent(parts + done, 2 - done, (size_t)sent);
        else try_again(&attempts, errno);
    }
}

bool read_control(void (*obey)(const char *frame, size_t size)) {
    static char *data;
    static size_t have, capacity;
    static int attempts;
    if (capacity - have < room_bytes) {
        char *grown = realloc(data, 2 * have + 2 * room_bytes);
        if (grown == NULL) return try_again(&attempts, ENOMEM);
        data = grown;
        capacity = 2 * have + 2 * room_bytes;
    }
    ssize_t got = recv(control, data + have, capacity - have, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return false;
    if (got < 0) return try_again(&attempts, errno);
    attempts = 0;
    if (got == 0) {
        end_control(0);
        return false;
    }
    have += (size_t)got;
    size_t at = 0;
    while (have - at >= header_bytes) {
        size_t size = 4 + (size_t)get_u32(data + at);
        if (have - at < size) break;
        obey(data + at, size);
        at += size;
    }
    have -= at;
    if (at > 0) memmove(data, data + at, have);
    if (have == 0 && capacity > kept_bytes) {
        free(data);
        data = NULL;
        capacity = 0;
    }
    return true;
}
