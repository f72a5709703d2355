/* See job.h. */
#define _GNU_SOURCE
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { read_end = 0, write_end = 1, chunk_bytes = 64 * 1024 };

static void close_end(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Creates a pipe. The script's end blocks, this process's end (`own`) does not. */
static bool make_pipe(int ends[2], int own) {
    return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[own], F_SETFL, O_NONBLOCK) == 0;
}

/* Sends TERM to the group. KILL and giving up follow unless the leader exits. */
static void stop(struct job *job, enum cause cause, int64_t now) {
    if (job->stage != stage_running) return;
    job->cause = cause;
    job->stage = stage_terminated;
    job->due = now + job->request.grace_ms;
    kill(-job->pid, SIGTERM);
}

/* A script that received half a document, or whose output is incomplete, has not decided anything. */
static void break_job(struct job *job, int problem) {
    if (job->broken == 0) job->broken = problem;
    if (job->pid > 0) stop(job, cause_none, now_ms());
}

/* Writes as much as the pipe accepts. Closes it at the end, and when nobody reads: a script may ignore its document. */
static void feed(struct job *job) {
    struct request *request = &job->request;
    while (request->document_bytes > 0) {
        ssize_t done = write(job->in, request->document, request->document_bytes);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0 && errno == EAGAIN) return;
        if (done < 0) {
            if (errno != EPIPE) break_job(job, errno);
            break;
        }
        request->document += done;
        request->document_bytes -= (size_t)done;
    }
    close_end(&job->in);
}

/* Returns false if memory is exhausted. */
static bool keep(struct capture *capture, const char *bytes, size_t size) {
    size_t room = capture->limit - capture->size;
    if (size > room) {
        capture->overflowed = true;
        size = room;
    }
    if (capture->size + size > capture->capacity) {
        size_t capacity = 2 * (capture->size + size);
        char *grown = realloc(capture->data, capacity);
        if (grown == NULL) return false;
        capture->data = grown;
        capture->capacity = capacity;
    }
    if (size > 0) memcpy(capture->data + capture->size, bytes, size);
    capture->size += size;
    return true;
}

/* Reads once, at most `most` bytes. Returns the number of bytes, 0 if there are none at present. */
static size_t collect(struct job *job, struct capture *capture, size_t most) {
    static char chunk[chunk_bytes];
    ssize_t got;
    do got = read(capture->fd, chunk, most < sizeof chunk ? most : sizeof chunk);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got < 0) break_job(job, errno);
    if (got > 0 && !keep(capture, chunk, (size_t)got)) break_job(job, ENOMEM);
    if (got <= 0) close_end(&capture->fd);
    return got > 0 ? (size_t)got : 0;
}

/*
 * Reads what the leader left in the pipe. Does not wait for its end: a background child may hold the pipe open and
 * write forever.
 */
static void collect_rest(struct job *job, struct capture *capture) {
    int left = 0;
    if (capture->fd >= 0 && ioctl(capture->fd, FIONREAD, &left) != 0) break_job(job, errno);
    while (left > 0 && capture->fd >= 0) {
        size_t got = collect(job, capture, (size_t)left);
        if (got == 0) break;
        left -= (int)got;
    }
    close_end(&capture->fd);
}

/* Runs in the child, which shares the parent's memory until it executes the program. Never returns. */
static void execute(const struct request *request, const int stdio[3], pid_t parent, volatile int *problem) {
    static const int ignored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP};
    sigset_t none;
    sigemptyset(&none);
    /* Its own session prevents it from leaving its process group. */
    if (setsid() < 0) goto failed;
    /* Only this signal ends a script when the spawner is killed. The parent may already be gone. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) goto failed;
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

/*
 * vfork(2) copies no page tables, and returns once the program runs or has failed. Returns errno; 0 if the program
 * runs.
 */
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
        if (request->has_stdin) feed(job); /* most documents fit into the pipe, so that nothing remains to be written */
        int stdin_end = request->has_stdin ? in[read_end] : null;
        int stdout_end = request->has_stdout ? out[write_end] : null;
        job->due = now_ms() + request->deadline_ms;
        problem = job->broken != 0 ? job->broken : spawn(job, (int[]){stdin_end, stdout_end, err[write_end]});
    }
    close_end(&in[read_end]);
    close_end(&out[write_end]);
    close_end(&err[write_end]);
    job->ending = ended_unstarted;
    job->value = (uint32_t)problem;
    return problem == 0;
}

size_t poll_job(const struct job *job, struct pollfd *polls) {
    size_t count = 0;
    if (job->in >= 0) polls[count++] = (struct pollfd){.fd = job->in, .events = POLLOUT};
    if (job->out.fd >= 0) polls[count++] = (struct pollfd){.fd = job->out.fd, .events = POLLIN};
    if (job->err.fd >= 0) polls[count++] = (struct pollfd){.fd = job->err.fd, .events = POLLIN};
    return count;
}

size_t serve_job(struct job *job, const struct pollfd *polls) {
    const struct pollfd *at = polls;
    bool in = job->in >= 0 && (at++)->revents != 0;
    bool out = job->out.fd >= 0 && (at++)->revents != 0;
    bool err = job->err.fd >= 0 && (at++)->revents != 0;
    if (in) feed(job);
    if (out) collect(job, &job->out, chunk_bytes);
    if (err) collect(job, &job->err, chunk_bytes);
    if (job->out.overflowed) stop(job, cause_stdout, now_ms());
    return (size_t)(at - polls);
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
    default: /* blocked in the kernel, or set-uid and not killable: the answer cannot wait for it */
        job->stage = stage_given_up;
        job->ending = job->broken != 0 ? ended_broken : ended_given_up;
        job->value = (uint32_t)job->broken;
        close_end(&job->in);
        close_end(&job->out.fd);
        close_end(&job->err.fd);
        return true;
    }
}

bool reap_job(struct job *job) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno != EINTR) break_job(job, errno);
        return false;
    }
    if (info.si_pid != job->pid) return false;
    /* All of this must happen before the leader is reaped: until then no other process can get the group's number. */
    collect_rest(job, &job->out);
    collect_rest(job, &job->err);
    /* The rest of a stopped group has received TERM and has lost its leader. */
    if (job->stage != stage_running) kill(-job->pid, SIGKILL);
    while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR) continue;
    if (job->stage == stage_given_up) return true;
    bool exited = info.si_code == CLD_EXITED;
    job->ending = job->broken != 0 ? ended_broken : exited ? ended_status : ended_signal;
    job->value = (uint32_t)(job->broken != 0 ? job->broken : info.si_status);
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
