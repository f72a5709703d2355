/*
 * The gate: accepts hook calls on behalf of the runtime. In Node, each connection creates a dozen objects, which takes
 * a third of a millisecond per event with cold caches. Here it takes one accept(2) and one read(2), and the runtime
 * receives complete requests, one after the other, over a single socket. The runtime starts the gate and keeps it
 * running:
 *
 *   gate PATIENCE PATH    binds and listens on PATH, mode 0600
 *   gate PATIENCE         listens on descriptor 4, a socket that systemd holds
 *
 * PATIENCE is the timeout of a client in milliseconds: once for sending its request, and again for reading its answer.
 *
 * Descriptor 3 is a socket to the runtime, with the frames of docs/protocol.md; numbers are u32, big endian:
 *
 *   to the runtime    1 listening   2 errno: cannot listen   3 connection, request   4 connection: request timed out
 *                     5 stopped accepting
 *   from the runtime  1 connection, answer   2 stop accepting
 *
 * The gate reads only the length of a request and does not interpret the rest. When the socket to the runtime ends, it
 * delivers the answers that it has received, and exits. A failed system call affects only the connection that it was
 * for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "frame.h"
#include "runtime-child.h"

enum { inherited = 4 };
enum { to_listening = 1, to_cannot_listen = 2, to_request = 3, to_late = 4, to_stopped = 5, from_answer = 1, from_stop = 2 };
enum { first_bytes = 16384, queue = 4096, batch = 64 };
enum { starved_ms = 100, most_failures = 100 };

/* A connection reads its request, waits for the runtime, then writes its answer. */
enum stage { stage_reading, stage_waiting, stage_answering };

struct connection {
    struct connection *next, **link;
    int fd;
    uint32_t number;
    enum stage stage;
    bool watched;
    int64_t due; /* deadline for reading or answering */
    char *data;
    size_t have, size, capacity;
};

static struct connection *connections, **by_number;
static uint32_t numbers;
static int events, listener, patience_ms;
static int64_t starved_until;
static bool listening, starved;

static bool watch(int operation, int fd, uint32_t what, void *owner) {
    return epoll_ctl(events, operation, fd, &(struct epoll_event){.events = what, .data.ptr = owner}) == 0;
}

static void take_connections(bool take) {
    if (!listening || take != starved) return;
    /* A failure here is retried: at the next connection that cannot be accepted, or after a pause. */
    if (watch(EPOLL_CTL_MOD, listener, take ? EPOLLIN : 0, &listener)) starved = !take;
    starved_until = now_ms() + starved_ms;
}

static void hang_up(struct connection *connection) {
    /*
     * Discards what follows the request: closing a socket with unread bytes would reset the connection under the
     * client.
     */
    char rest[first_bytes];
    for (int reads = 0; reads < batch && recv(connection->fd, rest, sizeof rest, 0) > 0; reads++) {}
    close(connection->fd);
    by_number[connection->number] = NULL;
    *connection->link = connection->next;
    if (connection->next != NULL) connection->next->link = connection->link;
    free(connection->data);
    free(connection);
    take_connections(true);
}

/* Returns false if memory is exhausted. */
static bool find_number(uint32_t *number) {
    static uint32_t last;
    for (uint32_t tried = 0; tried < numbers; tried++) {
        last = (last + 1) % numbers;
        if (by_number[last] != NULL) continue;
        *number = last;
        return true;
    }
    uint32_t more = numbers == 0 ? 64 : 2 * numbers;
    struct connection **grown = realloc(by_number, more * sizeof *grown);
    if (grown == NULL) return false;
    memset(grown + numbers, 0, (more - numbers) * sizeof *grown);
    *number = last = numbers;
    by_number = grown;
    numbers = more;
    return true;
}

/*
 * Returns the size of the request as far as it is known. Malformed frames are forwarded to the runtime, which rejects
 * them.
 */
static size_t wanted(const struct connection *connection) {
    if (connection->have < header_bytes) return header_bytes;
    size_t length = get_u32(connection->data);
    bool plausible = length >= 2 && length <= frame_limit && connection->data[4] == protocol_version;
    return plausible ? 4 + length : header_bytes;
}

