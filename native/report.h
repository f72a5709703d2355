/* The messages of the hook client on stderr, which libvirt shows to an administrator. */
#ifndef HOOKVISOR_REPORT_H
#define HOOKVISOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* The reason why there is no answer. */
extern char reason[400];

/* Stores the reason why there is no answer. Always returns false. */
__attribute__((format(printf, 1, 2))) bool fail(const char *format, ...);

/*
 * Writes one line to stderr, without control characters or malformed UTF-8, either of which may occur in paths and in
 * the runtime's text.
 */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Returns whether a text is well-formed UTF-8. */
bool is_utf8(const char *text);

/*
 * Returns how many bytes of a text to show: at most `limit`, without a partial character at the end. For printf's
 * "%.*s".
 */
int shown(const char *text, size_t size, size_t limit);

/* Expands to a path's shown length and the path, the two arguments of "%.*s". */
#define PATH(path) shown((path), strlen(path), 200), (path)

#endif
