/* The script that decides while the runtime is unreachable. */
#ifndef HOOKVISOR_FALLBACK_H
#define HOOKVISOR_FALLBACK_H

#include "wait.h"

/*
 * Runs the script as libvirt would, for at most `deadline_ms`. Then the script and its process group receive TERM, and
 * KILL half a second later. Returns its exit status; prints a message and returns 1 if it has none.
 */
int run_script(const char *script, struct bytes document, char **argv, long deadline_ms);

#endif
