/*
 * Limited resources: descriptors of a process, ports to a destination, accept queue of a listener. The fullest of each
 * kind are written. All others are further from their limit.
 */
#include "report/metrics/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/holders.h"
#include "model/port_use.h"

static const char *number_label(struct metrics *metrics, unsigned number)
{
    return arena_printf(&metrics->arena, "%u", number);
}

static const char *address_label(struct metrics *metrics, const struct ip *ip)
{
    struct buf text = { 0 };
    ip_format(&text, ip);
    const char *label = arena_strdup(&metrics->arena, buf_text(&text));
    buf_deinit(&text);
    return label;
}

/*
 * For sorting, the larger share first: <0 if one/one_whole is larger. Without a limit (whole 0) the share is the
 * smallest.
 */
static int fuller_first(uint64_t one, uint64_t one_whole, uint64_t other, uint64_t other_whole)
{
    uint64_t left = one_whole ? one * (other_whole ? other_whole : 1) : 0;
    uint64_t right = other_whole ? other * (one_whole ? one_whole : 1) : 0;
    return left > right ? -1 : left < right;
}

/* --- descriptors ------------------------------------------------------------------------------------------------ */

static uint32_t fds_limit(const struct process *process)
{
    return process_has_limit(process) ? process->fds_limit : 0;
}

static int nearest_to_limit_first(const void *a, const void *b)
{
    const struct process *one = *(const struct process *const *)a, *other = *(const struct process *const *)b;
    int order = fuller_first(one->fds_open, fds_limit(one), other->fds_open, fds_limit(other));
    if (order == 0 && one->fds_open != other->fds_open)
        order = one->fds_open > other->fds_open ? -1 : 1;
    return order ? order : one->pid < other->pid ? -1 : one->pid > other->pid;
}

/* Processes that hold a selected connection and whose open descriptors are known. The caller frees the array. */
static const struct process **find_holders(const struct metrics *metrics, size_t *ret_count)
{
    const struct snapshot *snapshot = metrics->snapshot;
    const struct process **holders = xcalloc(snapshot->process_count + 1, sizeof *holders);
    bool *holds = xcalloc(snapshot->process_count + 1, sizeof *holds);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (!metrics->selected[i])
            continue;
        const struct holder *holder = holders_first(snapshot, &snapshot->conns[i]);
        for (; holder != NULL; holder = holders_next_process(snapshot, holder))
            holds[holder->process] = true;
    }
    size_t count = 0;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        if (holds[i] && snapshot->processes[i].fds_open > 0)
            holders[count++] = &snapshot->processes[i];
    }
    free(holds);
    *ret_count = count;
    return holders;
}

void metrics_write_descriptors(struct metrics *metrics)
{
    size_t count;
    const struct process **holders = find_holders(metrics, &count);
    qsort(holders, count, sizeof *holders, nearest_to_limit_first);
    count = count < metrics->options->top ? count : metrics->options->top;
    for (int limit = 0; limit < 2; limit++) {
        openmetrics_family(&metrics->writer, &metric_families[limit ? METRIC_MAX_FDS : METRIC_OPEN_FDS]);
        for (size_t i = 0; i < count; i++) {
            const char *const labels[] = { metrics_label(metrics, holders[i]->name),
                number_label(metrics, holders[i]->pid) };
            if (!limit)
                openmetrics_uint(&metrics->writer, labels, holders[i]->fds_open);
            else if (fds_limit(holders[i]) > 0)
                openmetrics_uint(&metrics->writer, labels, fds_limit(holders[i]));
        }
    }
    free(holders);
}

/* --- ports ------------------------------------------------------------------------------------------------------ */

/* The used and usable ports of one source and destination. */
struct port_share {
    const struct port_use *use;
    uint32_t used, usable;
};

static int shortest_of_ports_first(const void *a, const void *b)
{
    const struct port_share *one = a, *other = b;
    int order = fuller_first(one->used, one->usable, other->used, other->usable);
    if (order == 0)
        order = ip_compare(&one->use->remote, &other->use->remote);
    return order ? order : (int)one->use->remote_port - (int)other->use->remote_port;
}

static void add_destinations(const struct metrics *metrics, const struct port_range *ranges, struct port_table *table)
{
    const struct snapshot *snapshot = metrics->snapshot;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (metrics->selected[i] && conn->netns < snapshot->netns_count && !ports_is_bound(conn) &&
            conn->state != STATE_CLOSED && port_range_has(&ranges[conn->netns], conn->local_port))
            port_table_add(table, snapshot, conn, false);
    }
}

