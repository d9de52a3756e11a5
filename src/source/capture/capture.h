#pragma once
/*
 * A snapshot from what somebody saved or pasted: the output of netstat, ss, lsof, PowerShell, /proc/net/tcp. What it
 * is, is told from its content, never from its name or from the language of its headings. Pure but for reading the
 * file; the same on every platform, whatever the platform that the capture comes from.
 */
#include "base/error.h"
#include "model/snapshot.h"

struct capture_options {
    const char *path;  /* "-": standard input */
    const char *tasks; /* a list of processes (tasklist, Get-Process) that names the PIDs; NULL: none */
    /*
     * An initialised snapshot for the earlier look that a saved one may have; must outlive its use. NULL: not wanted.
     */
    struct snapshot *previous;
};

/*
 * Fills an initialised snapshot. Lines that are not understood are counted and become a gap; so does what this kind of
 * capture does not show, with what to ask for instead. Returns 0, or a negative errno with err filled: the file cannot
 * be read, or (-EBADMSG) it is nothing that is known.
 */
int capture_read(const struct capture_options *options, struct snapshot *snapshot, struct error *err);
