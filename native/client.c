/*
 * The hook client: what libvirt runs as /etc/libvirt/hooks/qemu and the like. It hands one hook call to the Hookvisor
 * runtime over a unix socket and passes the answer on: stdout, stderr, exit status. See docs/client.md, and
 * docs/protocol.md for the frames.
 *
 * It has no options at all: every argument comes from libvirt, and an object's name is hostile input ("--help", "-rf").
 */
#define _GNU_SOURCE
#include "policy.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef HOOKVISOR_SOCKET
#define HOOKVISOR_SOCKET "/run/hookvisor/hookvisor.sock"
#endif

enum { protocol_version = 1, type_call = 0x01, type_answer = 0x02, type_refusal = 0x1f };
enum { header_bytes = 6, frame_limit = 64 * 1024 * 1024, first_bytes = 64 * 1024 };
enum { kill_grace_ms = 500, retry_ms = 10 };

struct bytes {
    char *data;
    size_t size;
};

struct answer {
    unsigned char status;
    struct bytes out, err;
};

static char reason[400]; /* why there is no answer */
static int64_t deadline; /* milliseconds on the monotonic clock */

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Keeps why the runtime cannot decide this call. */
__attribute__((format(printf, 1, 2))) static bool fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    return false;
}

/* Writes all, on a blocking or non-blocking file; false when it cannot. */
static bool write_all(int fd, struct bytes bytes) {
    while (bytes.size > 0) {
        ssize_t done = write(fd, bytes.data, bytes.size);
        if (done >= 0) {
            bytes.data += done;
            bytes.size -= (size_t)done;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* One line on stderr. Paths and the runtime's text may hold anything: no control character reaches a terminal. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
    char line[1600] = "hookvisor: ";
    size_t prefix = strlen(line);
    va_list values;
    va_start(values, format);
    vsnprintf(line + prefix, sizeof line - prefix - 1, format, values);
    va_end(values);
    size_t size = strlen(line);
    for (size_t at = 0; at < size; at++) {
        unsigned char byte = (unsigned char)line[at], next = (unsigned char)line[at + 1];
        if (byte < 0x20 || byte == 0x7f) line[at] = '?';
        if (byte == 0xc2 && next >= 0x80 && next < 0xa0) line[at] = line[at + 1] = '?';
    }
    line[size] = '\n';
    write_all(STDERR_FILENO, (struct bytes){line, size + 1});
}

/* Waits until the file is ready; false once the deadline is over. */
static bool wait_for(int fd, short events) {
    for (;;) {
        int64_t left = deadline - now_ms();
        int ready = poll(&(struct pollfd){.fd = fd, .events = events}, 1, left > 0 ? (int)left : 0);
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR && errno != EAGAIN) return true; /* the read or write that follows says what is wrong */
    }
}

/* Reads stdin to its end; false when there is no whole document. A terminal is not read: libvirt never gives one. */
static bool read_document(struct bytes *document) {
    static char first[first_bytes];
    size_t capacity = sizeof first;
    *document = (struct bytes){first, 0};
    if (isatty(STDIN_FILENO)) return true;
    for (;;) {
        if (!wait_for(STDIN_FILENO, POLLIN)) return fail("the document on stdin did not end in time");
        ssize_t got = read(STDIN_FILENO, document->data + document->size, capacity - document->size);
        if (got == 0) return true;
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return fail("stdin cannot be read: %s", strerror(errno));
        document->size += (size_t)got;
        if (document->size > frame_limit) return fail("the document is larger than 64 MiB");
        if (document->size < capacity) continue;
        capacity *= 2;
        char *grown = document->data == first ? malloc(capacity) : realloc(document->data, capacity);
        if (grown == NULL) return fail("there is no memory for the document");
        if (document->data == first) memcpy(grown, first, sizeof first);
        document->data = grown;
    }
}

static void put_u32(char *at, size_t value) {
    for (int byte = 0; byte < 4; byte++) at[byte] = (char)(value >> (24 - 8 * byte));
}

static size_t get_u32(const char *at) {
    const unsigned char *byte = (const unsigned char *)at;
    return (size_t)byte[0] << 24 | (size_t)byte[1] << 16 | (size_t)byte[2] << 8 | byte[3];
}

/* A connected, non-blocking socket, or -1. */
static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
    } else {
        memcpy(address.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    while (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        /* A full queue of connections is a busy runtime, not an absent one. */
        if (errno == EAGAIN && now_ms() < deadline) {
            poll(NULL, 0, retry_ms);
        } else if (errno != EINTR) {
            int why = errno;
            close(fd);
            errno = why;
            fd = -1;
        }
    }
    if (fd < 0) fail("%s", strerror(errno));
    return fd;
}

static bool send_call(int fd, struct bytes arguments, struct bytes document) {
    char header[header_bytes + 4];
    size_t length = 2 + 4 + arguments.size + document.size;
    if (length > frame_limit) return fail("the document is larger than 64 MiB");
    put_u32(header, length);
    header[4] = protocol_version;
    header[5] = type_call;
    put_u32(header + header_bytes, arguments.size);
    struct iovec parts[] = {{header, sizeof header}, {arguments.data, arguments.size}, {document.data, document.size}};
    for (size_t part = 0; part < 3;) {
        struct msghdr message = {.msg_iov = parts + part, .msg_iovlen = 3 - part};
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && !wait_for(fd, POLLOUT)) return fail("it does not take the call in time");
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (sent < 0) return fail("%s", strerror(errno));
        for (size_t left = (size_t)sent; part < 3; part++) {
            size_t taken = left < parts[part].iov_len ? left : parts[part].iov_len;
            parts[part].iov_base = (char *)parts[part].iov_base + taken;
            parts[part].iov_len -= taken;
            left -= taken;
            if (parts[part].iov_len > 0) break;
        }
    }
    return true;
}

