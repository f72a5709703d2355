/* See fallback.h. */
#define _GNU_SOURCE
#include "fallback.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"

enum { grace_ms = 500 };

/*
 * Returns the document as a readable file, or -1. The file is complete before the script starts, so a script never
 * decides on half a document.
 */
static int document_file(struct bytes document) {
    if (document.size == 0) return open("/dev/null", O_RDONLY);
    int file = memfd_create("hookvisor-document", 0);
    while (file >= 0 && document.size > 0) {
        ssize_t done = write(file, document.data, document.size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return -1;
        document.data += done;
        document.size -= (size_t)done;
    }
    return file < 0 || lseek(file, 0, SEEK_SET) != 0 ? -1 : file;
}

/* Executes the script in the child, with the document as stdin and the hook's own arguments. Never returns. */
static void exec_script(const char *script, struct bytes document, char **argv, const sigset_t *mask) {
    int in = document_file(document);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    /* Its own session prevents it from leaving its process group. */
    if (in >= 0 && setsid() >= 0 && dup2(in, STDIN_FILENO) == STDIN_FILENO) {
        if (in != STDIN_FILENO) close(in);
        execv(script, argv);
    }
    say("cannot run '%.*s', which the policy for an unreachable runtime names: %s; correct the file", PATH(script),
        strerror(errno));
    _exit(1);
}

/* Signals the group, and the process itself in case it has no group yet. */
static void signal_all(pid_t child, int number) {
    kill(-child, number);
    kill(child, number);
}

/* The course of a script: the result of waitid(2) after it ended, and why it was stopped. */
struct course {
    siginfo_t ended; /* si_pid is 0 until the script has ended */
    bool stopped;
    int by_signal, by_error;
};

/* Waits for the script, stops it at the deadline, and gives up if even KILL does not end it. */
static void follow(pid_t child, const sigset_t *awaited, long deadline_ms, struct course *course) {
    int64_t until = now_ms() + deadline_ms;
    for (int stops = 0;;) {
        bool known = waitid(P_PID, (id_t)child, &course->ended, WEXITED | WNOHANG | WNOWAIT) == 0;
        if (known && course->ended.si_pid == child) return;
        if (!known && errno != EINTR) course->by_error = errno;
        int64_t left = until - now_ms();
        if (left > 0 && course->by_error == 0) {
            int got = sigtimedwait(awaited, NULL, &(struct timespec){left / 1000, left % 1000 * 1000000});
            if (got == SIGCHLD || (got < 0 && errno == EINTR)) continue;
            if (got < 0 && errno != EAGAIN) course->by_error = errno;
            if (got > 0 && stops == 0) course->by_signal = got;
        }
        if (stops == 2) return; /* blocked in the kernel */
        signal_all(child, stops == 0 ? SIGTERM : SIGKILL);
        course->stopped = true;
        stops++;
        until = now_ms() + grace_ms;
    }
}

int run_script(const char *script, struct bytes document, char **argv, long deadline_ms) {
    sigset_t awaited, before;
    sigemptyset(&awaited);
    for (size_t at = 0; at < 4; at++) sigaddset(&awaited, (int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP}[at]);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    pid_t child = fork();
    if (child < 0) {
        say("cannot run '%.*s': %s", PATH(script), strerror(errno));
        return 1;
    }
    if (child == 0) exec_script(script, document, argv, &before);
    struct course course = {0};
    follow(child, &awaited, deadline_ms, &course);
    /* It is deliberately not reaped: until this process exits, no other process can get the group's number. */
    if (course.stopped) signal_all(child, SIGKILL);
    bool exited = course.ended.si_code == CLD_EXITED;
    if (course.by_signal != 0) {
        say("'%.*s' was stopped by signal %d", PATH(script), course.by_signal);
    } else if (course.by_error != 0) {
        say("'%.*s' cannot be waited for and was killed: %s", PATH(script), strerror(course.by_error));
    } else if (course.stopped) {
        say("'%.*s' did not finish in time and was killed", PATH(script));
    } else if (!exited) {
        say("'%.*s' was terminated by signal %d", PATH(script), course.ended.si_status);
    }
    return !course.stopped && exited ? course.ended.si_status : 1;
}
