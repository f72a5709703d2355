/*
 * The gate: takes hook calls on the runtime's behalf. Node makes a dozen objects for each connection, which costs an
 * event a third of a millisecond when the caches are cold; here it is an accept(2) and a read, and the runtime gets
 * whole requests, one after the other, over a single socket. The runtime starts it and keeps it:
 *
 *   gate PATIENCE PATH    binds and listens on PATH, mode 0600
 *   gate PATIENCE         listens on descriptor 4, a socket that systemd holds
 *
 * PATIENCE is how long a client may take for its request, and again to take its answer, milliseconds.
 *
 * Descriptor 3 is a socket to the runtime, with the frames of docs/protocol.md; numbers are u32, big endian:
 *
 *   to the runtime    1 listening   2 errno: cannot listen   3 connection, request   4 connection: no request in time
 *                     5 takes no more
 *   from the runtime  1 connection, answer   2 take no more connections
 *
 * What comes on a connection is not looked at beyond its length. When the socket to the runtime ends, so does this.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { control = 3, inherited = 4, protocol_version = 1, header_bytes = 6 };
enum { to_listening = 1, to_cannot_listen = 2, to_request = 3, to_late = 4, to_stopped = 5, from_answer = 1, from_stop = 2 };
enum { frame_limit = 64 * 1024 * 1024, first_bytes = 16384, queue = 4096, batch = 64 };
enum { starved_ms = 100, kept_bytes = 1024 * 1024 };

/* A connection reads its request, waits for the runtime, then takes its answer. */
enum stage { stage_reading, stage_waiting, stage_answering };

struct connection {
    struct connection *next, **link;
    int fd;
    uint32_t number;
    enum stage stage;
    int64_t due; /* when reading or answering must be over */
    char *data;
    size_t have, size, capacity;
};

static struct connection *connections, **by_number;
static uint32_t numbers;
static int events, listener, patience_ms;
static int64_t starved_until;
static bool listening, starved;

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void put_u32(char *at, size_t value) {
    for (int byte = 0; byte < 4; byte++) at[byte] = (char)(value >> (24 - 8 * byte));
}