/* Those that use at least one per cent: there may be as many destinations as peers. The caller frees them. */
static struct port_share *find_shares(
    const struct port_table *table, const struct port_range *ranges, const uint32_t *bound, size_t *ret_count)
{
    enum { MIN_PERCENT = 1 };
    struct port_share *shares = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct port_use *use = &table->items[i];
        struct port_share share = { .use = use, .usable = ranges[use->netns].usable };
        uint32_t own = use->connections - use->recyclable;
        share.used = own + bound[use->netns];
        if ((uint64_t)own * 100 < (uint64_t)share.usable * MIN_PERCENT)
            continue;
        xvec_grow((void **)&shares, count, &capacity, sizeof *shares);
        shares[count++] = share;
    }
    *ret_count = count;
    return shares;
}

static bool is_shown(const struct metrics *metrics, const struct port_share *shares, size_t at)
{
    /* Two namespaces with one label may have the same addresses: then only the fuller one is written. */
    for (size_t i = 0; i < at; i++) {
        struct port_use one = *shares[i].use, other = *shares[at].use;
        one.netns = other.netns = 0;
        if (metrics_netns_slot(metrics, shares[i].use->netns) == metrics_netns_slot(metrics, shares[at].use->netns) &&
            ports_same(&one, &other))
            return true;
    }
    return false;
}

void metrics_write_ports(struct metrics *metrics)
{
    const struct snapshot *snapshot = metrics->snapshot;
    struct port_range *ranges = xcalloc(snapshot->netns_count + 1, sizeof *ranges);
    uint32_t *bound = xcalloc(snapshot->netns_count + 1, sizeof *bound);
    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        ranges[i] = ports_range(snapshot, i, 0, 0); /* an unknown range has no usable ports, and so no share */
    ports_count_bound(snapshot, ranges, bound);
    struct port_table table = { 0 };
    add_destinations(metrics, ranges, &table);
    size_t count;
    struct port_share *shares = find_shares(&table, ranges, bound, &count);
    if (count > 0)
        qsort(shares, count, sizeof *shares, shortest_of_ports_first);
    openmetrics_family(&metrics->writer, &metric_families[METRIC_PORTS_USED]);
    for (size_t i = 0; i < count && i < metrics->options->top; i++) {
        const struct port_use *use = shares[i].use;
        const char *const labels[] = { metrics->slot_labels[metrics_netns_slot(metrics, use->netns)],
            address_label(metrics, &use->local), address_label(metrics, &use->remote),
            number_label(metrics, use->remote_port) };
        if (!is_shown(metrics, shares, i))
            openmetrics_ratio(&metrics->writer, labels, shares[i].used, shares[i].usable);
    }
    free(shares);
    port_table_deinit(&table);
    free(bound);
    free(ranges);
}

/* --- listeners -------------------------------------------------------------------------------------------------- */

/* The sockets that listen on one address and port. With SO_REUSEPORT there may be several. */
struct listener_tally {
    const struct conn *fullest;
    uint32_t slot;
    bool has_queue, has_drops;
    uint64_t drops;
};

static int by_address(const void *a, const void *b)
{
    const struct listener_tally *one = a, *other = b;
    if (one->slot != other->slot)
        return one->slot < other->slot ? -1 : 1;
    int order = ip_compare(&one->fullest->local, &other->fullest->local);
    return order ? order : (int)one->fullest->local_port - (int)other->fullest->local_port;
}

static int by_fill(const struct conn *one, const struct conn *other)
{
    /* A queue is full when it holds more than the backlog, which may be 0: sk_acceptq_is_full(). */
    return fuller_first(
        one->recv_q_bytes, (uint64_t)one->send_q_bytes + 1, other->recv_q_bytes, (uint64_t)other->send_q_bytes + 1);
}

static int worst_first(const void *a, const void *b)
{
    const struct listener_tally *one = a, *other = b;
    bool one_full = one->has_queue && one->fullest->recv_q_bytes > one->fullest->send_q_bytes;
    bool other_full = other->has_queue && other->fullest->recv_q_bytes > other->fullest->send_q_bytes;
    if (one_full != other_full)
        return one_full ? -1 : 1;
    if (one->drops != other->drops)
        return one->drops > other->drops ? -1 : 1;
    int order = one->has_queue && other->has_queue ? by_fill(one->fullest, other->fullest) : 0;
    return order ? order : by_address(a, b);
}

