#pragma once
/* What the files of diff.c share; nothing else includes it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "diagnose/compare/diff.h"
#include "diagnose/rule.h"

/* Fewer connections or descriptors more or less are chance. */
enum { DIFF_CHANGE_LEAST = 3 };

/* --- diff_table.c: numbers in each look, by what they are of ---------------------------------------------------- */

struct diff_key {
    struct value process; /* unknown: not known, or any */
    struct value service; /* likewise */
    uint32_t pid;         /* 0: likewise */
    enum conn_state state;
};

enum diff_tally {
    TALLY_COUNT,
    TALLY_STAYED,   /* were there in the look before too */
    TALLY_CORE,     /* were there in all looks before */
    TALLY_SETTLED,  /* and for diff.settle_looks looks */
    TALLY_REMAINED, /* of those that had settled by the look before */
    TALLY_KINDS
};

struct diff_table {
    struct diff_key *keys;
    uint32_t *tallies;
    size_t count, capacity, looks;
    uint32_t *slots;
    size_t slot_count;
};

void diff_table_init(struct diff_table *table, size_t looks);
void diff_table_deinit(struct diff_table *table);
/* The index of that key, which is added, with tallies of 0, where it is new. */
uint32_t diff_table_index(struct diff_table *table, const struct diff_key *key);
/* The numbers for each look; they move when a key is added. */
uint32_t *diff_table_tally(const struct diff_table *table, uint32_t index, enum diff_tally tally);

/* --- diff_lives.c: connections over all looks ------------------------------------------------------------------- */

/* One connection, from the look in which it came to that before which it went. */
struct diff_life {
    uint32_t owner_look, owner_conn; /* where its owner was seen last; NO_INDEX: nowhere */
    bool incoming, listened;         /* listened: a listener told, not the numbers of its ports */
    /* For counting: */
    bool in_first;       /* was selected in the first look */
    uint32_t seen_look;  /* the last look that it was counted in, … */
    uint32_t seen_cell;  /* … and what it was counted as there, … */
    uint32_t seen_since; /* … without a break since this look */
};

struct diff_lives {
    struct diff_life *items;
    size_t count, capacity;
    uint32_t *of[DIFF_LOOKS_MOST]; /* for each look, for each of its connections */
};

/* The contexts are those of the looks; only their listeners are needed. Returns 0 or -ENOMEM. */
int diff_lives_init(
    struct diff_lives *lives, const struct snapshot *const *looks, const struct context *contexts, size_t count);
void diff_lives_deinit(struct diff_lives *lives);

/* --- diff_pids.c: the same process in two looks ----------------------------------------------------------------- */

/* A snapshot, and its processes by their PIDs. */
struct diff_pids {
    const struct snapshot *snapshot;
    struct index_table table;
};

/* Returns 0 or -ENOMEM. */
int diff_pids_init(struct diff_pids *pids, const struct snapshot *snapshot);
void diff_pids_deinit(struct diff_pids *pids);
const struct process *diff_pids_find(const struct diff_pids *pids, uint32_t pid);
/* What this process of another look was then; NULL: it was not there, or has been started again since. */
const struct process *diff_same_process(
    const struct diff_pids *then, const struct snapshot *now, const struct process *process);

/* --- diff.c ----------------------------------------------------------------------------------------------------- */

struct diff_builder {
    const struct snapshot *looks[DIFF_LOOKS_MOST];
    size_t count;
    const struct selection *selection; /* NULL: all */
    struct context *contexts;          /* of the looks, of which only the listeners are needed */
    struct diff_lives lives;
    struct diff_pids *pids; /* of the looks */
    /* Connections of one process, service and state, which all rows are made of. */
    struct diff_table cells;
    bool *leaks; /* for each cell: a row with it leaks or piles up */
    struct diff *diff;
};

/* --- diff_cells.c ----------------------------------------------------------------------------------------------- */

void diff_count_cells(struct diff_builder *builder);

/* --- diff_rows.c ------------------------------------------------------------------------------------------------ */

void diff_make_rows(struct diff_builder *builder);

/* --- diff_kind.c: the judgement --------------------------------------------------------------------------------- */

/* Fills in what becomes of the row, from what the table counts of it. */
void diff_judge_row(const struct diff *diff, const struct diff_table *table, uint32_t index, struct diff_row *row);
/* The values, which grow, of the looks from `since` to `until` do so in the later half of the time too. */
bool diff_goes_on(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until);
/* Enough growth, or enough time, to be more than a moment's chance. */
bool diff_is_enough(const struct diff *diff, uint64_t growth, unsigned since, unsigned until);
/* Thousandths a minute over these looks, by least squares; 0 without times. */
int64_t diff_slope(const struct diff *diff, const uint32_t *values, unsigned since, unsigned until);

/* --- diff_descriptors.c ----------------------------------------------------------------------------------------- */

/* The processes of the last look that hold what was selected, and whose open descriptors every look knows. */
void diff_find_processes(struct diff_builder *builder);

/* --- diff_words.c ----------------------------------------------------------------------------------------------- */

/* The verdict and the title, when all else is filled in. */
void diff_say(struct diff *diff);
