/*
 * Reads the file that configures what happens while the runtime is unreachable. docs/client.md has its grammar;
 * src/contract/unreachable-policy.ts is the other implementation of it.
 */
#define _GNU_SOURCE
#include "policy.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

#ifndef HOOKVISOR_UNREACHABLE
#define HOOKVISOR_UNREACHABLE "/etc/hookvisor/unreachable"
#endif

enum { default_deadline_ms = 90 * 1000 };

/*
 * Returns whether a user other than root and this process's user may write to a file. `hookvisor check` and `doctor`
 * check the folders above it. A device stores no text, so it does not count.
 */
static bool others_may_change(const struct stat *found) {
    if (S_ISCHR(found->st_mode)) return false;
    if (found->st_uid != 0 && found->st_uid != geteuid()) return true;
    return (found->st_mode & (S_IWOTH | S_IWGRP)) != 0;
}

/* Returns the result of others_may_change for the file at a path. If stat(2) fails, executing the file reports why. */
static bool others_may_change_path(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && others_may_change(&found);
}

/* Parses seconds with up to three decimals, above 0 and at most a day; returns -1 for anything else. */
static long parse_ms(const char *text) {
    long ms = 0;
    int digits = 0, scale = 1000;
    for (; *text >= '0' && *text <= '9' && digits < 6; text++, digits++) ms = ms * 10 + (*text - '0') * 1000;
    if (digits > 0 && *text == '.') {
        for (text++; *text >= '0' && *text <= '9' && scale > 1; text++) ms += (*text - '0') * (scale /= 10);
    }
    return digits > 0 && *text == '\0' && ms > 0 && ms <= 86400000 ? ms : -1;
}

static bool read_policy_line(struct policy *policy, bool *chosen, char *line) {
    char *word = strsep(&line, " \t");
    const char *rest = line == NULL ? "" : line + strspn(line, " \t");
    if (strcmp(word, "deadline") == 0) {
        long ms = parse_ms(rest);
        if (ms > 0) policy->deadline_ms = ms;
        return ms > 0;
    }
    if (*chosen) return false;
    *chosen = true;
    if (strcmp(word, "script") == 0) {
        policy->action = action_script;
        policy->script = rest;
        return rest[0] == '/' && is_utf8(rest);
    }
    policy->action = strcmp(word, "allow") == 0 ? action_allow : action_deny;
    return (policy->action == action_allow || strcmp(word, "deny") == 0) && rest[0] == '\0';
}

/*
 * Reads a file up to its end or `most` bytes, and its metadata. Returns the number of bytes, or -1 with errno. Never
 * waits for a FIFO.
 */
static ssize_t read_text(const char *file, struct stat *found, char *text, size_t most) {
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -1;
    size_t size = 0;
    ssize_t got = fstat(fd, found) == 0 ? 1 : -1;
    while (got > 0 && size < most) {
        got = read(fd, text + size, most - size);
        if (got > 0) size += (size_t)got;
    }
    int why = errno;
    close(fd);
    errno = why;
    return got < 0 ? -1 : (ssize_t)size;
}

/* Reads /etc/hookvisor/unreachable. Any problem with the file results in `deny`. */
void read_policy(struct policy *policy) {
    static char text[4096];
    const char *file = getenv("HOOKVISOR_UNREACHABLE");
    *policy = (struct policy){.file = file != NULL && *file != '\0' ? file : HOOKVISOR_UNREACHABLE,
                              .action = action_deny,
                              .deadline_ms = default_deadline_ms};
    struct stat found;
    ssize_t size = read_text(policy->file, &found, text, sizeof text);
    if (size < 0) {
        const char *why = errno == ENOENT ? "it does not exist" : strerror(errno);
        snprintf(policy->problem, sizeof policy->problem, "cannot be read: %s", why);
        return;
    }
    if (others_may_change(&found)) {
        snprintf(policy->problem, sizeof policy->problem,
                 "can be changed by other users; run chown root and chmod go-w on it");
        return;
    }
    bool chosen = false;
    int number = 1;
    if (size == (ssize_t)sizeof text || memchr(text, '\0', (size_t)size) != NULL) {
        snprintf(policy->problem, sizeof policy->problem, "is not a short text file");
        size = 0;
    }
    text[size] = '\0';
    char *next = text;
    for (char *line; policy->problem[0] == '\0' && (line = strsep(&next, "\n")) != NULL; number++) {
        line += strspn(line, " \t\r");
        for (size_t end = strlen(line); end > 0 && strchr(" \t\r", line[end - 1]) != NULL; end--) line[end - 1] = '\0';
        if (*line == '\0' || *line == '#') continue;
        if (!read_policy_line(policy, &chosen, line)) {
            snprintf(policy->problem, sizeof policy->problem, "is not understood in line %d", number);
        }
    }
    if (policy->problem[0] == '\0' && !chosen) {
        snprintf(policy->problem, sizeof policy->problem, "does not say deny, allow or script");
    }
    if (policy->problem[0] == '\0' && policy->action == action_script && others_may_change_path(policy->script)) {
        snprintf(policy->problem, sizeof policy->problem, "names a script that other users can change");
    }
    if (policy->problem[0] != '\0') policy->action = action_deny;
}
