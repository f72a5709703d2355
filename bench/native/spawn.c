// Times hook calls as libvirt makes them: fork and exec, the document on stdin, then wait for the exit and for the end
// of stdout and stderr. Prints one line per call: nanoseconds, exit status.
//
//   spawn COUNT CONCURRENCY PAUSE_US DOCUMENT PROGRAM [ARGUMENT...]
//
// CONCURRENCY processes make COUNT calls each, PAUSE_US apart.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *document;
static size_t document_size;

static void die(const char *what) {
    perror(what);
    exit(2);
}

static void load(const char *file) {
    struct stat st;
    int fd = open(file, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0) die(file);
    document_size = (size_t)st.st_size;
    document = malloc(document_size + 1);
    if (document == NULL || read(fd, document, document_size) != (ssize_t)document_size) die(file);
    close(fd);
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int call(char **argv) {
    int in[2], out[2], err[2], status;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) die("pipe");
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        execv(argv[0], argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    size_t written = 0;
    if (document_size == 0) close(in[1]);
    struct pollfd fds[3] = {
        {document_size == 0 ? -1 : in[1], POLLOUT, 0}, {out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
    int open_ends = 2;
    char buffer[65536];
    while (open_ends > 0 || fds[0].fd >= 0) {
        if (poll(fds, 3, -1) < 0) die("poll");
        if (fds[0].fd >= 0 && fds[0].revents) {
            ssize_t n = write(in[1], document + written, document_size - written);
            if (n > 0) written += (size_t)n;
            if (n < 0 || written == document_size) {
                close(in[1]);
                fds[0].fd = -1;
            }
        }
        for (int i = 1; i < 3; i++) {
            if (fds[i].fd >= 0 && fds[i].revents && read(fds[i].fd, buffer, sizeof buffer) <= 0) {
                close(fds[i].fd);
                fds[i].fd = -1;
                open_ends--;
            }
        }
    }
    if (waitpid(pid, &status, 0) != pid) die("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: spawn COUNT CONCURRENCY PAUSE_US DOCUMENT PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    int count = atoi(argv[1]), concurrency = atoi(argv[2]), pause = atoi(argv[3]);
    load(argv[4]);
    signal(SIGPIPE, SIG_IGN);
    for (int worker = 0; worker < concurrency; worker++) {
        pid_t pid = concurrency == 1 ? 0 : fork();
        if (pid < 0) die("fork");
        if (pid > 0) continue;
        long long *took = calloc((size_t)count, sizeof *took);
        int *status = calloc((size_t)count, sizeof *status);
        if (took == NULL || status == NULL) die("calloc");
        for (int i = 0; i < count; i++) {
            if (pause > 0) usleep((useconds_t)pause);
            long long began = now();
            status[i] = call(argv + 5);
            took[i] = now() - began;
        }
        char line[64];
        for (int i = 0; i < count; i++) {
            int size = snprintf(line, sizeof line, "%lld %d\n", took[i], status[i]);
            if (write(1, line, (size_t)size) != size) die("write");
        }
        _exit(0);
    }
    int failed = 0, status;
    while (wait(&status) > 0) failed |= status;
    return failed ? 2 : 0;
}
