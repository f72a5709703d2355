/*
 * without-libvirt FOLDER... -- PROGRAM [ARGUMENT...]
 *
 * Runs a program in its own mount namespace, in which an empty folder covers each of the given folders. Skips a folder
 * that does not exist. Root runs this, and other users must not be able to redirect it: each component of a path is
 * opened separately, the kernel follows no link, and the path may only contain what nobody but root can replace. A
 * folder is covered through the descriptor that was checked, so nothing can take its place in between.
 *
 * A failure before the program runs is reported on stderr, prefixed with this program's name, with exit status 125.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { status_failed = 125, most_links = 40, others_write = 022 };

__attribute__((format(printf, 1, 2))) _Noreturn static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("without-libvirt: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    _exit(status_failed);
}

_Noreturn static void fail_at(const char *folder) {
    fail("cannot hide '%s': %s; run as root where mounts are permitted", folder, strerror(errno));
}

/*
 * Returns whether only root can create or replace an entry in this folder. A sticky folder does not qualify: any user
 * may be the first to use a name there, and may mount a file system on it that claims root as the owner of its files.
 */
static bool holds_still(const struct stat *folder) {
    return folder->st_uid == 0 && (folder->st_mode & others_write) == 0;
}

/* Prepends the target of a link to the rest of the path. */
static void expand(int link, char *left, const char *folder) {
    char joined[PATH_MAX];
    ssize_t size = readlinkat(link, "", joined, sizeof joined);
    if (size < 0) fail_at(folder);
    size_t rest = strlen(left) + 1;
    if ((size_t)size + 1 + rest > sizeof joined) {
        errno = ENAMETOOLONG;
        fail_at(folder);
    }
    joined[size] = '/';
    memcpy(joined + size + 1, left, rest);
    strcpy(left, joined);
}

/* Returns a descriptor (O_PATH) of the folder; -1 if it does not exist. */
static int find(const char *folder) {
    char left[PATH_MAX], name[NAME_MAX + 1] = "/";
    if (strlen(folder) >= sizeof left) {
        fail("cannot hide a folder: its path is longer than %d bytes; use a shorter path", PATH_MAX);
    }
    strcpy(left, folder);
    int at = open("/", O_PATH | O_CLOEXEC);
    for (int links = 0;;) {
        if (at < 0) fail_at(folder);
        char *from = left + strspn(left, "/");
        size_t size = strcspn(from, "/");
        struct stat in, found;
        if (fstat(at, &in) != 0) fail_at(folder);
        if (size == 0 && in.st_uid == 0) return at;
        if (!holds_still(&in)) goto refused;
        if (size > NAME_MAX) {
            close(at);
            return -1;
        }
        memcpy(name, from, size);
        name[size] = '\0';
        memmove(left, from + size, strlen(from + size) + 1);
        int next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && errno == ENOENT) {
            close(at);
            return -1;
        }
        if (next < 0 || fstat(next, &found) != 0) fail_at(folder);
        if (S_ISLNK(found.st_mode)) {
            if (found.st_uid != 0) goto refused;
            if (++links > most_links) {
                errno = ELOOP;
                fail_at(folder);
            }
            expand(next, left, folder);
            close(next);
            if (left[0] != '/') continue;
            next = open("/", O_PATH | O_CLOEXEC);
        } else if (!S_ISDIR(found.st_mode)) {
            close(next);
            close(at);
            return -1;
        }
        close(at);
        at = next;
    }
refused:
    fail("cannot hide '%s': '%s' on its path does not belong to root, or other users may write to it; "
         "make root the owner of every folder and link on the path, and run chmod go-w on them",
         folder, name);
}

static void cover(const char *folder) {
    int found = find(folder);
    if (found < 0) return;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    if (mount("none", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=755") != 0) {
        fail_at(folder);
    }
    close(found);
}

int main(int count, char **arguments) {
    (void)count;
    char **at = arguments + 1;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) {
        fail("cannot create a mount namespace: %s; run as root where mount namespaces are permitted", strerror(errno));
    }
    for (; *at != NULL && strcmp(*at, "--") != 0; at++) cover(*at);
    if (*at == NULL || *++at == NULL) fail("cannot run a program: none is given; add '-- PROGRAM' after the folders");
    execv(*at, at);
    fail("cannot execute '%s': %s; correct the file", *at, strerror(errno));
}
