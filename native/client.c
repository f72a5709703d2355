/*
 * The hook client, which libvirt runs as /etc/libvirt/hooks/qemu and similar paths. It sends one hook call to the
 * Hookvisor runtime over a Unix socket and passes on the answer: stdout, stderr and exit status. See docs/client.md,
 * and docs/protocol.md for the frames.
 *
 * It has no options: every argument comes from libvirt, and an object's name is hostile input ("--help", "-rf").
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "exchange.h"
#include "fallback.h"
#include "frame.h"
#include "policy.h"
#include "report.h"
#include "wait.h"

#ifndef HOOKVISOR_SOCKET
#define HOOKVISOR_SOCKET "/run/hookvisor/hookvisor.sock"
#endif

/*
 * Reads stdin to its end; returns false without a complete document. Skips a terminal, because libvirt never provides
 * one.
 */
static bool read_document(struct bytes *document, int64_t until) {
    static char first[first_bytes];
    size_t capacity = sizeof first;
    *document = (struct bytes){first, 0};
    if (isatty(STDIN_FILENO)) return true;
    for (;;) {
        if (!wait_for(STDIN_FILENO, POLLIN, until)) return fail("the document on stdin did not end in time");
        ssize_t got = read(STDIN_FILENO, document->data + document->size, capacity - document->size);
        if (got == 0) return true;
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return fail("stdin cannot be read: %s", strerror(errno));
        document->size += (size_t)got;
        if (document->size > frame_limit) return fail("the document is larger than 64 MiB");
        if (document->size < capacity) continue;
        capacity *= 2;
        char *grown = document->data == first ? malloc(capacity) : realloc(document->data, capacity);
        if (grown == NULL) return fail("there is not enough memory for the document");
        if (document->data == first) memcpy(grown, first, sizeof first);
        document->data = grown;
    }
}

/*
 * Returns libvirt's hook name: this program's own file name, or the part before `.d` in /etc/libvirt/hooks/qemu.d/50-x.
 */
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

/* Joins driver, object, operation and the rest, separated by NUL. */
static bool join_arguments(struct bytes driver, int argc, char **argv, struct bytes *joined) {
    static char first[8192];
    size_t size = driver.size;
    for (int at = 1; at < argc; at++) size += 1 + strlen(argv[at]);
    *joined = (struct bytes){size <= sizeof first ? first : malloc(size), size};
    if (joined->data == NULL) return fail("there is not enough memory for the arguments");
    char *end = mempcpy(joined->data, driver.data, driver.size);
    for (int at = 1; at < argc; at++) {
        *end++ = '\0';
        end = mempcpy(end, argv[at], strlen(argv[at]));
    }
    return true;
}

/* Returns whether a denial makes libvirt cancel the operation cleanly: no guest dies, and nothing is left half done. */
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

/* Opens /dev/null for each closed standard stream, so that the socket does not get its descriptor. */
static bool fill_stdio(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF || open("/dev/null", O_RDWR) == fd) continue;
        return fail("descriptor %d is closed, and /dev/null cannot be opened: %s", fd, strerror(errno));
    }
    return true;
}

/* Writes the answer for libvirt. Returns the exit status. */
static int pass_on(struct answer answer, bool aborts, int64_t until) {
    bool written = write_all(STDOUT_FILENO, answer.out, until);
    int why = errno;
    write_all(STDERR_FILENO, answer.err, until);
    if (written || answer.status != 0) return answer.status;
    say("the document cannot be written for libvirt: %s", why == ETIMEDOUT ? "it was not read in time" : strerror(why));
    return aborts ? 1 : 0;
}

/* Applies the policy if no script decides. Returns the exit status. */
static int follow_policy(const struct policy *policy, const char *path, bool aborts) {
    bool denied = aborts && policy->action != action_allow;
    say("the runtime at %.*s cannot be reached (%s)%s; start it, or see %.*s%s%s%s", PATH(path), reason,
        denied   ? ""
        : aborts ? ", the operation continues as configured"
                 : ", the operation continues: a denial would not stop it cleanly",
        PATH(policy->file), policy->problem[0] != '\0' ? " (which " : "", policy->problem,
        policy->problem[0] != '\0' ? ")" : "");
    return denied ? 1 : 0;
}

int main(int argc, char **argv) {
    struct policy policy;
    struct bytes document, arguments;
    struct answer answer = {0};
    signal(SIGPIPE, SIG_IGN);
    read_policy(&policy);
    int64_t until = now_ms() + policy.deadline_ms;
    const char *path = getenv("HOOKVISOR_SOCKET");
    if (path == NULL || *path == '\0') path = HOOKVISOR_SOCKET;
    struct bytes driver = driver_of(argc > 0 ? argv[0] : (char[]){""});
    bool aborts = denial_aborts(driver, argc, argv);

    bool whole = fill_stdio() && read_document(&document, until);
    if (whole && join_arguments(driver, argc, argv, &arguments) &&
        exchange(path, arguments, document, until, &answer)) {
        return pass_on(answer, aborts, until);
    }
    if (policy.action != action_script || !whole) return follow_policy(&policy, path, aborts);
    /* The script gets the whole deadline: the runtime may have used up the first one. */
    int status = run_script(policy.script, document, argv, policy.deadline_ms);
    return aborts ? status : 0;
}