static bool parse_answer(struct bytes frame, struct answer *answer) {
    const unsigned char type = (unsigned char)frame.data[5];
    char *body = frame.data + header_bytes;
    size_t size = frame.size - header_bytes;
    if (type == type_refusal) {
        /* The fields are JSON, shown as they are: a parser here would only be more to go wrong. */
        size_t head = size >= 4 ? get_u32(body) : 0;
        if (head > size - (size >= 4 ? 4 : size)) head = 0;
        if (head > 300) head = 300;
        while (head > 0 && ((unsigned char)body[4 + head - 1] & 0xc0) == 0x80) head--; /* no half character */
        return fail("it refused the call: %.*s", (int)head, head > 0 ? body + 4 : "");
    }
    if (type != type_answer) return fail("it sent a frame of the unknown type %u", type);
    if (size < 5 || get_u32(body + 1) > size - 5) return fail("it sent an answer that is cut short");
    answer->status = (unsigned char)body[0];
    answer->out = (struct bytes){body + 5, get_u32(body + 1)};
    answer->err = (struct bytes){answer->out.data + answer->out.size, size - 5 - answer->out.size};
    return true;
}

static bool read_answer(int fd, struct answer *answer) {
    static char first[first_bytes];
    struct bytes frame = {first, 0};
    size_t capacity = sizeof first, need = header_bytes;
    while (frame.size < need) {
        if (!wait_for(fd, POLLIN)) return fail("it did not answer in time");
        ssize_t got = recv(fd, frame.data + frame.size, capacity - frame.size, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return fail("%s", strerror(errno));
        if (got == 0) return fail(frame.size == 0 ? "it hung up without an answer" : "it hung up amid its answer");
        frame.size += (size_t)got;
        if (need != header_bytes || frame.size < header_bytes) continue;
        unsigned version = (unsigned char)frame.data[4];
        size_t length = get_u32(frame.data);
        if (version != protocol_version) return fail("it speaks version %u of the protocol, not 1", version);
        if (length < 2 || length > frame_limit) return fail("it announced a frame of %zu bytes", length);
        need = 4 + length;
        if (need > capacity) {
            frame.data = malloc(capacity = need);
            if (frame.data == NULL) return fail("there is no memory for its answer");
            memcpy(frame.data, first, frame.size);
        }
    }
    frame.size = need;
    return parse_answer(frame, answer);
}

/* libvirt's hook name: this program's own file name, or what stands before `.d` in /etc/libvirt/hooks/qemu.d/50-x. */
static struct bytes driver_of(char *path) {
    char *end = path + strlen(path);
    char *name = end;
    while (name > path && name[-1] != '/') name--;
    char *folder_end = name;
    while (folder_end > path && folder_end[-1] == '/') folder_end--;
    char *folder = folder_end;
    while (folder > path && folder[-1] != '/') folder--;
    if (folder_end - folder > 2 && memcmp(folder_end - 2, ".d", 2) == 0) {
        return (struct bytes){folder, (size_t)(folder_end - folder) - 2};
    }
    return (struct bytes){name, (size_t)(end - name)};
}

/* driver, object, operation, ... separated by NUL. */
static bool join_arguments(struct bytes driver, int argc, char **argv, struct bytes *joined) {
    static char first[8192];
    size_t size = driver.size;
    for (int at = 1; at < argc; at++) size += 1 + strlen(argv[at]);
    *joined = (struct bytes){size <= sizeof first ? first : malloc(size), size};
    if (joined->data == NULL) return fail("there is no memory for the arguments");
    char *end = mempcpy(joined->data, driver.data, driver.size);
    for (int at = 1; at < argc; at++) {
        *end++ = '\0';
        end = mempcpy(end, argv[at], strlen(argv[at]));
    }
    return true;
}

/* Whether a denial makes libvirt give up the operation and nothing else: no guest dies, nothing is left half done. */
static bool denial_aborts(struct bytes driver, int argc, char **argv) {
    if (argc < 4 || (strcmp(argv[3], "begin") != 0 && strcmp(argv[3], "before") != 0)) return false;
    static const char *const never[] = {"reconnect", "started", "attach"};
    for (size_t at = 0; at < sizeof never / sizeof *never; at++) {
        if (strcmp(argv[2], never[at]) == 0) return false;
    }
    if (driver.size == 6 && memcmp(driver.data, "daemon", 6) == 0) return false;
    bool network = driver.size == 7 && memcmp(driver.data, "network", 7) == 0;
    return !network || (strcmp(argv[2], "updated") != 0 && strcmp(argv[2], "port-deleted") != 0);
}

/* In the child: the document as stdin, the hook's own arguments, a process group of its own. Never returns. */
static void exec_script(const char *script, struct bytes document, char **argv, const sigset_t *mask) {
    int in = document.size == 0 ? open("/dev/null", O_RDONLY) : memfd_create("hookvisor-document", 0);
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (in >= 0 && write_all(in, document) && lseek(in, 0, SEEK_SET) == 0 && dup2(in, STDIN_FILENO) == STDIN_FILENO) {
        if (in != STDIN_FILENO) close(in);
        execv(script, argv);
    }
    say("cannot run '%.200s', named in the file for an unreachable runtime: %s; correct the file", script,
        strerror(errno));
    _exit(1);
}

/* Runs the script until `deadline`, then kills its group. Its exit status; 1 when it gave none. */
static int run_script(const char *script, struct bytes document, char **argv) {
    sigset_t awaited, before;
    sigemptyset(&awaited);
    for (size_t at = 0; at < 4; at++) sigaddset(&awaited, (int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP}[at]);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    pid_t child = fork();
    if (child < 0) {
        say("cannot run '%.200s': %s", script, strerror(errno));
        return 1;
    }
    if (child == 0) exec_script(script, document, argv, &before);
    setpgid(child, child); /* both sides do it, so that the group exists whoever comes first */
    bool killed = false;
    int stopped_by = 0;
    for (;;) {
        siginfo_t ended = {0};
        if (waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == child) break;
        int64_t left = deadline > now_ms() ? deadline - now_ms() : 0;
        int got = sigtimedwait(&awaited, NULL, &(struct timespec){left / 1000, left % 1000 * 1000000});
        if (got == SIGCHLD || (got < 0 && errno == EINTR)) continue;
        if (killed) break; /* the grace is over, or somebody is impatient */
        killed = true;
        stopped_by = got > 0 ? got : 0;
        kill(-child, SIGTERM);
        deadline = now_ms() + kill_grace_ms;
    }
    if (killed) kill(-child, SIGKILL); /* before the child is reaped: until then the group's number is its own */
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (stopped_by != 0) say("'%.200s' was stopped by signal %d", script, stopped_by);
    else if (killed) say("'%.200s' did not finish in time and was killed", script);
    else if (WIFSIGNALED(status)) say("'%.200s' was ended by signal %d", script, WTERMSIG(status));
    return !killed && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv) {
    struct policy policy;
    struct bytes document, arguments;
    struct answer answer = {0};
    /* A closed stdin, stdout or stderr must not become the socket. */
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    read_policy(&policy);
    deadline = now_ms() + policy.deadline_ms;
    const char *path = getenv("HOOKVISOR_SOCKET");
    if (path == NULL || *path == '\0') path = HOOKVISOR_SOCKET;
    struct bytes driver = driver_of(argc > 0 ? argv[0] : (char[]){""});
    bool aborts = denial_aborts(driver, argc, argv);

    bool whole = read_document(&document);
    int fd = whole && join_arguments(driver, argc, argv, &arguments) ? connect_to(path) : -1;
    if (fd >= 0 && send_call(fd, arguments, document) && read_answer(fd, &answer)) {
        bool written = write_all(STDOUT_FILENO, answer.out);
        write_all(STDERR_FILENO, answer.err);
        if (written || answer.status != 0) return answer.status;
        say("the document cannot be handed to libvirt: %s", strerror(errno));
        return aborts ? 1 : 0;
    }

    if (policy.action == action_script && whole) {
        if (fd >= 0) close(fd);
        deadline = now_ms() + policy.deadline_ms; /* the runtime may have used up the first one */
        int status = run_script(policy.script, document, argv);
        return aborts ? status : 0;
    }
    bool denied = aborts && policy.action != action_allow;
    say("the runtime at %.200s cannot be reached (%s)%s; start it, or see %.200s%s%s%s", path, reason,
        denied   ? ""
        : aborts ? ", the operation goes on as configured"
                 : ", the operation goes on: denying it would not stop it cleanly",
        policy.file, policy.problem[0] != '\0' ? " (which " : "", policy.problem,
        policy.problem[0] != '\0' ? ")" : "");
    return denied ? 1 : 0;
}
