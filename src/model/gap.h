#pragma once
/*
 * A gap is something that could not be seen of a host. The kinds of gaps that tcpwhy notes are a table. A snapshot from
 * a file may contain other kinds, written by another version.
 */
#include <stdbool.h>

struct host;

struct gap {
    const char *id;     /* "owners-hidden" */
    const char *text;   /* what is not known, and why */
    const char *remedy; /* what would make it visible */
    const struct host
        *host;    /* the host of several that it is about; NULL: the only host, or how the hosts fit together */
    bool is_read; /* its text was read from a file */
};

enum gap_kind {
    GAP_ADDRESSES_CUT,
    GAP_AGES_UNKNOWN,
    GAP_ANOTHER_FORMAT,
    GAP_CAPTURES_REORDERED,
    GAP_COUNTS_ONLY,
    GAP_ENDS_AMBIGUOUS,
    GAP_ENDS_HIDDEN,
    GAP_ENDS_UNKNOWN,
    GAP_HOSTS_APART,
    GAP_HOSTS_INCOMPLETE,
    GAP_HOSTS_REDACTED,
    GAP_LIMIT_OF_SHELL,
    GAP_LINES_NOT_UNDERSTOOD,
    GAP_NAMES_FOR_ADDRESSES,
    GAP_NETLINK_REFUSED,
    GAP_NETNS_HIDDEN,
    GAP_NOT_IN_CAPTURE,
    GAP_OWNERS_ELSEWHERE,
    GAP_OWNERS_HIDDEN,
    GAP_OWNERS_UNSETTLED,
    GAP_PROCESSES_UNNAMED,
    GAP_RATES_UNKNOWN,
    GAP_ROWS_LEFT_OUT,
    GAP_ROWS_TOO_LONG,
    GAP_SEVERAL_LOOKS,
    GAP_SNAPSHOT_INCOMPLETE,
    GAP_STATES_UNKNOWN,
    GAP_TIMES_OF_FILES,
    GAP_TIMES_UNKNOWN,
    GAP_TRACKED_STATES,
    GAP_KIND_COUNT, /* none of these */
};

struct gap_info {
    const char *id;     /* GAP_ENDS_HIDDEN: only the beginning; the numbers of two hosts follow */
    const char *remedy; /* NULL: each gap has its own */
    bool makes_partial; /* the snapshot may lack connections that exist */
};

extern const struct gap_info gap_infos[GAP_KIND_COUNT];

/* True if it counts sockets whose holder was not found. */
bool gap_is_about_owners(enum gap_kind kind);
/* Returns GAP_KIND_COUNT if this version has no kind with this id. */
enum gap_kind gap_find(const char *id);
