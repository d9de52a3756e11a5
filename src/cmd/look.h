#pragma once
/* What every command that looks at connections does first: read the snapshot, diagnose it. */
#include "base/buf.h"
#include "cmd/options.h"
#include "model/diagnosis.h"
#include "model/snapshot.h"

/*
 * Fills both from what the options ask for and returns STATUS_HEALTHY; both then need their _deinit, the diagnosis
 * first. On failure (nothing could be read; the selection names a network namespace or a cause that does not exist)
 * says why on stderr, leaves nothing to clean up, and returns STATUS_FAILED.
 */
int cmd_look(const struct command *command, const struct look_options *options, struct snapshot *ret_snapshot,
    struct diagnosis *ret_diagnosis);

/*
 * Names on stderr what could not be seen, a line each: for output with no place of its own for gaps. Without it "-"
 * in a column would not tell "nobody" from "may not be seen".
 */
void cmd_note_gaps(const struct command *command, const struct snapshot *snapshot);

/* For --help: the causes that exist, as a paragraph "Causes: normal, …". */
void cmd_describe_causes(struct buf *out);