/* Waits for the client to write or read; closes the connection if epoll cannot watch it. */
static void await_client(struct connection *connection, uint32_t what) {
    if (!connection->watched) connection->watched = watch(EPOLL_CTL_ADD, connection->fd, what, connection);
    if (!connection->watched) hang_up(connection);
}

/*
 * Forwards the request to the runtime. Ignores the connection until the answer, even if the client closes it: the event
 * is decided and journaled anyway.
 */
static void await_answer(struct connection *connection, int type, size_t size) {
    if (connection->watched && !watch(EPOLL_CTL_DEL, connection->fd, 0, NULL)) {
        hang_up(connection);
        return;
    }
    connection->watched = false;
    connection->stage = stage_waiting;
    tell(type, connection->number, connection->data, size);
    free(connection->data);
    connection->data = NULL;
}

/* Memory grows by doubling, so that only sending many bytes is expensive, not announcing them. */
static bool make_room(struct connection *connection, size_t want) {
    if (connection->have < connection->capacity) return true;
    size_t more = 2 * connection->capacity;
    size_t capacity = more == 0 ? first_bytes : more < want ? more : want;
    char *grown = realloc(connection->data, capacity);
    if (grown == NULL) return false;
    connection->data = grown;
    connection->capacity = capacity;
    return true;
}

static void read_request(struct connection *connection) {
    for (;;) {
        size_t want = wanted(connection);
        if (connection->have >= header_bytes && connection->have >= want) break;
        bool room = make_room(connection, want);
        ssize_t got = !room ? 0
                            : recv(connection->fd, connection->data + connection->have,
                                   connection->capacity - connection->have, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) {
            await_client(connection, EPOLLIN);
            return;
        }
        if (got <= 0) {
            hang_up(connection);
            return;
        }
        connection->have += (size_t)got;
    }
    await_answer(connection, to_request, wanted(connection));
}

static void accept_connections(void) {
    for (int taken = 0; taken < batch; taken++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            /*
             * Descriptors or memory are exhausted: new connections wait in the backlog until one is closed, or for a
             * pause.
             */
            if (errno != EAGAIN) take_connections(false);
            return;
        }
        struct connection *connection = malloc(sizeof *connection);
        uint32_t number;
        if (connection == NULL || !find_number(&number)) {
            free(connection);
            close(fd);
            continue;
        }
        *connection = (struct connection){
            .next = connections, .link = &connections, .fd = fd, .number = number, .due = now_ms() + patience_ms};
        if (connections != NULL) connections->link = &connection->next;
        connections = by_number[number] = connection;
        read_request(connection);
    }
}

static void write_answer(struct connection *connection) {
    while (connection->have < connection->size) {
        size_t left = connection->size - connection->have;
        ssize_t sent = send(connection->fd, connection->data + connection->have, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) {
            /* the client must read first */
            await_client(connection, EPOLLOUT);
            return;
        }
        if (sent < 0) break; /* the client is gone */
        connection->have += (size_t)sent;
    }
    hang_up(connection);
}

static void answer(uint32_t number, const char *data, size_t size) {
    struct connection *connection = number < numbers ? by_number[number] : NULL;
    if (connection == NULL || connection->stage != stage_waiting) return;
    connection->stage = stage_answering;
    connection->due = now_ms() + patience_ms;
    connection->data = malloc(size == 0 ? 1 : size);
    connection->have = 0;
    connection->size = size;
    if (connection->data == NULL) {
        hang_up(connection);
        return;
    }
    memcpy(connection->data, data, size);
    write_answer(connection);
}

/* Closing is not enough if another process also holds the socket: epoll would report it forever. */
static void forget_listener(void) {
    listening = false;
    if (watch(EPOLL_CTL_DEL, listener, 0, NULL)) close(listener);
}

