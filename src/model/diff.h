#pragma once
/*
 * Looks at one host, one after the other: which connections stayed, came and went, what grows how fast, and what that
 * means. Made by src/diagnose/compare/diff.h, shown by src/report.
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
    DIFF_LEAKS,    /* in CLOSE_WAIT those that stay become more: only their process can end them */
    DIFF_PILES_UP, /* in another state they do */
    DIFF_GROWS,    /* more come than go */
    DIFF_GREW,     /* did, but the later looks show no more of it */
    DIFF_BUSY,     /* about as many come as go */
    DIFF_SHRINKS,  /* more go than come */
    DIFF_STEADY,   /* the same ones stay */
    DIFF_KINDS
};

/*
 * Connections of one process name, service and state; or of one process of several with that name; or, where a leak is
 * spread too thin to be seen so, of a process in all its services, or of a service in all its processes.
 */
struct diff_row {
    struct value process;     /* its name; unknown: nobody holds them, nobody that was seen, or several */
    struct value service;     /* unknown: they go nowhere, or several */
    uint32_t pid;             /* of its only process; 0: several, or not known */
    uint32_t processes;       /* how many names (where only pid is given, services) were folded into it: 1: none were */
    uint32_t services;        /* likewise */
    bool one_of_several;      /* of this PID alone; another row has all processes with its name */
    const char *seen_process; /* the only name among several, the others being unknown; or NULL */
    enum conn_state state;
    uint64_t first, last;      /* how many there were in the first and in the last look */
    uint64_t *counts;          /* in each look */
    uint64_t *settled;         /* of them, those that diff.settle_snapshots looks before had already */
    uint64_t stayed;           /* in this row from the first look to the last */
    uint64_t came, went;       /* not there in the first; not there in the last */
    int64_t millis_per_minute; /* slope: thousandths of a connection a minute */

    enum diff_kind kind;
    bool unsure;                   /* it grows, and these looks do not tell whether what comes goes again */
    bool warns;                    /* what it shows deserves a warning */
    bool by_settled;               /* only what stays tells: as many others come and go */
    unsigned since, until;         /* the looks that it was judged by: all were replaced before and after, if any */
    uint64_t went_between, were;   /* over these, from one to the next: how many left, of how many */
    int64_t run_millis_per_minute; /* slope over these, of those that tell */
};

/* A process that is in the first look and in the last, and its descriptors. */
struct diff_process {
    const struct process *process; /* of the last look */
    uint32_t fds_first, fds_last;
    int64_t millis_per_minute; /* thousandths of a descriptor a minute */
    bool ends;                 /* it goes on growing and at that slope comes to its limit, … */
    uint64_t ends_ms;          /* … so long after the last look; 0: it is there already */
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
    const struct snapshot *last; /* refers to it and to the others, which must outlive it */
    enum verdict verdict;
    const char *title; /* one sentence */

    struct diff_snapshot *snapshots;
    size_t snapshot_count;
    bool reordered;            /* they were given in another order than that of their times */
    bool times_known;          /* the looks are in order of time: else there are no slopes */
    uint64_t apart_ms;         /* from the first to the last */
    unsigned settle_snapshots; /* a connection that was there so many looks before has settled */

    uint64_t stayed, came, went; /* connections, whatever their state, from the first look to the last */
    struct diff_row *rows;       /* worst first */
    size_t row_count;
    struct diff_process *processes; /* those that come to their limit soonest first */
    size_t process_count;
    struct gap *gaps; /* what could not be told */
    size_t gap_count, gap_capacity;
};

const char *diff_kind_name(enum diff_kind kind); /* "leaks", "piles-up" */
void diff_deinit(struct diff *diff);
