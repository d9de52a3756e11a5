#pragma once
/*
 * All that was seen of a host at one moment: connections, the processes that own them, settings and counters of each
 * network namespace, and the gaps (what could not be seen, why, and what would make it visible).
 *
 * A source fills it, everything else reads it. Its strings are in the arena.
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
 * A number of connections without their rows: "710 CLOSE_WAIT", as sort | uniq -c, Group-Object or ss -s print it.
 * Members that are not known are STATE_UNKNOWN, NO_INDEX or NULL.
 */
struct total {
    uint64_t count;
    uint8_t state;    /* enum conn_state */
    uint32_t process; /* index into snapshot.processes of who holds them, or NO_INDEX */
    const char *key;  /* another common property, as it was printed: "tcp6", "192.0.2.7" */
};

struct snapshot {
    struct arena arena;

    const char *host_name;
    const char *os;     /* "linux", "windows" */
    const char *kernel; /* release, or NULL */
    const char *source; /* "linux-sock-diag", "linux-proc-net-tcp", … */
    const char *origin; /* of a capture as text, for people: "ss: 4,312 rows, 12 other lines"; NULL: not from a text */
    const char *from;   /* the file that it was read from, "-" for standard input; NULL: none */
    uint64_t taken_at_ms; /* since 1970, UTC */
    uint32_t elapsed_us;  /* how long the source took to read it */
    uint32_t page_bytes;  /* size of a memory page; 0: unknown */
    uint32_t states;      /* STATE_BIT()s that the source read; 0: all. See snapshot_states() */
    bool confirms;        /* `previous` must confirm conclusions: snapshot_confirm() in previous.h */
    bool counts_only;     /* it has no connections, only numbers of them (totals), counters and settings */
    bool redacted;        /* names and addresses in it, or in a part of it, are made up: redact.h */

    /*
     * An earlier reading of the same host, or NULL; not owned. It may have only counters and no connections. Its
     * namespaces are found by inode. If `confirms` is set, a connection is stuck only if it was stuck then too.
     */
    const struct snapshot *previous;

    /*
     * As many as conns, or NULL: for how long at least each connection has been in its state without a byte moving, as
     * earlier runs of a command know (0: they know nothing). In the arena.
     */
    uint32_t *stayed_ms;

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
    struct hash_index cgroup_paths;     /* the cgroups that source/text/cgroups.h added, by path */
    uint32_t logged[LOG_MESSAGE_COUNT]; /* how often the text of a capture has each message of a system's log */
    struct total *totals;               /* if counts_only */
    size_t total_count, total_capacity;
    struct gap *gaps;
    size_t gap_count, gap_capacity;
    struct hash_index gap_ids; /* of the gaps that snapshot_add_gap() added */

    /* Several hosts (join.h), in the arena. With one host, host_count is 0 and the members above describe it. */
    struct host *hosts;
    size_t host_count;
    const struct ip *shared_addresses; /* addresses that several hosts have, sorted */
    size_t shared_address_count;
};

void snapshot_init(struct snapshot *snapshot);
void snapshot_deinit(struct snapshot *snapshot);

/*
 * Each adds one zeroed element and returns it; a new connection has holder NO_INDEX. Earlier pointers into the array
 * become invalid. Only snapshot_add_conn() may return NULL: there is no memory.
 */
struct conn *snapshot_add_conn(struct snapshot *snapshot);
struct process *snapshot_add_process(struct snapshot *snapshot);
struct holder *snapshot_add_holder(struct snapshot *snapshot);
struct netns *snapshot_add_netns(struct snapshot *snapshot);
struct cgroup *snapshot_add_cgroup(struct snapshot *snapshot);
struct total *snapshot_add_total(struct snapshot *snapshot); /* process is NO_INDEX */

/*
 * Notes a gap. A second gap of the same kind is dropped. `remedy` NULL: the remedy of this kind in gap_infos.
 */
void snapshot_note_gap(struct snapshot *snapshot, enum gap_kind kind, const char *text, const char *remedy);
/* As snapshot_note_gap(), for an id that is in no table (a file may bring one). The strings are copied. */
void snapshot_add_gap(struct snapshot *snapshot, const char *id, const char *text, const char *remedy);

/* The states, as STATE_BIT()s, whose connections the source has read. */
uint32_t snapshot_states(const struct snapshot *snapshot);
/* True if connections may exist that the snapshot lacks. Of several hosts, each has its own: host.is_partial. */
bool snapshot_is_partial(const struct snapshot *snapshot);
/* The process that holds the connection (the first of several), or NULL. */
const struct process *snapshot_owner(const struct snapshot *snapshot, const struct conn *conn);
/* NULL if there is none. */
const struct process *snapshot_process_by_pid(const struct snapshot *snapshot, uint32_t pid);
const struct process *snapshot_parent(const struct snapshot *snapshot, const struct process *process);
/* A cgroup of this host. `host` is NULL if there is only one host. */
const struct cgroup *snapshot_cgroup_by_id(const struct snapshot *snapshot, const struct host *host, uint64_t id);
const struct netns *snapshot_netns(const struct snapshot *snapshot, const struct conn *conn);
const struct net_values *snapshot_net_values(const struct snapshot *snapshot, const struct conn *conn);
/*
 * The states, as STATE_BIT()s, that have totals by process, address or the like. For such a state, a total without
 * process and key (snapshot_is_sum()) is the sum of these and must not be added to them.
 */
uint32_t snapshot_detailed_states(const struct snapshot *snapshot);
bool snapshot_is_sum(const struct total *total, uint32_t detailed_states);
/* How many connections all totals stand for; sums are not counted twice. */
uint64_t snapshot_counted(const struct snapshot *snapshot);
/*
 * How much a counter has risen since the previous reading, and in how many ms. `netns` is an index. Returns false if
 * there is no previous reading, or if one of the two readings lacks the counter.
 */
bool snapshot_counter_rise(
    const struct snapshot *snapshot, uint32_t netns, enum counter counter, int64_t *ret_rise, uint64_t *ret_ms);
