/* The script that decides while the runtime cannot be reached. */
#ifndef HOOKVISOR_FALLBACK_H
#define HOOKVISOR_FALLBACK_H

#include "wait.h"

/*
 * Runs the script as libvirt would have run it, for at most `deadline_ms`: then it and its process group get TERM, and
 * half a second later KILL. Returns its exit status; 1, with a message, when it gave none.
 */
int run_script(const char *script, struct bytes document, char **argv, long deadline_ms);

#endif
