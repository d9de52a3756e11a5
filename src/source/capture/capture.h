#pragma once
/*
 * Reads a snapshot from what somebody saved or pasted: output of netstat, ss, lsof or PowerShell, or /proc/net/tcp. The
 * format is recognised by the content, not by the file's name or the language of the headings. Except for reading the
 * file this is pure, and the same on every platform, wherever the capture comes from.
 */
#include "base/error.h"
#include "model/snapshot.h"

struct capture_options {
    const char *path;  /* "-": standard input */
    const char *tasks; /* a list of processes (tasklist, Get-Process), which gives the PIDs their names; NULL: none */
    const char *const *state_names; /* what words of states mean that are not known: "LETZTE_ACK=LAST_ACK" */
    unsigned state_name_count;
    /*
     * An initialised snapshot. It receives the previous snapshot that a saved one may contain, and must outlive the
     * current one. NULL: not wanted.
     */
    struct snapshot *previous;
};

/* Opens the files of a capture, which is read later, when this process may open nothing any more (cmd/sandbox.h). */
void capture_open_early(const struct capture_options *options);

/*
 * Fills an initialised snapshot. Lines that are not understood are counted and noted as a gap. Gaps also name what the
 * capture cannot show, and the better command. Returns 0, or a negative errno with err filled: the file cannot be read,
 * or (-EBADMSG) no format is recognised in it.
 */
int capture_read(const struct capture_options *options, struct snapshot *snapshot, struct error *err);
