/*
 * The spawner: starts scripts on behalf of the runtime, because fork(2) of a process as large as the runtime takes
 * milliseconds, and Node has no pipe(2). The runtime starts it once and keeps it running, with a socket as descriptor
 * 3. Requests arrive and answers leave there in the frames of docs/protocol.md; numbers are u32, big endian:
 *
 *   request  id, deadline ms, grace ms, flags (1: stdin, 2: stdout), maximum bytes of stdout, of stderr,
 *            count of arguments, of variables, bytes of both; arguments and variables, each ended by NUL; the document
 *   answer   id, ending, its value, cause of a stop (see job.h), bytes of stdout; stdout; stderr
 *
 * When the socket ends, the spawner kills all running scripts and exits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "frame.h"
#include "job.h"
#include "runtime-child.h"

enum { type_request = 1, type_answer = 2 };
enum { request_words = 9, answer_words = 5, flag_stdin = 1, flag_stdout = 2 };
enum { request_limit = 128 * 1024 * 1024 };

/* Bytes that the socket has not accepted yet. */
struct unsent {
    struct unsent *next;
    size_t size, sent;
    char data[];
};

static struct job *jobs;
static struct unsent *unsent, **unsent_end = &unsent;

/* The runtime is gone or sends malformed frames: no script may outlive this process. */
_Noreturn static void end(int status) {
    for (struct job *job = jobs; job != NULL; job = job->next) kill(-job->pid, SIGKILL);
    _exit(status);
}

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL) end(1); /* the runtime sees the end of the socket and starts another spawner */
    return memory;
}

static void flush(void) {
    while (unsent != NULL) {
        ssize_t sent = send(control, unsent->data + unsent->sent, unsent->size - unsent->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0 && is_passing(errno)) continue;
        if (sent < 0) end(errno == EPIPE || errno == ECONNRESET ? 0 : 1);
        unsent->sent += (size_t)sent;
        if (unsent->sent < unsent->size) continue;
        struct unsent *next = unsent->next;
        free(unsent);
        unsent = next;
    }
    unsent_end = &unsent;
}

static void answer(const struct job *job) {
    size_t body = 4 * answer_words + job->out.size + job->err.size;
    struct unsent *frame = allocate(sizeof *frame + header_bytes + body);
    const uint32_t words[answer_words] = {job->request.id, job->ending, job->value, job->cause,
                                          (uint32_t)job->out.size};
    *frame = (struct unsent){.size = header_bytes + body};
    char *at = frame->data;
    put_header(at, type_answer, body);
    at += header_bytes;
    for (size_t word = 0; word < answer_words; word++, at += 4) put_u32(at, words[word]);
    if (job->out.size > 0) at = mempcpy(at, job->out.data, job->out.size);
    if (job->err.size > 0) memcpy(at, job->err.data, job->err.size);
    *unsent_end = frame;
    unsent_end = &frame->next;
    flush();
}

/* Sets pointers to `count` strings. Returns what follows the last, NULL if they do not end before `limit`. */
static char *point_at(char **pointers, size_t count, char *at, const char *limit) {
    for (size_t index = 0; index < count; index++) {
        char *nul = memchr(at, '\0', (size_t)(limit - at));
        if (nul == NULL) return NULL;
        pointers[index] = at;
        at = nul + 1;
    }
    pointers[count] = NULL;
    return at;
}

/* Parses the frame and takes ownership of it. */
static void parse(struct request *request, char *frame, size_t size) {
    uint32_t word[request_words];
    if (size < 4 * request_words) end(1);
    for (size_t at = 0; at < request_words; at++) word[at] = get_u32(frame + 4 * at);
    size_t arguments = word[6], variables = word[7], bytes = word[8];
    char *strings = frame + 4 * request_words, *limit = strings + bytes;
    if (bytes > size - 4 * request_words || arguments < 1 || arguments > bytes || variables > bytes) end(1);
    char **pointers = allocate((arguments + variables + 2) * sizeof *pointers);
    *request = (struct request){.id = word[0],
                                .deadline_ms = word[1],
                                .grace_ms = word[2],
                                .has_stdin = (word[3] & flag_stdin) != 0,
                                .has_stdout = (word[3] & flag_stdout) != 0,
                                .stdout_bytes = word[4],
                                .stderr_bytes = word[5],
                                .argv = pointers,
                                .envp = pointers + arguments + 1,
                                .document = limit,
                                .document_bytes = size - 4 * request_words - bytes,
                                .frame = frame};
    char *end_of_arguments = point_at(request->argv, arguments, strings, limit);
    if (end_of_arguments == NULL || point_at(request->envp, variables, end_of_arguments, limit) != limit) end(1);
}