static uint32_t get_u32(const char *at) {
    const unsigned char *byte = (const unsigned char *)at;
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

/* Without memory nothing can be answered: the clients learn it at once, and the runtime starts the gate again. */
static void *allocate(void *memory, size_t size) {
    void *grown = realloc(memory, size);
    if (grown == NULL) _exit(1);
    return grown;
}

/* Blocks while the runtime does not read: what comes meanwhile waits in the queue of the kernel. */
static void tell(int type, uint32_t number, const char *data, size_t size) {
    char head[header_bytes + 4];
    put_u32(head, 2 + 4 + size);
    head[4] = protocol_version;
    head[5] = (char)type;
    put_u32(head + header_bytes, number);
    struct iovec parts[] = {{head, sizeof head}, {(char *)data, size}};
    for (size_t part = 0; part < 2;) {
        ssize_t sent = sendmsg(control, &(struct msghdr){.msg_iov = parts + part, .msg_iovlen = 2 - part}, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) _exit(0);
        for (size_t left = (size_t)sent; part < 2; part++) {
            size_t taken = left < parts[part].iov_len ? left : parts[part].iov_len;
            parts[part].iov_base = (char *)parts[part].iov_base + taken;
            parts[part].iov_len -= taken;
            left -= taken;
            if (parts[part].iov_len > 0) break;
        }
    }
}

static void watch(int operation, int fd, uint32_t what, void *owner) {
    if (epoll_ctl(events, operation, fd, &(struct epoll_event){.events = what, .data.ptr = owner}) != 0) _exit(1);
}

static void take_connections(bool take) {
    if (!listening || take != starved) return;
    starved = !take;
    starved_until = now_ms() + starved_ms;
    watch(EPOLL_CTL_MOD, listener, take ? EPOLLIN : 0, &listener);
}

static void hang_up(struct connection *connection) {
    /* What came after the request is dropped: closing over unread bytes would reset the connection under the client. */
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

static uint32_t free_number(void) {
    static uint32_t last;
    for (uint32_t tried = 0; tried < numbers; tried++) {
        last = (last + 1) % numbers;
        if (by_number[last] == NULL) return last;
    }
    last = numbers;
    numbers = numbers == 0 ? 64 : 2 * numbers;
    by_number = allocate(by_number, numbers * sizeof *by_number);
    memset(by_number + last, 0, (numbers - last) * sizeof *by_number);
    return last;
}

/* The bytes that make up the request, as far as can be told; what is no request is passed on for the runtime to refuse. */
static size_t wanted(const struct connection *connection) {
    if (connection->have < header_bytes) return header_bytes;
    size_t length = get_u32(connection->data);
    bool plausible = length >= 2 && length <= frame_limit && connection->data[4] == protocol_version;
    return plausible ? 4 + length : header_bytes;
}

/* Tells the runtime of the connection. Not even a hang-up is waited for: its event is decided and journaled all the same. */
static void await_answer(struct connection *connection, int type, size_t size) {
    connection->stage = stage_waiting;
    watch(EPOLL_CTL_DEL, connection->fd, 0, NULL);
    tell(type, connection->number, connection->data, size);
    free(connection->data);
    connection->data = NULL;
}

static void read_request(struct connection *connection) {
    for (;;) {
        size_t want = wanted(connection);
        if (connection->have >= header_bytes && connection->have >= want) break;
        if (connection->have == connection->capacity) {
            /* By doubling: announcing much costs nothing, only sending it does. */
            size_t more = 2 * connection->capacity;
            connection->data = allocate(connection->data, connection->capacity = more < want ? more : want);
        }
        size_t room = connection->capacity - connection->have;
        ssize_t got = recv(connection->fd, connection->data + connection->have, room, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
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
            /* No descriptor or memory is left: they wait in the queue until a connection is closed, or a moment. */
            if (errno != EAGAIN) take_connections(false);
            return;
        }
        struct connection *connection = allocate(NULL, sizeof *connection);
        *connection = (struct connection){
            .next = connections, .link = &connections, .fd = fd, .number = free_number(), .due = now_ms() + patience_ms};
        connection->data = allocate(NULL, connection->capacity = first_bytes);
        if (connections != NULL) connections->link = &connection->next;
        connections = by_number[connection->number] = connection;
        watch(EPOLL_CTL_ADD, fd, EPOLLIN, connection);
        read_request(connection);
    }
}

/* False when the client has to read first. */
static bool write_answer(struct connection *connection) {
    while (connection->have < connection->size) {
        size_t left = connection->size - connection->have;
        ssize_t sent = send(connection->fd, connection->data + connection->have, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return false;
        if (sent < 0) break; /* it has left */
        connection->have += (size_t)sent;
    }
    hang_up(connection);
    return true;
}

static void answer(uint32_t number, const char *data, size_t size) {
    struct connection *connection = number < numbers ? by_number[number] : NULL;
    if (connection == NULL || connection->stage != stage_waiting) return;
    connection->stage = stage_answering;
    connection->due = now_ms() + patience_ms;
    connection->data = allocate(NULL, size == 0 ? 1 : size);
    memcpy(connection->data, data, size);
    connection->have = 0;
    connection->size = size;
    if (!write_answer(connection)) watch(EPOLL_CTL_ADD, connection->fd, EPOLLOUT, connection);
}

static void stop(void) {
    if (listening) {
        /* Closing is not enough where somebody else holds the socket, too: it would be reported for ever. */
        watch(EPOLL_CTL_DEL, listener, 0, NULL);
        close(listener);
    }
    listening = starved = false;
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

/* False when the runtime is gone. */
static bool read_control(void) {
    static char *data;
    static size_t have, capacity;
    if (capacity - have < first_bytes) data = allocate(data, capacity = 2 * have + 2 * first_bytes);
    ssize_t got = recv(control, data + have, capacity - have, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got <= 0) return false;
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

/* Ends what took too long. Milliseconds until the next may have to, -1 for never. */
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
    umask(0177); /* the mode must be right from the first moment */
    bool bound = listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0;
    return bound && listen(listener, queue) == 0 ? 0 : errno;
}

/* The runtime is gone: what it has answered is still delivered. */
static void finish(void) {
    stop();
    watch(EPOLL_CTL_DEL, control, 0, NULL);
    close(control);
    for (struct connection *each = connections, *next; each != NULL; each = next) {
        next = each->next;
        if (each->stage == stage_waiting) hang_up(each);
    }
    for (int wait = hurry(); connections != NULL; wait = hurry()) {
        struct epoll_event ready[batch];
        int count = epoll_wait(events, ready, batch, wait);
        for (int at = 0; at < count; at++) write_answer(ready[at].data.ptr);
    }
}

/* A file that somebody left open on the way here stays open as long as this runs. */
static void forget_inherited(int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
    for (int fd = first; fd < 1024; fd++) close(fd);
}

int main(int argc, char **argv) {
    /* A service is stopped by TERM to all its processes, and events under way are finished first. */
    for (size_t at = 0; at < 4; at++) signal((int[]){SIGPIPE, SIGTERM, SIGINT, SIGHUP}[at], SIG_IGN);
#ifdef __GLIBC__
    /* What a large document took goes back to the system. By itself glibc raises this bound with each that is freed. */
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
    listening = true;
    watch(EPOLL_CTL_ADD, control, EPOLLIN, NULL);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener);
    tell(to_listening, 0, NULL, 0);
    for (;;) {
        struct epoll_event ready[batch];
        int count = epoll_wait(events, ready, batch, hurry());
        for (int at = 0; at < count; at++) {
            struct connection *connection = ready[at].data.ptr;
            if (connection == NULL) {
                if (read_control()) break; /* what it ended may be among the rest, which are asked for again */
                finish();
                return 0;
            }
            if (ready[at].data.ptr == &listener) accept_connections();
            else if (connection->stage == stage_reading) read_request(connection);
            else write_answer(connection);
        }
    }
}
