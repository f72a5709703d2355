/* What the hook client does when the runtime cannot be reached: see docs/client.md. */
#ifndef HOOKVISOR_POLICY_H
#define HOOKVISOR_POLICY_H

#include <stdbool.h>

enum action { action_deny, action_allow, action_script };

struct policy {
    const char *file;
    enum action action;
    const char *script;
    long deadline_ms;
    char problem[160]; /* why the file is not followed; empty when it is */
};

/* Reads /etc/hookvisor/unreachable, or what HOOKVISOR_UNREACHABLE names. What is not understood in it makes it `deny`. */
void read_policy(struct policy *policy);

#endif
