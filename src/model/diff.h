#pragma once
/*
 * Looks at one host, one after the other: which connections stayed, came and went, what grows how fast, and what that
 * means. Made by src/diagnose/diff.h, shown by src/report.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/diagnosis.h"
#include "model/value.h"

/* What becomes of the connections of one process and service in one state; worst first. */
enum diff_kind {
    DIFF_LEAKS,    /* CLOSE_WAIT that grows, and (almost) none goes: only its process can end them */
    DIFF_PILES_UP, /* another state that grows, and (almost) none goes */
    DIFF_GROWS,    /* more come than go */
    DIFF_BUSY,     /* about as many come as go */
    DIFF_SHRINKS,  /* more go than come */
    DIFF_STEADY,   /* the same ones stay */
    DIFF_KINDS
};

struct diff_row {
    struct value process; /* its name; unknown: nobody holds them, or nobody that was seen */
    struct value service;
    enum conn_state state;
    uint64_t first, last;        /* how many there were in the first and in the last look */
    uint64_t *counts;            /* in each look */
    uint64_t stayed;             /* from the first look to the last, in this row */
    uint64_t came, went;         /* not there in the first; not there in the last */
    uint64_t went_between, were; /* over all steps from one look to the next: how many left, of how many */
    int64_t millis_per_minute;   /* slope: thousandths of a connection a minute */
    enum diff_kind kind;
};

/* A process that is in the first look and in the last, and its descriptors. */
struct diff_process {
    const struct process *process; /* of the last look */
    uint32_t fds_first, fds_last;
    int64_t millis_per_minute; /* thousandths of a descriptor a minute */
    bool ends;                 /* at that slope it comes to its limit … */
    uint64_t ends_ms;          /* … so long after the last look */
};

struct diff_look {
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

    struct diff_look *looks;
    size_t look_count;
    bool times_known;  /* the looks are in order of time: else there are no slopes */
    uint64_t apart_ms; /* from the first to the last */

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
