#pragma once
/* The working data of a comparison. Each step of diff_make() fills in a part. */
#include "diagnose/compare/processes.h"
#include "diagnose/compare/table.h"
#include "diagnose/compare/track.h"
#include "model/diff.h"
#include "model/select.h"

/* A smaller change of a number of connections or descriptors may be chance. */
enum { DIFF_CHANGE_MIN = 3 };

struct diff_builder {
    const struct snapshot *snapshots[DIFF_SNAPSHOTS_MAX];
    size_t count;
    const struct selection *selection; /* NULL: all */
    struct context *contexts;          /* one for each snapshot; only snapshot and listeners are filled in */
    struct diff_tracks tracks;
    struct diff_processes *pids;   /* one for each snapshot */
    struct diff_table cross_table; /* each cell counts the connections of one process, service and state */
    bool *leaks;                   /* for each cell: a row that contains it leaks or piles up */
    struct diff *diff;
};
