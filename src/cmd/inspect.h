#pragma once
/* What every command that looks at connections does first: read the snapshot, diagnose it. */
#include "base/buf.h"
#include "cmd/options.h"
#include "config/config.h"
#include "model/diagnosis.h"
#include "model/policy.h"
#include "model/snapshot.h"

/* One look at the host. It refers to itself: not to be moved. */
struct inspection {
    struct snapshot snapshot;
    struct snapshot
        previous;         /* what this look itself read before: the first of two looks, or counters only; or empty */
    struct policy policy; /* that it is judged by */
    struct diagnosis diagnosis;
};

/*
 * Looks as the options say, twice where they want that confirmed, and diagnoses. `previous` (or NULL) is an earlier
 * look of the same options, which must outlive this one's use: then it is the one that confirms, and that rates are
 * measured against. Returns STATUS_HEALTHY with a look to release by inspection_deinit(). On failure (nothing could be
 * read; the selection names a network namespace or a cause that does not exist) says why on stderr, leaves nothing to
 * clean up, and returns STATUS_FAILED.
 */
int cmd_inspect(const struct command *command, const struct inspect_options *options, const struct inspection *previous,
    struct inspection *ret_inspection);
/* The same, without a word: returns 0, or a negative errno with err filled. */
int cmd_try_inspect(const struct inspect_options *options, const struct inspection *previous,
    struct inspection *ret_inspection, struct error *err);
/* Whether causes and network namespace of a selection exist. Returns 0, or a negative errno with err filled. */
int cmd_check_causes(const struct selection *selection, struct error *err);
int cmd_check_netns(const struct selection *selection, const struct snapshot *snapshot, struct error *err);
/*
 * The policy that is in force where --config named this file (NULL: none). Returns 0, or a negative errno with err
 * filled.
 */
int cmd_read_config(const char *file, struct policy *policy, struct error *err);
/* The limits of a finding for connections of no service. */
struct limits cmd_limits(const struct policy *policy, const char *finding);
/* The finding of that number as a configuration may know it. False past the end. */
bool cmd_config_finding(unsigned index, struct config_finding *ret_finding);
void inspection_deinit(struct inspection *inspection);
/* Ends what refers to the previous look, before that one goes: this one's diagnosis is then of no more use. */
void inspection_forget_previous(struct inspection *inspection);

/*
 * Names on stderr what could not be seen, a line each: for output with no place of its own for gaps. Without it "-"
 * in a column would not tell "nobody" from "may not be seen".
 */
void cmd_note_gaps(const struct command *command, const struct snapshot *snapshot);

/* For --help: the causes that exist, as a paragraph "Causes: normal, …". */
void cmd_describe_causes(struct buf *out);
