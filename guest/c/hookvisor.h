/*
 * Handlers in C: the contract of wit/ in the canonical ABI, for clang's target wasm32 and without a C library.
 *
 * A plugin defines `hv_outcome hv_handle(const hv_event *event)` and says HV_HANDLER() once, in one file; with settings to
 * check also `const char *hv_validate(void)`, which gives NULL or its objection, and HV_CONFIGURABLE(). An instance
 * decides one event, so nothing that is allocated is ever freed.
 */
#ifndef HOOKVISOR_H
#define HOOKVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text of the host: UTF-8, hostile, and without a NUL at its end. */
typedef struct {
    const char *bytes;
    size_t length;
} hv_text;

typedef struct {
    bool given;
    hv_text text;
} hv_optional;

/* One call of a libvirt hook; see wit/types.wit. */
typedef struct {
    hv_text id;
    uint64_t time; /* milliseconds since the Unix epoch */
    hv_text kind;
    hv_text name;
    hv_text event;
    hv_text qualifier;
    hv_optional extra;
    hv_text driver;
    hv_optional uuid;
} hv_event;

typedef struct {
    uint8_t tag; /* 0 allow, 1 deny, 2 replace */
    hv_text text;
} hv_outcome;

typedef struct {
    const hv_text *items;
    size_t length;
} hv_texts;

typedef enum { HV_DEBUG, HV_INFO, HV_WARN, HV_ERROR } hv_level;

_Static_assert(sizeof(hv_event) == 80 && offsetof(hv_event, extra) == 48 && offsetof(hv_event, uuid) == 68,
               "the event must lie in memory as the canonical ABI says");
_Static_assert(sizeof(hv_outcome) == 12 && offsetof(hv_outcome, text) == 4, "and so must the outcome");

#define HV_IMPORT(interface, function)                                                                                 \
    __attribute__((import_module("hookvisor:hook/" interface "@0.1.0"), import_name(function)))

HV_IMPORT("document", "text") void hv_import_text(hv_optional *result);
HV_IMPORT("document", "select") void hv_import_select(const char *xpath, size_t length, void *result);
HV_IMPORT("settings", "json") void hv_import_json(hv_text *result);
HV_IMPORT("log", "write") void hv_import_log(int32_t level, const char *message, size_t length);

/* Ends the plugin: a failure, which the handler's failure policy decides. */
__attribute__((noreturn)) static inline void hv_fail(void) { __builtin_trap(); }

/* Memory of this length, not cleared. */
void *hv_allocate(size_t length);

/* ---- texts ---- */

static inline size_t hv_length(const char *string) {
    size_t length = 0;
    while (string[length] != '\0') length++;
    return length;
}

static inline hv_text hv_of(const char *string) { return (hv_text){string, hv_length(string)}; }

static inline bool hv_is(hv_text text, const char *string) {
    if (text.length != hv_length(string)) return false;
    for (size_t at = 0; at < text.length; at++) {
        if (text.bytes[at] != string[at]) return false;
    }
    return true;
}

static inline hv_text hv_join(hv_text a, hv_text b) {
    char *joined = hv_allocate(a.length + b.length);
    for (size_t at = 0; at < a.length; at++) joined[at] = a.bytes[at];
    for (size_t at = 0; at < b.length; at++) joined[a.length + at] = b.bytes[at];
    return (hv_text){joined, a.length + b.length};
}

static inline hv_text hv_decimal(uint32_t number) {
    char *digits = hv_allocate(10);
    size_t at = 10;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return (hv_text){digits + at, 10 - at};
}

/* Whether the text is a whole number below 4294967296, spaces around it aside. */
static inline bool hv_number(hv_text text, uint32_t *number) {
    size_t at = 0, end = text.length;
    while (at < end && (text.bytes[at] == ' ' || text.bytes[at] == '\n' || text.bytes[at] == '\t')) at++;
    while (end > at && (text.bytes[end - 1] == ' ' || text.bytes[end - 1] == '\n' || text.bytes[end - 1] == '\t')) end--;
    uint64_t value = 0;
    if (at == end) return false;
    for (; at < end; at++) {
        if (text.bytes[at] < '0' || text.bytes[at] > '9') return false;
        value = value * 10 + (uint64_t)(text.bytes[at] - '0');
        if (value > UINT32_MAX) return false;
    }
    *number = (uint32_t)value;
    return true;
}

/* ---- what the host answers ---- */

static inline hv_outcome hv_allow(void) { return (hv_outcome){0, {NULL, 0}}; }
static inline hv_outcome hv_deny(hv_text reason) { return (hv_outcome){1, reason}; }
static inline hv_outcome hv_replace(hv_text document) { return (hv_outcome){2, document}; }

