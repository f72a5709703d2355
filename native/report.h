/* What the hook client says on stderr, which libvirt shows to an administrator. */
#ifndef HOOKVISOR_REPORT_H
#define HOOKVISOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>

/* Why there is no answer. */
extern char reason[400];

/* Keeps why there is no answer; always false. */
__attribute__((format(printf, 1, 2))) bool fail(const char *format, ...);

/* Writes one line, without control characters or malformed UTF-8: paths and the runtime's text may hold anything. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Whether a text is well-formed UTF-8. */
bool is_utf8(const char *text);

/* How many bytes of a text to show: at most `limit`, and no half character at the end. For printf's "%.*s". */
int shown(const char *text, size_t size, size_t limit);

/* The same for a path, in the form of two arguments. */
#define PATH(path) shown((path), strlen(path), 200), (path)

#endif
