/* See report.h. */
#define _GNU_SOURCE
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "wait.h"

/* Maximum wait for a reader of a message. A message may be about a missed deadline, so it needs time of its own. */
enum { say_ms = 100 };

char reason[400];

bool fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    return false;
}

/* Returns the length of the well-formed character at this place; 0 if there is none. */
static size_t character_bytes(const unsigned char *at) {
    if (at[0] < 0x80) return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4) return 0;
    size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    /* Rejects overlong forms, surrogates and values above U+10FFFF. */
    unsigned char least = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < least || at[1] > most) return 0;
    for (size_t next = 2; next < size; next++) {
        if ((at[next] & 0xc0) != 0x80) return 0;
    }
    return size;
}

bool is_utf8(const char *text) {
    for (size_t bytes; *text != '\0'; text += bytes) {
        bytes = character_bytes((const unsigned char *)text);
        if (bytes == 0) return false;
    }
    return true;
}

void say(const char *format, ...) {
    char line[1600] = "hookvisor: ";
    size_t prefix = strlen(line);
    va_list values;
    va_start(values, format);
    vsnprintf(line + prefix, sizeof line - prefix - 1, format, values);
    va_end(values);
    size_t size = strlen(line);
    for (size_t at = 0; at < size;) {
        const unsigned char *here = (unsigned char *)line + at;
        size_t bytes = character_bytes(here);
        bool control = here[0] < 0x20 || here[0] == 0x7f || (here[0] == 0xc2 && here[1] < 0xa0);
        if (bytes == 0 || control) memset(line + at, '?', bytes == 0 ? 1 : bytes);
        at += bytes == 0 ? 1 : bytes;
    }
    line[size] = '\n';
    write_all(STDERR_FILENO, (struct bytes){line, size + 1}, now_ms() + say_ms);
}

int shown(const char *text, size_t size, size_t limit) {
    if (size <= limit) return (int)size;
    while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80) limit--;
    return (int)limit;
}