static inline void hv_log(hv_level level, hv_text message) { hv_import_log((int32_t)level, message.bytes, message.length); }

/* The whole document, when the event has one. */
static inline hv_optional hv_document(void) {
    hv_optional document;
    hv_import_text(&document);
    return document;
}

/* The string value of each node that an XPath 1.0 expression finds. Without a document, or with one that is not XML, the
   plugin fails. */
static inline hv_texts hv_select(const char *xpath) {
    struct {
        uint8_t is_error;
        uint32_t words[3];
    } result;
    hv_import_select(xpath, hv_length(xpath), &result);
    if (result.is_error) hv_fail();
    return (hv_texts){(const hv_text *)result.words[0], result.words[1]};
}

/* The settings as JSON text, always an object. */
static inline hv_text hv_settings(void) {
    hv_text json;
    hv_import_json(&json);
    return json;
}

/* The value of a key of the settings as JSON text, of the first one at the top; false when there is none. */
static inline bool hv_setting(const char *key, hv_text *value) {
    hv_text json = hv_settings();
    size_t depth = 0, start = 0;
    bool in_string = false, is_key = true, found = false;
    for (size_t at = 0; at < json.length; at++) {
        char c = json.bytes[at];
        if (in_string) {
            if (c == '\\') at++;
            else if (c == '"') {
                in_string = false;
                if (depth == 1 && is_key) found = hv_is((hv_text){json.bytes + start, at - start}, key);
            }
        } else if (c == '"') {
            in_string = true;
            if (depth == 1 && is_key) start = at + 1;
        } else if (depth == 1 && c == ':' && is_key) {
            is_key = false;
            start = at + 1;
        } else if ((c == ',' || c == '}') && depth == 1) {
            if (found && !is_key) {
                *value = (hv_text){json.bytes + start, at - start};
                return true;
            }
            is_key = true;
            if (c == '}') depth--;
        } else if (c == '{' || c == '[') depth++;
        else if (c == '}' || c == ']') depth--;
    }
    return false;
}

/* ---- exports ---- */

#define HV_EXPORT(name) __attribute__((export_name(name)))

/* The handler's export, and the memory of this plugin: say it once. */
#define HV_HANDLER()                                                                                                   \
    extern char __heap_base;                                                                                           \
    static uintptr_t hv_free_from;                                                                                     \
    static void *hv_aligned(size_t align, size_t length) {                                                             \
        if (hv_free_from == 0) hv_free_from = (uintptr_t)&__heap_base;                                                 \
        uintptr_t start = (hv_free_from + align - 1) & ~(uintptr_t)(align - 1);                                        \
        if (length > UINT32_MAX - 65536 - start) hv_fail();                                                            \
        uintptr_t end = start + length, room = (uintptr_t)__builtin_wasm_memory_size(0) << 16;                         \
        if (end > room && __builtin_wasm_memory_grow(0, (end - room + 65535) >> 16) == SIZE_MAX) hv_fail();            \
        hv_free_from = end;                                                                                            \
        return (void *)start;                                                                                          \
    }                                                                                                                  \
    void *hv_allocate(size_t length) { return hv_aligned(8, length); }                                                 \
    HV_EXPORT("cabi_realloc") void *hv_realloc(char *old, size_t old_length, size_t align, size_t length);             \
    void *hv_realloc(char *old, size_t old_length, size_t align, size_t length) {                                      \
        char *room = hv_aligned(align, length);                                                                        \
        for (size_t at = 0; at < old_length && at < length; at++) room[at] = old[at];                                  \
        return room;                                                                                                   \
    }                                                                                                                  \
    HV_EXPORT("hookvisor:hook/handler@0.1.0#handle") const hv_outcome *hv_export_handle(const hv_event *event);        \
    const hv_outcome *hv_export_handle(const hv_event *event) {                                                        \
        static hv_outcome outcome;                                                                                     \
        outcome = hv_handle(event);                                                                                    \
        return &outcome;                                                                                               \
    }

/* The export that checks the settings, from `const char *hv_validate(void)`. */
#define HV_CONFIGURABLE()                                                                                              \
    HV_EXPORT("hookvisor:hook/configurable@0.1.0#validate") const hv_optional *hv_export_validate(void);               \
    const hv_optional *hv_export_validate(void) {                                                                      \
        static hv_optional result;                                                                                     \
        const char *objection = hv_validate();                                                                         \
        if (objection != NULL) result = (hv_optional){true, hv_of(objection)};                                         \
        return &result;                                                                                                \
    }

#endif
