/* One running script: its process group, its input and its output. */
#ifndef HOOKVISOR_JOB_H
#define HOOKVISOR_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* These values are part of the protocol. */
enum ending { ended_status = 0, ended_signal = 1, ended_unstarted = 2, ended_given_up = 3, ended_broken = 4 };
enum cause { cause_none = 0, cause_deadline = 1, cause_stdout = 2 };

/* What the runtime requested. The strings and the document point into `frame`, which the job owns. */
struct request {
    uint32_t id, deadline_ms, grace_ms;
    size_t stdout_bytes, stderr_bytes;
    bool has_stdin, has_stdout; /* /dev/null otherwise */
    char **argv, **envp;        /* one allocation, which starts at argv */
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
    enum cause cause; /* why it was stopped; later causes do not replace the first */
    int broken;       /* errno of the first call that truncated its document or its output; 0 if none did */
    int64_t due;      /* start of the next stage, milliseconds on the monotonic clock */
    enum ending ending;
    uint32_t value; /* exit status, signal number or errno */
};

/* Starts the program and takes ownership of the request. Returns false if it does not run; `ending` then says why. */
bool start_job(struct job *job, int null);

/* Lists the open descriptors, at most three. Returns their number. */
size_t poll_job(const struct job *job, struct pollfd *polls);

/* Handles the events that poll(2) found. Returns the number of entries that poll_job() had listed. */
size_t serve_job(struct job *job, const struct pollfd *polls);

/* Starts the next stage when it is due: TERM, KILL, giving up. Returns true when the job was just given up. */
bool hurry_job(struct job *job, int64_t now);

/* Returns true once the leader has exited. Reads what the pipes still hold, then reaps the leader. */
bool reap_job(struct job *job);

/* Closes and frees everything. Does not signal the process. */
void free_job(struct job *job);

#endif
