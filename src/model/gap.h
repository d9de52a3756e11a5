#pragma once
/*
 * What could not be seen of a host. The kinds of gaps that tcpwhy notes itself are a table; a snapshot in a file may
 * bring others, of another version.
 */
#include <stdbool.h>

struct host;

struct gap {
    const char *id;     /* "owners-hidden" */
    const char *text;   /* what is not known, and why */
    const char *remedy; /* what would make it visible */
    const struct host
        *host;    /* of several, the one that it is about; NULL: of the only one, or of how they fit together */
    bool is_read; /* its words are from a file, and not tcpwhy's own */
};

enum gap_kind {
    GAP_ADDRESSES_CUT,
    GAP_AGES_UNKNOWN,
    GAP_ANOTHER_FORMAT,
    GAP_CAPTURES_REORDERED,
    GAP_COUNTS_ONLY,
    GAP_ENDS_AMBIGUOUS,
    GAP_ENDS_HIDDEN,
    GAP_HOSTS_APART,
    GAP_HOSTS_INCOMPLETE,
    GAP_HOSTS_REDACTED,
    GAP_LINES_NOT_UNDERSTOOD,
    GAP_NAMES_FOR_ADDRESSES,
    GAP_NETLINK_REFUSED,
    GAP_NETNS_HIDDEN,
    GAP_NOT_IN_CAPTURE,
    GAP_OWNERS_ELSEWHERE,
    GAP_OWNERS_HIDDEN,
    GAP_PROCESSES_UNNAMED,
    GAP_RATES_UNKNOWN,
    GAP_ROWS_LEFT_OUT,
    GAP_ROWS_TOO_LONG,
    GAP_SEVERAL_LOOKS,
    GAP_SNAPSHOT_INCOMPLETE,
    GAP_TIMES_OF_FILES,
    GAP_TIMES_UNKNOWN,
    GAP_TRACKED_STATES,
    GAP_KIND_COUNT, /* none of these */
};

struct gap_info {
    const char *id;     /* of GAP_ENDS_HIDDEN, the beginning: two hosts' numbers follow */
    const char *remedy; /* NULL: it depends */
    bool makes_partial; /* connections are missing: one that is not there may then be one that was not seen */
};

extern const struct gap_info gap_infos[GAP_KIND_COUNT];

/* GAP_KIND_COUNT: the id is of no kind that this version notes. */
enum gap_kind gap_find(const char *id);
