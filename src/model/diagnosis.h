#pragma once
/*
 * What was concluded from a snapshot: ranked findings and a verdict. Made by src/diagnose, shown by src/report.
 *
 * Every string and array lives in the diagnosis's arena or in the snapshot, which must outlive it. Strings may hold
 * process names and other words from outside: the code that prints them must escape them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/age.h"
#include "model/snapshot.h"

struct ignore;

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };
enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };
enum fault { FAULT_NONE, FAULT_LOCAL_APPLICATION, FAULT_PEER_APPLICATION, FAULT_PEER_OR_PATH, FAULT_HOST_SETTINGS };
enum verdict { VERDICT_HEALTHY, VERDICT_WARNING, VERDICT_CRITICAL }; /* equal to the exit status */

const char *severity_name(enum severity severity);       /* "warning" */
const char *confidence_name(enum confidence confidence); /* "certain" */
const char *fault_name(enum fault fault);                /* "local-application" */
const char *verdict_name(enum verdict verdict);          /* "healthy" */

/* Lines of text; grows in an arena. */
struct lines {
    const char **items;
    size_t count, capacity;
};
void lines_add(struct lines *lines, struct arena *arena, const char *format, ...) __attribute__((format(printf, 3, 4)));

struct fix {
    const char *text;
    const char *command; /* to paste into a shell, or NULL */
};
struct fixes {
    struct fix *items;
    size_t count, capacity;
};
/* command may be NULL; both are copied. */
void fixes_add(struct fixes *fixes, struct arena *arena, const char *text, const char *command);

/* One end of a service. */
struct endpoint {
    bool known;       /* false: null in JSON, this side does not name the service */
    bool any_address; /* several addresses: shown as "*" */
    bool any_port;    /* several ports */
    uint32_t ports;   /* if any_port: how many; 0: ephemeral ports, not counted */
    struct ip address;
    uint16_t port;
};

struct peer_count {
    struct ip address;
    uint64_t count;
};

struct process_count {
    const struct process *process;
    uint64_t count;
};

struct finding {
    const char *id;
    enum severity severity;
    enum confidence confidence;
    enum fault fault;
    const char *title; /* one sentence, names the owner and the number; no full stop */
    const char *why;
    const char *action; /* what to do, in a few words, for a list of findings: "close at end of stream"; never NULL */
    uint64_t count;     /* how many connections; a finding about the host may count something else */

    const struct process *owner; /* NULL: nobody on this host */
    bool owner_inferred;         /* the owner is the process that listens on the local port; the holder is not known */
    /* Processes that hold the connections, most first; owner is the first unless inferred. */
    const struct process_count *processes;
    size_t process_count;
    /* Processes on this host that hold the other ends, most first. */
    const struct process_count *counterparts;
    size_t counterpart_count;
    const uint32_t *other_ends; /* the other ends that were seen: indexes of connections, listeners included */
    size_t other_end_count;

    struct endpoint local, remote;
    const struct netns *netns;
    const struct host *host;        /* its host; NULL: the snapshot has only one */
    const struct peer_count *peers; /* at most ten, most first */
    size_t peer_count;
    uint64_t distinct_peers;

    bool age_known;
    bool age_at_least; /* the ages are lower bounds */
    uint64_t oldest_ms, median_ms;
    /*
     * Keepalive resets the clocks of reset_count connections, so their ages say little. No data has passed on the
     * quietest of them for quiet_ms; this is compared with the limits. The oldest is not older than oldest_at_most_ms.
     * All are 0 if keepalive resets no clock.
     */
    uint64_t reset_count, quiet_ms, oldest_at_most_ms;
    bool give_up_known; /* the kernel will end them by itself */
    uint64_t first_give_up_ms, last_give_up_ms;

    struct lines evidence, ruled_out, will_not_help;
    struct fixes fix_now, fix_for_good;

    const uint32_t *conns; /* indexes into snapshot.conns, oldest first; with a selection, the selected ones first */
    size_t conn_count;
    /*
     * A finding is about the whole host: the selection decides only whether it is shown. These say how many of its
     * connections, and how many of their other ends, are selected. Not set if diagnosis.selected is NULL.
     */
    uint64_t selected_count, selected_ends;
    /* Options of `tcpwhy list` that show what it is about: "--cause close-wait-leak", "--pid 812". */
    const char *list_options;
    bool lists_cause;  /* they name its cause, so that a selection can be added to them */
    bool is_concerned; /* it is shown although it has no selected connection: it is about what these wait for */
    /*
     * The finding is about most of the connections that the user selected or pasted. So it answers the user's question,
     * and its fixes are shown even if nothing is wrong. The INFO findings of a whole host are shown in short form.
     */
    bool is_answer;

    /*
     * A connection that is the cause of this finding. If that connection has a finding, this one only follows from it:
     * `cited` is then a sentence in that finding, and this one is dropped. NULL: the finding stands for itself.
     */
    const struct conn *cause;
    const char *cited;

    const struct ignore *ignored; /* the ignore that fits it (policy.h); NULL: the finding counts */
};

struct diagnosis {
    struct arena arena;
    const struct snapshot *snapshot;
    enum verdict verdict;

    const bool *selected;    /* for each connection: the selection takes it in; NULL: it takes in all */
    uint64_t selected_count; /* connections that the selection took in */
    uint64_t by_state[STATE_COUNT];

    struct finding *findings; /* worst first */
    size_t finding_count;
    const struct finding *ignored; /* findings that do not count, worst first */
    size_t ignored_count;
    const uint8_t *ignores; /* for each connection, 0: not ignored; NULL: none is */
    struct lines notes;     /* the healthy part of the report: why something that looks alarming is normal */
    const struct gap *gaps; /* gaps that the diagnosis found, in addition to the snapshot's */
    size_t gap_count;
    bool recounts_owners; /* its own gaps about unknown owners replace the snapshot's */
    /* A rule needs to know how fast a counter rises. The caller may read the counters again and diagnose again. */
    bool wants_rates;

    const uint8_t *causes;        /* one for each connection of the snapshot */
    const char *const *cause_ids; /* names of those numbers; number 0 is "normal" */
};

/* "normal" or a finding's id. */
const char *diagnosis_cause(const struct diagnosis *diagnosis, size_t conn_index);
/* Adds a gap that the diagnosis found. The strings are in the arena. `remedy` NULL: the remedy of this kind. */
void diagnosis_add_gap(struct diagnosis *diagnosis, enum gap_kind kind, const char *text, const char *remedy);
/* All gaps that concern the selection, the snapshot's first. The caller frees the array. */
struct gap *diagnosis_all_gaps(const struct diagnosis *diagnosis, size_t *ret_count);
size_t diagnosis_count_gaps(const struct diagnosis *diagnosis);
void diagnosis_deinit(struct diagnosis *diagnosis);
