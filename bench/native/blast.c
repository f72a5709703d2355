// Calls the runtime over its socket as the hook client does, without a process per event: one connection per call,
// CONCURRENCY at a time. Prints one line per call: nanoseconds from connecting to the whole reply, exit status (or -1).
//
//   blast SOCKET FRAME COUNT CONCURRENCY PAUSE_US
//
// FRAME is a file with the bytes of one request. With PAUSE_US a slot waits that long before each call.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct slot {
    long long began, due;
    unsigned got;
    char head[7];
};

static char frame[4 << 20];
static size_t frame_size;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void die(const char *what) {
    perror(what);
    exit(2);
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// -1 if the backlog is full.
static int call(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) die("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        if (errno != EAGAIN) die("connect");
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, 0);
    if (send(fd, frame, frame_size, MSG_NOSIGNAL) != (ssize_t)frame_size) die("send");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int count = atoi(argv[3]), concurrency = atoi(argv[4]);
    long long pause = atoll(argv[5]) * 1000;
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int file = open(argv[2], O_RDONLY);
    ssize_t size = read(file, frame, sizeof frame);
    if (size <= 0) die(argv[2]);
    frame_size = (size_t)size;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct slot *slots = calloc((size_t)concurrency, sizeof *slots);
    struct pollfd *fds = calloc((size_t)concurrency, sizeof *fds);
    long long *took = calloc((size_t)count, sizeof *took);
    int *status = calloc((size_t)count, sizeof *status);
    if (slots == NULL || fds == NULL || took == NULL || status == NULL) die("calloc");
    int started = 0, done = 0;
    for (int i = 0; i < concurrency; i++) {
        fds[i] = (struct pollfd){-1, POLLIN, 0};
        slots[i].due = now() + pause;
    }
    long long first = now();
    while (done < count) {
        long long soonest = INT64_MAX;
        for (int i = 0; i < concurrency && started < count; i++) {
            if (fds[i].fd >= 0) continue;
            long long t = now();
            if (slots[i].due <= t) {
                if (slots[i].began == 0) slots[i].began = t;
                slots[i].got = 0;
                fds[i].fd = call();
                if (fds[i].fd >= 0) started++;
                else slots[i].due = t + 1000000;
            }
            if (fds[i].fd < 0 && slots[i].due < soonest) soonest = slots[i].due;
        }
        struct timespec wait = {1, 0};
        long long left = soonest - now();
        if (left < 1000000000) wait = (struct timespec){0, left > 0 ? left : 0};
        if (ppoll(fds, (nfds_t)concurrency, &wait, NULL) < 0) die("poll");
        for (int i = 0; i < concurrency; i++) {
            if (fds[i].fd < 0 || !fds[i].revents) continue;
            char bytes[65536];
            ssize_t n = read(fds[i].fd, bytes, sizeof bytes);
            if (n < 0 && errno == EAGAIN) continue;
            for (ssize_t at = 0; at < n && slots[i].got < 7; at++) slots[i].head[slots[i].got++] = bytes[at];
            // Kinds of replies: 2 is a hook's, followed by the exit status.
            if (n > 0 && slots[i].got < 7) continue;
            took[done] = now() - slots[i].began;
            status[done++] = slots[i].got == 7 && slots[i].head[5] == 2 ? slots[i].head[6] : -1;
            close(fds[i].fd);
            fds[i].fd = -1;
            slots[i].began = 0;
            slots[i].due = now() + pause;
        }
    }
    fprintf(stderr, "%lld\n", now() - first);
    for (int i = 0; i < count; i++) printf("%lld %d\n", took[i], status[i]);
    return 0;
}