/* Continues reading. Returns true once `size` bytes have arrived. */
static bool receive(char *into, size_t *have, size_t size) {
    if (*have == size) return true;
    ssize_t got = recv(control, into + *have, size - *have, 0);
    if (got < 0 && is_passing(errno)) return false;
    if (got <= 0) end(got == 0 || errno == ECONNRESET ? 0 : 1);
    *have += (size_t)got;
    return *have == size;
}

/* Reads at most one request per turn, so that a burst of requests does not delay running scripts. */
static void read_request(int null) {
    static char header[header_bytes], *frame;
    static size_t have_header, have, size;
    if (!receive(header, &have_header, sizeof header)) return;
    if (frame == NULL) {
        size_t length = get_u32(header);
        if (length < 2 || length > request_limit || header[4] != protocol_version || header[5] != type_request) end(1);
        size = length - 2;
        frame = allocate(size + 1);
    }
    if (!receive(frame, &have, size)) return;
    struct job *job = allocate(sizeof *job);
    *job = (struct job){.next = jobs};
    parse(&job->request, frame, size);
    frame = NULL;
    have_header = have = 0;
    if (start_job(job, null)) {
        jobs = job;
    } else {
        answer(job);
        free_job(job);
    }
}

static void reap_jobs(int signals) {
    struct signalfd_siginfo info[16];
    while (read(signals, info, sizeof info) > 0) continue;
    for (struct job **link = &jobs; *link != NULL;) {
        struct job *job = *link;
        bool answered = job->stage == stage_given_up;
        if (reap_job(job)) {
            if (!answered) answer(job);
            *link = job->next;
            free_job(job);
        } else {
            link = &job->next;
        }
    }
}

/* Returns the milliseconds until the next deadline, -1 if there is none. */
static int patience(void) {
    int64_t first = -1;
    for (struct job *job = jobs; job != NULL; job = job->next) {
        if (job->stage != stage_given_up && (first < 0 || job->due < first)) first = job->due;
    }
    int64_t left = first < 0 ? -1 : first - now_ms();
    return first < 0 ? -1 : left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/*
 * Lists what to poll for. Contains only open descriptors: poll(2) accepts no more entries than a process may have
 * descriptors.
 */
static struct pollfd *list_polls(int signals, size_t *count) {
    static struct pollfd *polls;
    static size_t capacity;
    size_t most = 2;
    for (struct job *job = jobs; job != NULL; job = job->next) most += 3;
    if (most > capacity) {
        free(polls);
        polls = allocate(2 * most * sizeof *polls);
        capacity = 2 * most;
    }
    polls[0] = (struct pollfd){.fd = control, .events = (short)(POLLIN | (unsent != NULL ? POLLOUT : 0))};
    polls[1] = (struct pollfd){.fd = signals, .events = POLLIN};
    *count = 2;
    for (struct job *job = jobs; job != NULL; job = job->next) *count += poll_job(job, polls + *count);
    return polls;
}

static void wait_and_serve(int signals, int null) {
    size_t count;
    struct pollfd *polls = list_polls(signals, &count);
    int ready = poll(polls, count, patience());
    if (ready < 0) {
        /* No descriptor here blocks, so all of them can be tried. Deadlines and the end of the socket still apply. */
        if (errno != EINTR) pause_ms(again_ms);
        for (size_t at = 0; at < count; at++) polls[at].revents = polls[at].events;
    }
    size_t at = 2;
    for (struct job *job = jobs; job != NULL; job = job->next) at += serve_job(job, polls + at);
    if (polls[1].revents != 0 || ready <= 0) reap_jobs(signals);
    int64_t now = now_ms();
    for (struct job *job = jobs; job != NULL; job = job->next) {
        if (hurry_job(job, now)) answer(job);
    }
    if (polls[0].revents & POLLOUT) flush();
    if (polls[0].revents & ~POLLOUT) read_request(null);
}

int main(void) {
    ignore_stops(); /* scripts start with the default actions */
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
    forget_inherited(control + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (null < control || signals < 0 || chdir("/") != 0) return 1;
    if (fcntl(control, F_SETFL, O_NONBLOCK) != 0 || fcntl(control, F_SETFD, FD_CLOEXEC) != 0) return 1;
    for (;;) wait_and_serve(signals, null);
}
