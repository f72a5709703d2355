/* One script that runs: its process group, what goes into it and what comes out of it. */
#ifndef HOOKVISOR_JOB_H
#define HOOKVISOR_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Numbers of the protocol. */
enum ending { ended_status = 0, ended_signal = 1, ended_unstarted = 2, ended_given_up = 3, ended_broken = 4 };
enum cause { cause_none = 0, cause_deadline = 1, cause_stdout = 2 };

/* What is asked for. The strings and the document lie in `frame`, which the job owns. */
struct request {
    uint32_t id, deadline_ms, grace_ms;
    size_t stdout_bytes, stderr_bytes;
    bool has_stdin, has_stdout; /* /dev/null otherwise */
    char **argv, **envp;        /* in one allocation, which begins at argv */
    char *document;
    size_t document_bytes;
    char *frame;
};

/* Keeps the first `limit` bytes and drops the rest. */
struct capture {
    int fd; /* -1: closed */
    char *data;
    size_t size, capacity, limit;
    bool overflowed;
};

enum stage { stage_running, stage_terminated, stage_killed, stage_given_up };

struct job {
    struct job *next;
    struct request request;
    pid_t pid; /* of the leader of its process group */
    int in;    /* -1: closed */
    struct capture out, err;
    enum stage stage;
    enum cause cause; /* why it was stopped: the first cause, whatever happened afterwards */
    int broken;       /* errno of the first call that cut its document or its output short; 0: none did */
    int64_t due;      /* when the next stage begins, milliseconds on the monotonic clock */
    enum ending ending;
    uint32_t value; /* exit status, number of the signal, or errno */
};

/* Starts the program; takes over the request. False when it does not run: then `ending` says why. */
bool start_job(struct job *job, int null);

/* Lists the descriptors that are open, at most three. Returns how many. */
size_t poll_job(const struct job *job, struct pollfd *polls);

/* Goes on with what poll(2) found. Returns how many entries poll_job() had listed. */
size_t serve_job(struct job *job, const struct pollfd *polls);

/* Begins the next stage when it is time: TERM, KILL, giving up. True when it has just been given up. */
bool hurry_job(struct job *job, int64_t now);

/* True once the leader has exited; what the pipes still hold is taken then, and it is reaped. */
bool reap_job(struct job *job);

/* Closes and frees everything. The process itself is left alone. */
void free_job(struct job *job);

#endif
