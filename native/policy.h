/* What the hook client does while the runtime is unreachable. See docs/client.md. */
#ifndef HOOKVISOR_POLICY_H
#define HOOKVISOR_POLICY_H

#include <stdbool.h>

enum action { action_deny, action_allow, action_script };

struct policy {
    const char *file;
    enum action action;
    const char *script;
    long deadline_ms;
    char problem[160]; /* why the file is not followed; empty if it is */
};

/*
 * Reads /etc/hookvisor/unreachable, or the file that HOOKVISOR_UNREACHABLE names. A file with a problem results in
 * `deny`.
 */
void read_policy(struct policy *policy);

#endif