static void stop(void) {
    if (listening) forget_listener();
    starved = false;
    for (struct connection *each = connections, *next; each != NULL; each = next) {
        next = each->next;
        if (each->stage == stage_reading) hang_up(each);
    }
}

static void obey(const char *frame, size_t size) {
    if (frame[5] == from_stop) {
        stop();
        tell(to_stopped, 0, NULL, 0);
    } else if (frame[5] == from_answer && size >= header_bytes + 4) {
        answer(get_u32(frame + header_bytes), frame + header_bytes + 4, size - header_bytes - 4);
    }
}

/* Closes connections past their deadline. Returns the milliseconds until the next deadline, -1 if there is none. */
static int hurry(void) {
    int64_t now = now_ms(), first = -1;
    if (starved && starved_until <= now) take_connections(true);
    if (starved) first = starved_until;
    for (struct connection *each = connections, *next; each != NULL; each = next) {
        next = each->next;
        if (each->stage == stage_waiting) continue;
        if (each->due <= now && each->stage == stage_answering) {
            hang_up(each);
        } else if (each->due <= now) {
            await_answer(each, to_late, 0);
        } else if (first < 0 || each->due < first) {
            first = each->due;
        }
    }
    return first < 0 ? -1 : (int)(first - now);
}

static int bind_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    umask(0177); /* the mode must be right from the start */
    bool bound = listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0;
    return bound && listen(listener, queue) == 0 ? 0 : errno;
}

/* The runtime is gone: deliver the answers that it sent, and close all other connections. */
static void finish(void) {
    stop();
    while (read_control(obey)) continue;
    watch(EPOLL_CTL_DEL, control, 0, NULL); /* see forget_listener() */
    close(control);
    for (struct connection *each = connections, *next; each != NULL; each = next) {
        next = each->next;
        if (each->stage == stage_waiting) hang_up(each);
    }
}

/* Returns false if other reported events may refer to closed connections. epoll reports the remaining ones again. */
static bool serve(void *owner) {
    if (owner == NULL) {
        if (control_ended) return true;
        read_control(obey);
        return false;
    }
    struct connection *connection = owner;
    if (owner == &listener && listening) accept_connections();
    else if (owner == &listener) forget_listener();
    else if (connection->stage == stage_reading) read_request(connection);
    else if (connection->stage == stage_answering) write_answer(connection);
    return true;
}

/* Serves until the runtime is gone and the last client has its answer. Returns the exit status. */
static int serve_all(void) {
    bool finishing = false;
    for (int failures = 0; failures < most_failures;) {
        int wait = hurry();
        if (control_ended && !finishing) {
            finishing = true;
            finish();
            continue;
        }
        if (finishing && connections == NULL) return control_failed ? 1 : 0;
        struct epoll_event ready[batch];
        int count = epoll_wait(events, ready, batch, wait);
        failures = count >= 0 || errno == EINTR ? 0 : failures + 1;
        if (failures > 0) pause_ms(again_ms);
        for (int at = 0; at < count && serve(ready[at].data.ptr); at++) {}
    }
    return 1;
}

int main(int argc, char **argv) {
    ignore_stops();
#ifdef __GLIBC__
    /*
     * Returns the memory of large documents to the system. By default glibc raises this threshold each time a large
     * block is freed.
     */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (argc < 2) return 2;
    forget_inherited(argc > 2 ? inherited : inherited + 1);
    patience_ms = atoi(argv[1]);
    listener = inherited;
    int problem = argc > 2 ? bind_to(argv[2]) : fcntl(inherited, F_SETFL, O_NONBLOCK) != 0 ? errno : 0;
    if (problem != 0) {
        tell(to_cannot_listen, (uint32_t)problem, NULL, 0);
        return 1;
    }
    events = epoll_create1(EPOLL_CLOEXEC);
    listening = events >= 0 && watch(EPOLL_CTL_ADD, control, EPOLLIN, NULL) &&
                watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener);
    if (!listening) {
        tell(to_cannot_listen, (uint32_t)errno, NULL, 0);
        return 1;
    }
    tell(to_listening, 0, NULL, 0);
    return serve_all();
}
