#pragma once
/* The first step of every command that shows connections: it reads a snapshot and diagnoses it. */
#include "base/buf.h"
#include "cmd/options.h"
#include "config/config.h"
#include "model/diagnosis.h"
#include "model/policy.h"
#include "model/snapshot.h"

/* A snapshot with its diagnosis. It holds pointers into itself, so it must not be moved or copied. */
struct inspection {
    struct snapshot snapshot;
    /* What this inspection read before `snapshot`: a whole snapshot, or counters only. Empty if it read nothing. */
    struct snapshot previous;
    struct policy policy; /* the limits of the diagnosis */
    struct diagnosis diagnosis;
};

/*
 * Reads a snapshot and diagnoses it. With options->confirm_ms it reads two snapshots, that time apart.
 *
 * `previous` is an earlier inspection with the same options, or NULL. It must outlive ret_inspection. Rates are
 * measured from it. With confirm_ms it serves as the first of the two snapshots, so that only one is read.
 *
 * Returns STATUS_HEALTHY; the caller releases the inspection with inspection_deinit(). On failure it prints the reason
 * on stderr, leaves nothing to release and returns STATUS_FAILED. It fails if nothing can be read, or if the selection
 * names a network namespace or a cause that does not exist.
 */
int cmd_inspect(const struct command *command, const struct inspect_options *options, const struct inspection *previous,
    struct inspection *ret_inspection);
/* As cmd_inspect(), but prints no error. Returns 0, or a negative errno with err filled. */
int cmd_try_inspect(const struct inspect_options *options, const struct inspection *previous,
    struct inspection *ret_inspection, struct error *err);
/* Check that the causes or the netns of a selection exist. Return 0, or a negative errno with err filled. */
int cmd_check_causes(const struct selection *selection, struct error *err);
int cmd_check_netns(const struct selection *selection, const struct snapshot *snapshot, struct error *err);
/*
 * Reads the policy from the file that --config names, or from the usual files if `file` is NULL. Returns 0, or a
 * negative errno with err filled.
 */
int cmd_read_config(const char *file, struct policy *policy, struct error *err);
/* The limits of a finding for connections that belong to no service of the policy. */
struct limits cmd_limits(const struct policy *policy, const char *finding);
/* Finding number `index`, with its defaults and the limits that a configuration can set. False past the last one. */
bool cmd_config_finding(unsigned index, struct config_finding *ret_finding);
void inspection_deinit(struct inspection *inspection);
/* Removes the pointers to the previous snapshot, which can then be released. The diagnosis is not valid after this. */
void inspection_forget_previous(struct inspection *inspection);

/*
 * Prints each gap of the snapshot as a line on stderr. It is for output that has no place for gaps. Without these
 * lines, "-" in a column could mean "no process" or "the process may not be seen".
 */
void cmd_note_gaps(const struct command *command, const struct snapshot *snapshot);

/* Prints on stderr that standard input was not read, if it contains something: "netstat -ano | tcpwhy". */
void cmd_note_unread_input(const struct command *command, const struct inspect_options *options);

/* Appends the list of all causes for --help: "Causes: normal, …". */
void cmd_describe_causes(struct buf *out);
