/* See job.h. */
#define _GNU_SOURCE
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { read_end = 0, write_end = 1, chunk_bytes = 64 * 1024 };

/* As much as a pipe can hold (/proc/sys/fs/pipe-max-size): what a process left behind at its exit is never more. */
enum { pipe_bytes = 1024 * 1024 };

static void close_end(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The script's end blocks, ours (`own`) does not. */
static bool make_pipe(int ends[2], int own) {
    return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[own], F_SETFL, O_NONBLOCK) == 0;
}

/* Writes what the pipe takes. Closes it at the end, and when nobody reads: a script may ignore its document. */
static void feed(struct job *job) {
    struct request *request = &job->request;
    while (request->document_bytes > 0) {
        ssize_t done = write(job->in, request->document, request->document_bytes);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && errno == EAGAIN) return;
        if (done < 0) break;
        request->document += done;
        request->document_bytes -= (size_t)done;
    }
    close_end(&job->in);
}

static void keep(struct capture *capture, const char *bytes, size_t size) {
    size_t room = capture->limit - capture->size;
    if (size > room) {
        capture->overflowed = true;
        size = room;
    }
    if (capture->size + size > capture->capacity) {
        size_t capacity = 2 * (capture->size + size);
        char *grown = realloc(capture->data, capacity);
        if (grown == NULL) {
            capture->overflowed = true;
            return;
        }
        capture->data = grown;
        capture->capacity = capacity;
    }
    if (size > 0) memcpy(capture->data + capture->size, bytes, size);
    capture->size += size;
}

/* Reads once; bytes taken, 0 when there are none right now. */
static size_t collect(struct capture *capture) {
    static char chunk[chunk_bytes];
    ssize_t got;
    do got = read(capture->fd, chunk, sizeof chunk);
    while (got < 0 && errno == EINTR);
    if (got > 0) keep(capture, chunk, (size_t)got);
    if (got == 0 || (got < 0 && errno != EAGAIN)) close_end(&capture->fd);
    return got > 0 ? (size_t)got : 0;
}

/* Empties a pipe. A background child may hold it open, and even write, for ever: neither its end nor a pause is awaited. */
static void collect_rest(struct capture *capture) {
    for (size_t taken = 0, got = 1; capture->fd >= 0 && got > 0 && taken < pipe_bytes; taken += got) {
        got = collect(capture);
    }
    close_end(&capture->fd);
}

/* In the child, which shares the parent's memory until it executes. Never returns. */
static void execute(const struct request *request, const int stdio[3], pid_t parent, volatile int *problem) {
    static const int ignored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP};
    sigset_t none;
    sigemptyset(&none);
    setsid();
    /* Nothing but this ends a script when the spawner is killed. The parent may be gone already. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    for (size_t at = 0; at < sizeof ignored / sizeof *ignored; at++) signal(ignored[at], SIG_DFL);
    for (int fd = 0; fd < 3; fd++) {
        if (dup2(stdio[fd], fd) < 0) goto failed;
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->argv[0], request->argv, request->envp);
failed:
    *problem = errno;
    _exit(127);
}

/* vfork(2) copies no page tables, and returns when the program runs or cannot. The errno; 0 when it runs. */
static int spawn(struct job *job, const int stdio[3]) {
    static volatile int problem;
    pid_t self = getpid();
    problem = 0;
    pid_t pid = vfork();
    if (pid == 0) execute(&job->request, stdio, self, &problem);
    if (pid < 0) return errno;
    job->pid = pid;
    if (problem == 0) return 0;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    return problem;
}

bool start_job(struct job *job, int null) {
    const struct request *request = &job->request;
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    bool made = (!request->has_stdin || make_pipe(in, write_end)) &&
                (!request->has_stdout || make_pipe(out, read_end)) && make_pipe(err, read_end);
    int problem = made ? 0 : errno;
    job->in = in[write_end];
    job->out = (struct capture){.fd = out[read_end], .limit = request->stdout_bytes};
    job->err = (struct capture){.fd = err[read_end], .limit = request->stderr_bytes};
    if (made) {
        if (request->has_stdin) feed(job); /* most documents fit into the pipe: then nothing is left to do */
        int stdin_end = request->has_stdin ? in[read_end] : null;
        int stdout_end = request->has_stdout ? out[write_end] : null;
        job->due = now_ms() + request->deadline_ms;
        problem = spawn(job, (int[]){stdin_end, stdout_end, err[write_end]});
    }
    close_end(&in[read_end]);
    close_end(&out[write_end]);
    close_end(&err[write_end]);
    job->ending = ended_unstarted;
    job->value = (uint32_t)problem;
    return problem == 0;
}

void poll_job(const struct job *job, struct pollfd *polls) {
    polls[0] = (struct pollfd){.fd = job->in, .events = POLLOUT};
    polls[1] = (struct pollfd){.fd = job->out.fd, .events = POLLIN};
    polls[2] = (struct pollfd){.fd = job->err.fd, .events = POLLIN};
}

/* TERM to the group; KILL and giving up follow unless the leader exits. */
static void stop(struct job *job, enum cause cause, int64_t now) {
    if (job->stage != stage_running) return;
    job->cause = cause;
    job->stage = stage_terminated;
    job->due = now + job->request.grace_ms;
    kill(-job->pid, SIGTERM);
}

void serve_job(struct job *job, const struct pollfd *polls) {
    if (job->in >= 0 && polls[0].revents != 0) feed(job);
    if (job->out.fd >= 0 && polls[1].revents != 0) collect(&job->out);
    if (job->err.fd >= 0 && polls[2].revents != 0) collect(&job->err);
    if (job->out.overflowed) stop(job, cause_stdout, now_ms());
}

bool hurry_job(struct job *job, int64_t now) {
    if (job->stage == stage_given_up || now < job->due) return false;
    switch (job->stage) {
    case stage_running:
        stop(job, cause_deadline, now);
        return false;
    case stage_terminated:
        job->stage = stage_killed;
        job->due = now + job->request.grace_ms;
        kill(-job->pid, SIGKILL);
        return false;
    default: /* stuck in the kernel, or set-uid and not ours to kill: the answer cannot wait for it */
        job->stage = stage_given_up;
        job->ending = ended_given_up;
        close_end(&job->in);
        close_end(&job->out.fd);
        close_end(&job->err.fd);
        return true;
    }
}

bool reap_job(struct job *job) {
    siginfo_t info = {0};
    int status = 0;
    if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != job->pid) return false;
    /* What is left of a group that was stopped has had its TERM and lost its leader. The number is its own until here. */
    if (job->stage != stage_running) kill(-job->pid, SIGKILL);
    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR) continue;
    if (job->stage == stage_given_up) return true;
    job->ending = WIFSIGNALED(status) ? ended_signal : ended_status;
    job->value = (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    collect_rest(&job->out);
    collect_rest(&job->err);
    if (job->out.overflowed && job->cause == cause_none) job->cause = cause_stdout;
    return true;
}

void free_job(struct job *job) {
    close_end(&job->in);
    close_end(&job->out.fd);
    close_end(&job->err.fd);
    free(job->out.data);
    free(job->err.data);
    free(job->request.argv);
    free(job->request.frame);
    free(job);
}
