#pragma once
/* What a comparison is made from; the steps fill it in, one after the other. */
#include "diagnose/compare/processes.h"
#include "diagnose/compare/table.h"
#include "diagnose/compare/track.h"
#include "model/diff.h"
#include "model/select.h"

/* Fewer connections or descriptors more or less are chance. */
enum { DIFF_CHANGE_MIN = 3 };

struct diff_builder {
    const struct snapshot *snapshots[DIFF_SNAPSHOTS_MAX];
    size_t count;
    const struct selection *selection; /* NULL: all */
    struct context *contexts;          /* of the looks, of which only the listeners are needed */
    struct diff_tracks tracks;
    struct diff_processes *pids; /* of the looks */
    /* Connections of one process, service and state, which all rows are made of. */
    struct diff_table cross_table;
    bool *leaks; /* for each cell: a row with it leaks or piles up */
    struct diff *diff;
};
