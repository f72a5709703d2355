/* See wait.h. */
#define _GNU_SOURCE
#include "wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"

bool wait_for(int fd, short events, int64_t until) {
    for (;;) {
        int64_t left = until - now_ms();
        if (left <= 0) return false;
        int ready = poll(&(struct pollfd){.fd = fd, .events = events}, 1, (int)left);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) pause_ms(again_ms);
    }
}

bool write_all(int fd, struct bytes bytes, int64_t until) {
    while (bytes.size > 0) {
        if (!wait_for(fd, POLLOUT, until)) {
            errno = ETIMEDOUT;
            return false;
        }
        /* A ready pipe accepts this many bytes without blocking, even if the descriptor is in blocking mode. */
        ssize_t done = write(fd, bytes.data, bytes.size < PIPE_BUF ? bytes.size : PIPE_BUF);
        if (done < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (done < 0) continue;
        bytes.data += done;
        bytes.size -= (size_t)done;
    }
    return true;
}
