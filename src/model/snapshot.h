#pragma once
/*
 * All that was seen of a host at one moment: connections, the processes that own them, settings and counters for each
 * network namespace, and the gaps: what could not be seen, why, and what would make it visible.
 *
 * A source fills it, everything else reads it. Other strings than the connections' live in the arena.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hash_index.h"
#include "model/conn.h"
#include "model/gap.h"
#include "model/log_message.h"
#include "model/process.h"
#include "model/setting.h"

/*
 * A number of connections of which no row was seen: "710 CLOSE_WAIT", as sort | uniq -c, Group-Object or ss -s print
 * it. What it does not say is UNKNOWN, NO_INDEX, NULL.
 */
struct total {
    uint64_t count;
    uint8_t state;    /* enum conn_state */
    uint32_t process; /* index into snapshot.processes of who holds them, or NO_INDEX */
    const char *key;  /* what else they have in common, as it was printed: "tcp6", "192.0.2.7" */
};

struct snapshot {
    struct arena arena;

    const char *host_name;
    const char *os;     /* "linux", "windows" */
    const char *kernel; /* release, or NULL */
    const char *source; /* "linux-sock-diag", "linux-proc-net-tcp", … */
    const char *origin; /* of a capture, for people: "ss: 4,312 rows, 12 other lines"; NULL: this host was looked at */
    const char *from;   /* the file that it was read from, "-" for standard input; NULL: none */
    uint64_t taken_at_ms; /* since 1970, UTC */
    uint32_t elapsed_us;  /* how long the looking took */
    uint32_t page_bytes;  /* of a memory page; 0: unknown */
    uint32_t states;      /* STATE_BIT()s that were looked at; 0: all. snapshot_states() */
    bool confirms;
    bool counts_only; /* it has no connections, but their numbers (totals), counters, settings */
    bool redacted;    /* names and addresses in it, or in a part of it, are made up: redact.h */

    /*
     * An earlier reading of the same host, for what changes: NULL where there is none; not owned. One without
     * connections has only the counters. Its namespaces are found by inode. Where it `confirms`, what is stuck must
     * have been so then too: snapshot_confirm() in previous.h.
     */
    const struct snapshot *previous;

    struct conn *conns;
    size_t conn_count, conn_capacity;
    struct process *processes;
    size_t process_count, process_capacity;
    struct holder *holders;
    size_t holder_count, holder_capacity;
    struct netns *netns;
    struct net_values *net_values; /* as many as netns */
    size_t netns_count, netns_capacity, net_values_capacity;
    struct cgroup *cgroups;
    size_t cgroup_count, cgroup_capacity;
    struct hash_index cgroup_paths;     /* of those that source/text/cgroups.h added */
    uint32_t logged[LOG_MESSAGE_COUNT]; /* how often the text of a capture has each message of a system's log */
    struct total *totals;               /* where it is counts_only */
    size_t total_count, total_capacity;
    struct gap *gaps;
    size_t gap_count, gap_capacity;
    struct hash_index gap_ids; /* of the gaps that snapshot_add_gap() added */

    /* Of several hosts (join.h); none where there is one: then the above is about it. In the arena. */
    struct host *hosts;
    size_t host_count;
    const struct ip *shared_addresses; /* local ones of several of them, in order */
    size_t shared_address_count;
};

void snapshot_init(struct snapshot *snapshot);
void snapshot_deinit(struct snapshot *snapshot);

/*
 * Each adds one zeroed element (a connection: no holder) and returns it. Earlier pointers move. Only that of a
 * connection may be NULL: there is no memory for so many.
 */
struct conn *snapshot_add_conn(struct snapshot *snapshot);
struct process *snapshot_add_process(struct snapshot *snapshot);
struct holder *snapshot_add_holder(struct snapshot *snapshot);
struct netns *snapshot_add_netns(struct snapshot *snapshot);
struct cgroup *snapshot_add_cgroup(struct snapshot *snapshot);
struct total *snapshot_add_total(struct snapshot *snapshot); /* no process */

/*
 * Notes a gap once per kind; a second one of the same kind is dropped. `remedy` NULL: what helps with any of the kind.
 */
void snapshot_note_gap(struct snapshot *snapshot, enum gap_kind kind, const char *text, const char *remedy);
/* The same for an id that is of none of these kinds, as one of a file may be. All are copied. */
void snapshot_add_gap(struct snapshot *snapshot, const char *id, const char *text, const char *remedy);

/* The states, as STATE_BIT()s, whose connections are all there; those of others are not. */
uint32_t snapshot_states(const struct snapshot *snapshot);
/* The process that holds the connection (the first of several), or NULL. */
const struct process *snapshot_owner(const struct snapshot *snapshot, const struct conn *conn);
/* NULL where there is none. */
const struct process *snapshot_process_by_pid(const struct snapshot *snapshot, uint32_t pid);
const struct process *snapshot_parent(const struct snapshot *snapshot, const struct process *process);
/* Of the host: NULL where there is only one. */
const struct cgroup *snapshot_cgroup_by_id(const struct snapshot *snapshot, const struct host *host, uint64_t id);
const struct netns *snapshot_netns(const struct snapshot *snapshot, const struct conn *conn);
const struct net_values *snapshot_net_values(const struct snapshot *snapshot, const struct conn *conn);
/*
 * The states, as STATE_BIT()s, of which there are totals by process, address or the like: a total of the state alone is
 * then their sum, and no more connections.
 */
uint32_t snapshot_detailed_states(const struct snapshot *snapshot);
bool snapshot_is_sum(const struct total *total, uint32_t detailed_states);
/* How many connections all totals tell of. */
uint64_t snapshot_counted(const struct snapshot *snapshot);
/*
 * By how much a counter of a namespace (an index) has risen since the earlier reading, and over which time. False where
 * there is none, or the counter is unknown in one of them.
 */
bool snapshot_counter_rise(
    const struct snapshot *snapshot, uint32_t netns, enum counter counter, int64_t *ret_rise, uint64_t *ret_ms);
