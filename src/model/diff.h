#pragma once
/*
 * The comparison of several snapshots of one host: which connections stayed, came and went, what grows, how fast, and
 * what that means. src/diagnose/compare/diff.h makes it, src/report shows it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/diagnosis.h"
#include "model/value.h"

enum { DIFF_SNAPSHOTS_MAX = 64 };

/* What becomes of the connections of one process and service in one state; worst first. */
enum diff_kind {
    DIFF_LEAKS,    /* CLOSE_WAIT: more and more of them stay; only their process can end them */
    DIFF_PILES_UP, /* another state: more and more of them stay */
    DIFF_GROWS,    /* more come than go */
    DIFF_GREW,     /* they grew, but no longer in the later snapshots */
    DIFF_BUSY,     /* about as many come as go */
    DIFF_SHRINKS,  /* more go than come */
    DIFF_STEADY,   /* the same ones stay */
    DIFF_KINDS
};

/*
 * Usually the connections of one process name, service and state. A row may also be of one process, if several have its
 * name. A leak may be too thin to show in such rows. Then a row is of one process and all its services, or of one
 * service and all its processes.
 */
struct diff_row {
    struct value process;     /* its name; unknown: nobody holds them, nobody that was seen, or several */
    struct value service;     /* unknown: they go nowhere, or several */
    uint32_t pid;             /* the PID of the only process; 0: several, or not known */
    uint32_t processes;       /* how many process names were added up in the row; usually 1 */
    uint32_t services;        /* how many services were added up in the row; usually 1 */
    bool one_of_several;      /* only this PID; another row has all processes with its name */
    const char *seen_process; /* if it has several processes of which only one name is known: that name; else NULL */
    enum conn_state state;
    uint64_t first, last;      /* how many there were in the first and in the last snapshot */
    uint64_t *counts;          /* how many in each snapshot */
    uint64_t *settled;         /* how many of them were there diff.settle_snapshots snapshots before */
    uint64_t stayed;           /* connections in this row from the first snapshot to the last */
    uint64_t came, went;       /* connections that are not in the first; that are not in the last */
    int64_t millis_per_minute; /* slope: thousandths of a connection a minute */

    enum diff_kind kind;
    bool unsure;                   /* it grows, but it is not known whether the new connections stay */
    bool warns;                    /* it deserves a warning */
    bool by_settled;               /* judged by the settled connections only: many others come and go */
    unsigned since, until;         /* the run of snapshots that it was judged by: see classify.c */
    uint64_t were;                 /* connections in all snapshots of the run except the last */
    uint64_t went_between;         /* how many of them are not in the next snapshot */
    int64_t run_millis_per_minute; /* slope over these snapshots, of the connections that it was judged by */
};

/* A process that is in the first and in the last snapshot, and its descriptors. */
struct diff_process {
    const struct process *process; /* in the last snapshot */
    uint32_t fds_first, fds_last;
    int64_t millis_per_minute; /* thousandths of a descriptor a minute */
    bool ends;                 /* at this slope it will reach its limit … */
    uint64_t ends_ms;          /* … this long after the last snapshot; 0: it has reached it */
    enum verdict verdict;
};

struct diff_snapshot {
    const char *from; /* the file, or NULL */
    const char *source;
    uint64_t taken_at_ms;
    uint64_t conns; /* selected */
};

struct diff {
    struct arena arena;
    const struct snapshot *last; /* not owned; all compared snapshots must outlive the diff */
    enum verdict verdict;
    const char *title; /* one sentence */

    struct diff_snapshot *snapshots;
    size_t snapshot_count;
    bool reordered;            /* the user gave the snapshots in another order than that of their times */
    bool times_known;          /* the snapshots are in order of time; if false, there are no slopes */
    uint64_t apart_ms;         /* from the first to the last */
    unsigned settle_snapshots; /* a connection has settled if it was there this many snapshots before */

    uint64_t stayed, came, went; /* connections in any state, from the first snapshot to the last */
    struct diff_row *rows;       /* worst first */
    size_t row_count;
    struct diff_process *processes; /* first those that reach their limit soonest */
    size_t process_count;
    struct gap *gaps; /* what the comparison could not find out */
    size_t gap_count, gap_capacity;
};

const char *diff_kind_name(enum diff_kind kind); /* "leaks", "piles-up" */
void diff_deinit(struct diff *diff);
