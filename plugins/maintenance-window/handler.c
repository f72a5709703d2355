#include <hookvisor.h>

enum { DAY = 24 * 60, WEEK = 7 * DAY };

/* JSON text, read from the left. */
typedef struct {
    const char *at, *end;
} reader;

typedef struct {
    hv_text text; /* as it was written, for the reason */
    int start;    /* minutes since Monday 00:00 */
    int length;
} window;

/* What the administrator sets; settings.schema.json says the same. */
typedef struct {
    int utc_offset; /* minutes */
    bool deny_inside;
    reader windows;
} settings;

static bool take(reader *json, const char *text) {
    size_t length = hv_length(text);
    if ((size_t)(json->end - json->at) < length || !hv_is((hv_text){json->at, length}, text)) return false;
    json->at += length;
    return true;
}

/* HH:MM up to `most` minutes; -1 when it is none. */
static int take_clock(reader *json, int most) {
    static const char shape[] = "dd:dd";
    int digits[5];
    if (json->end - json->at < 5) return -1;
    for (int i = 0; i < 5; i++) {
        char c = *json->at++;
        if (shape[i] == ':' ? c != ':' : c < '0' || c > '9') return -1;
        digits[i] = c - '0';
    }
    int minutes = digits[3] * 10 + digits[4];
    int clock = (digits[0] * 10 + digits[1]) * 60 + minutes;
    return minutes < 60 && clock <= most ? clock : -1;
}

/* The day of the week from Monday, -1 when it is none. */
static int take_day(reader *json) {
    static const char *const days[] = {"Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "};
    for (int day = 0; day < 7; day++) {
        if (take(json, days[day])) return day;
    }
    return -1;
}

/* "Sun 02:00-06:00" with its quotes. An end that is not after the start is one of the next day. */
static bool take_window(reader *json, window *found) {
    if (!take(json, "\"")) return false;
    const char *text = json->at;
    int day = take_day(json), start = take_clock(json, DAY - 1);
    if (day < 0 || start < 0 || !take(json, "-")) return false;
    int end = take_clock(json, DAY);
    if (end < 0) return false;
    *found = (window){{text, (size_t)(json->at - text)}, day * DAY + start, end > start ? end - start : end + DAY - start};
    return take(json, "\"");
}

static bool is_list_of_windows(reader json) {
    window each;
    if (!take(&json, "[")) return false;
    do {
        if (!take_window(&json, &each)) return false;
    } while (take(&json, ","));
    return take(&json, "]") && json.at == json.end;
}

/* Gives NULL, or what is wrong. All three are required, so a misspelt key shows as a missing one. */
static const char *read_settings(settings *read) {
    hv_text value;
    read->deny_inside = hv_setting("inside", &value) && hv_is(value, "\"deny\"");
    if (!read->deny_inside && !(hv_setting("inside", &value) && hv_is(value, "\"allow\""))) {
        return "inside must be deny or allow";
    }
    if (!hv_setting("utcOffset", &value)) return "utcOffset is missing; write it as \"+02:00\"";
    reader offset = {value.bytes, value.bytes + value.length};
    bool west = take(&offset, "\"-");
    int minutes = west || take(&offset, "\"+") ? take_clock(&offset, 14 * 60) : -1;
    if (minutes < 0 || !take(&offset, "\"")) return "utcOffset must be one such as \"+02:00\", at most 14 hours";
    read->utc_offset = west ? -minutes : minutes;
    if (!hv_setting("windows", &value)) return "windows is missing; write a list such as [\"Sun 02:00-06:00\"]";
    read->windows = (reader){value.bytes, value.bytes + value.length};
    return is_list_of_windows(read->windows) ? NULL : "windows must be a list such as [\"Sun 02:00-06:00\"]";
}

/* The window in which a minute of the week lies. */
static bool find_window(reader windows, int minute, window *found) {
    take(&windows, "[");
    do {
        take_window(&windows, found);
        if ((minute - found->start + WEEK) % WEEK < found->length) return true;
    } while (take(&windows, ","));
    return false;
}

/* The operations that a denial ends cleanly; whatever comes later has happened already. */
static bool is_decided(hv_text event) {
    return hv_is(event, "prepare") || hv_is(event, "start") || hv_is(event, "migrate") || hv_is(event, "restore");
}

/* Denies that domains start or arrive inside the windows, or outside of them. */
static hv_outcome hv_handle(const hv_event *event) {
    if (!hv_is(event->kind, "domain") || !is_decided(event->event)) return hv_allow();
    settings settings;
    if (read_settings(&settings) != NULL) hv_fail();
    /* The epoch began on a Thursday. */
    int64_t minutes = (int64_t)(event->time / 60000) + settings.utc_offset + 3 * DAY;
    window window;
    bool inside = find_window(settings.windows, (int)((minutes + WEEK) % WEEK), &window);
    if (inside != settings.deny_inside) return hv_allow();
    if (!inside) return hv_deny(hv_of("no domain may start now, outside of all maintenance windows; wait for one"));
    hv_text reason = hv_join(hv_of("no domain may start in the maintenance window "), window.text);
    return hv_deny(hv_join(reason, hv_of("; try again after it")));
}
HV_HANDLER()

/* Runs once, when the configuration is loaded. */
static const char *hv_validate(void) {
    settings settings;
    return read_settings(&settings);
}
HV_CONFIGURABLE()
