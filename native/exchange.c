/* See exchange.h. */
#define _GNU_SOURCE
#include "exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "frame.h"
#include "report.h"

enum { type_call = 0x01, type_answer = 0x02, type_refusal = 0x1f };

/* Returns a connected, non-blocking socket, or -1. */
static int connect_to(const char *path, int64_t until) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
    } else {
        memcpy(address.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    while (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int why = errno;
        /* A full backlog means that the runtime is busy, not absent. */
        if ((why == EAGAIN || why == EINTR) && now_ms() < until) {
            pause_ms(again_ms);
            continue;
        }
        close(fd);
        errno = why;
        fd = -1;
    }
    if (fd < 0) fail("%s", strerror(errno));
    return fd;
}

static bool send_call(int fd, struct bytes arguments, struct bytes document, int64_t until) {
    char header[header_bytes + 4];
    size_t length = 2 + 4 + arguments.size + document.size;
    if (length > frame_limit) return fail("the document is larger than 64 MiB");
    put_header(header, type_call, length - 2);
    put_u32(header + header_bytes, arguments.size);
    struct iovec parts[] = {{header, sizeof header}, {arguments.data, arguments.size}, {document.data, document.size}};
    for (size_t part = 0; part < 3;) {
        struct msghdr message = {.msg_iov = parts + part, .msg_iovlen = 3 - part};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent >= 0) part += skip_sent(parts + part, 3 - part, (size_t)sent);
        else if (errno != EAGAIN && errno != EINTR) return fail("%s", strerror(errno));
        else if (!wait_for(fd, POLLOUT, until)) return fail("it did not accept the call in time");
    }
    return true;
}

static bool parse_answer(struct bytes frame, struct answer *answer) {
    const unsigned char type = (unsigned char)frame.data[5];
    char *body = frame.data + header_bytes;
    size_t size = frame.size - header_bytes;
    if (type == type_refusal) {
        /* The fields are JSON and are shown unparsed: a parser here would be one more thing that can fail. */
        size_t head = size >= 4 ? get_u32(body) : 0;
        if (head == 0 || head > size - 4) return fail("it refused the call: ");
        return fail("it refused the call: %.*s", shown(body + 4, head, 300), body + 4);
    }
    if (type != type_answer) return fail("it sent a frame of unknown type %u", type);
    if (size < 5 || get_u32(body + 1) > size - 5) return fail("it sent a truncated answer");
    answer->status = (unsigned char)body[0];
    answer->out = (struct bytes){body + 5, get_u32(body + 1)};
    answer->err = (struct bytes){answer->out.data + answer->out.size, size - 5 - answer->out.size};
    return true;
}

static bool read_answer(int fd, struct answer *answer, int64_t until) {
    static char first[first_bytes];
    struct bytes frame = {first, 0};
    size_t capacity = sizeof first, need = header_bytes;
    while (frame.size < need) {
        if (!wait_for(fd, POLLIN, until)) return fail("it did not answer in time");
        ssize_t got = recv(fd, frame.data + frame.size, capacity - frame.size, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return fail("%s", strerror(errno));
        if (got == 0) {
            return fail(frame.size == 0 ? "it closed the connection without an answer"
                                        : "it closed the connection during its answer");
        }
        frame.size += (size_t)got;
        if (need != header_bytes || frame.size < header_bytes) continue;
        unsigned version = (unsigned char)frame.data[4];
        size_t length = get_u32(frame.data);
        if (version != protocol_version) return fail("it uses protocol version %u, not 1", version);
        if (length < 2 || length > frame_limit) return fail("it announced a frame of %zu bytes", length);
        need = 4 + length;
        if (need > capacity) {
            frame.data = malloc(capacity = need);
            if (frame.data == NULL) return fail("there is not enough memory for its answer");
            memcpy(frame.data, first, frame.size);
        }
    }
    frame.size = need;
    return parse_answer(frame, answer);
}

bool exchange(const char *path, struct bytes arguments, struct bytes document, int64_t until, struct answer *answer) {
    int fd = connect_to(path, until);
    bool answered = fd >= 0 && send_call(fd, arguments, document, until) && read_answer(fd, answer, until);
    if (fd >= 0) close(fd);
    return answered;
}
