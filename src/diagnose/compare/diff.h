#pragma once
/* Compares snapshots of one host. Like a diagnosis, it does no I/O and reads no clock. */
#include "base/error.h"
#include "model/diff.h"
#include "model/select.h"

struct diff_options {
    const struct selection *selection; /* NULL: all */
    uint64_t interval_ms;              /* from one snapshot to the next; 0: the snapshots' own times are used */
};

/*
 * Compares 2 to DIFF_SNAPSHOTS_MAX snapshots. They must outlive the result. If all know when they were taken, they are
 * sorted by time; captures as text do not, and keep the given order. Returns 0, or -EINVAL with err filled if a
 * snapshot is redacted, or if two are of different hosts. Release the result with diff_deinit().
 */
int diff_make(const struct snapshot *snapshots, size_t count, const struct diff_options *options, struct diff *ret_diff,
    struct error *err);
