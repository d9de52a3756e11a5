#pragma once
/* Looks at one host compared: pure, like a diagnosis. */
#include "base/error.h"
#include "model/diff.h"
#include "model/select.h"

struct diff_options {
    const struct selection *selection; /* NULL: all */
    uint64_t interval_ms;              /* between one look and the next; 0: as their times say */
};

/*
 * Compares 2 to DIFF_SNAPSHOTS_MAX snapshots of one host, which must outlive the result: in the order of their times
 * where these are their own, else as they are given. Returns 0, or a negative errno with err filled: they are of
 * different hosts, or redacted, or there is no memory.
 */
int diff_make(const struct snapshot *snapshots, size_t count, const struct diff_options *options, struct diff *ret_diff,
    struct error *err);