/*
 * The largest number of connections that the listener can have dropped. Its own counter (sk_drops) also counts packets
 * that are not connections: with TCP_DEFER_ACCEPT, a bare ACK for each connection that is served (tcp_check_req(),
 * tcp_v4_rcv()). ListenDrops counts only connections, but those of all listeners in the namespace. So the smaller one
 * is used. Both never decrease, so it does not either. Returns false if one of them is unknown.
 */
static bool find_drops(const struct snapshot *snapshot, const struct conn *listener, uint64_t *ret_drops)
{
    const struct net_values *values = snapshot_net_values(snapshot, listener);
    if (!conn_has(listener, CONN_SKMEM) || values == NULL || !values->has_counter[COUNTER_LISTEN_DROPS])
        return false;
    uint64_t of_all = (uint64_t)values->counters[COUNTER_LISTEN_DROPS];
    *ret_drops = listener->skmem_drops < of_all ? listener->skmem_drops : of_all;
    return true;
}

/* Makes one tally for each selected listening socket. The caller frees them. */
static struct listener_tally *find_listeners(const struct metrics *metrics, size_t *ret_count)
{
    const struct snapshot *snapshot = metrics->snapshot;
    struct listener_tally *tallies = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (!metrics->selected[i] || !conn_is_listener(conn))
            continue;
        xvec_grow((void **)&tallies, count, &capacity, sizeof *tallies);
        tallies[count] = (struct listener_tally){
            .fullest = conn,
            .slot = metrics_netns_slot(metrics, conn->netns),
            .has_queue = conn_has(conn, CONN_QUEUES | CONN_BACKLOG),
        };
        tallies[count].has_drops = find_drops(snapshot, conn, &tallies[count].drops);
        count++;
    }
    *ret_count = count;
    return tallies;
}

/* Adds up the tallies of one address. Returns the number that is left. */
static size_t merge(struct listener_tally *tallies, size_t count)
{
    size_t merged = 0;
    for (size_t i = 0; i < count; i++) {
        struct listener_tally *last = merged > 0 ? &tallies[merged - 1] : NULL;
        if (last == NULL || by_address(last, &tallies[i]) != 0) {
            tallies[merged++] = tallies[i];
            continue;
        }
        if (by_fill(tallies[i].fullest, last->fullest) < 0)
            last->fullest = tallies[i].fullest;
        last->has_queue |= tallies[i].has_queue;
        last->has_drops |= tallies[i].has_drops;
        last->drops += tallies[i].drops;
    }
    return merged;
}

static void write_listener(struct metrics *metrics, const struct listener_tally *tally, enum metric metric)
{
    const struct process *process = snapshot_owner(metrics->snapshot, tally->fullest);
    const char *const labels[] = { metrics->slot_labels[tally->slot], address_label(metrics, &tally->fullest->local),
        number_label(metrics, tally->fullest->local_port),
        metrics_label(metrics, process != NULL ? process->name : NULL) };
    if (metric == METRIC_LISTENER_DROPS && tally->has_drops)
        openmetrics_uint(&metrics->writer, labels, tally->drops);
    else if (metric == METRIC_ACCEPT_QUEUE && tally->has_queue)
        openmetrics_uint(&metrics->writer, labels, tally->fullest->recv_q_bytes);
    else if (metric == METRIC_ACCEPT_QUEUE_LIMIT && tally->has_queue)
        openmetrics_uint(&metrics->writer, labels, tally->fullest->send_q_bytes);
}

void metrics_write_listeners(struct metrics *metrics)
{
    static const enum metric written[] = { METRIC_ACCEPT_QUEUE, METRIC_ACCEPT_QUEUE_LIMIT, METRIC_LISTENER_DROPS };
    size_t count;
    struct listener_tally *tallies = find_listeners(metrics, &count);
    if (count > 0) {
        qsort(tallies, count, sizeof *tallies, by_address);
        count = merge(tallies, count);
        qsort(tallies, count, sizeof *tallies, worst_first);
    }
    count = count < metrics->options->top ? count : metrics->options->top;
    for (size_t m = 0; m < sizeof written / sizeof *written; m++) {
        openmetrics_family(&metrics->writer, &metric_families[written[m]]);
        for (size_t i = 0; i < count; i++)
            write_listener(metrics, &tallies[i], written[m]);
    }
    free(tallies);
}
