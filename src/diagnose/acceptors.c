#include "diagnose/acceptors.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/obstacle.h"
#include "model/holders.h"

/*
 * What a process does with a listener that it has open; the most likely acceptor comes last. The kernel does not show
 * which process called accept() last. But a process that serves holds connections that came in through a listener, or
 * waits in accept().
 */
enum part {
    PART_INHERITED, /* the program never accepts */
    PART_MANAGER,   /* a service manager, which keeps the sockets that it has passed on (socket activation) */
    PART_MASTER,    /* its children serve */
    PART_SERVER,
};

/* True for system programs that start other programs, or wait, and never call accept(). */
static bool never_accepts(const struct process *process)
{
    static const char *const names[] = { "sleep", "tail", "cat", "tee", "sh", "bash", "dash", "zsh", "ksh", "timeout",
        "nohup", "find", "xargs", "grep", "sed", "awk", "tar", "gzip", "cp", "dd", "logger", "less", "more", "vi",
        "vim", "nano", "top", "watch", "ping", "yes", "wait", "setsid", "flock", "inotifywait" };
    for (size_t i = 0; process->name != NULL && i < sizeof names / sizeof *names; i++) {
        if (strcmp(process->name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool is_manager(const struct process *process)
{
    return process->pid == 1 || (process->name != NULL && strcmp(process->name, "systemd") == 0);
}

/*
 * True if two listeners have the same address and port (SO_REUSEPORT). The kernel distributes connections among them,
 * and each has its own accept queue.
 */
static bool shares_port(const struct conn *one, const struct conn *other)
{
    return conn_is_listener(other) && other->netns == one->netns && other->local_port == one->local_port &&
        ip_equal(&other->local, &one->local);
}

static bool bit_of(const uint8_t *bits, size_t i)
{
    return (bits[i / 8] >> (i % 8) & 1) != 0;
}

static void set_bit(uint8_t *bits, size_t i)
{
    bits[i / 8] |= (uint8_t)(1U << (i % 8));
}

/* --- the part of each process ----------------------------------------------------------------------------------- */

/* Marks listeners that share a port: context_listener() of such a listener may be another one with the same port. */
static void mark_shared(const struct context *context, const struct conn *listener)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *found = context_listener(context, listener);
    if (found == NULL || found == listener || !shares_port(found, listener))
        return;
    set_bit(context->served->shares_port, (size_t)(found - snapshot->conns));
    set_bit(context->served->shares_port, (size_t)(listener - snapshot->conns));
}

/* Counts, for each process, the connections that it holds and that came in through any listener; once per context. */
static const uint32_t *served_counts(const struct context *context)
{
    const struct snapshot *snapshot = context->snapshot;
    struct served *served = context->served;
    if (served->counts != NULL)
        return served->counts;
    served->counts = xcalloc(snapshot->process_count + 1, sizeof *served->counts);
    served->shares_port = xcalloc(snapshot->conn_count / 8 + 1, 1);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (conn_is_listener(conn))
            mark_shared(context, conn);
        if (conn->holder == NO_INDEX || conn_is_listener(conn) || context_listener(context, conn) == NULL)
            continue;
        for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h))
            served->counts[h->process]++;
    }
    return served->counts;
}

static bool waits_in(const struct process *process, const char *what)
{
    for (size_t i = 0; i < process->wait_count; i++) {
        const struct wait_place *place = &process->waits[i];
        if ((place->call != NULL && strstr(place->call, what) != NULL) ||
            (place->call == NULL && place->channel != NULL && strstr(place->channel, what) != NULL))
            return true;
    }
    return false;
}

/* True if it holds connections, waits for new ones, or would perhaps serve if nothing halted it. */
static bool may_serve(const struct context *context, uint32_t process)
{
    const struct process *of = &context->snapshot->processes[process];
    return served_counts(context)[process] > 0 || waits_in(of, "accept") || waits_in(of, "ep") ||
        waits_in(of, "poll") || waits_in(of, "select") || obstacle_is_halt(obstacle_of(of));
}

/*
 * True if the process holds no connection, and a child that has the listener open too may serve. A server with helper
 * processes is no master: it holds connections itself.
 */
static bool is_master(const struct context *context, const struct conn *listener, uint32_t process)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct process *of = &snapshot->processes[process];
    if (served_counts(context)[process] > 0 || waits_in(of, "accept"))
        return false;
    for (const struct holder *h = holders_first(snapshot, listener); h != NULL; h = holders_next_process(snapshot, h)) {
        uint32_t other = h->process;
        if (other != process && snapshot->processes[other].parent_pid == of->pid &&
            !never_accepts(&snapshot->processes[other]) && may_serve(context, other))
            return true;
    }
    return false;
}

static enum part part_of(const struct context *context, const struct conn *listener, uint32_t process)
{
    const struct process *of = &context->snapshot->processes[process];
    if (is_manager(of))
        return PART_MANAGER;
    if (never_accepts(of))
        return PART_INHERITED;
    return is_master(context, listener, process) ? PART_MASTER : PART_SERVER;
}

/* True if another listener has the same address and port. */
static bool port_is_shared(const struct context *context, const struct conn *listener)
{
    (void)served_counts(context); /* fills in shares_port */
    return bit_of(context->served->shares_port, (size_t)(listener - context->snapshot->conns));
}

/*
 * True if the listener shares its port and this process cannot accept. Each of several listeners of one port has its
 * own acceptor, although the master has opened all of them and every worker has inherited all (nginx's reuseport). The
 * connections wait at the listener whose acceptor cannot accept.
 */
static bool is_stuck_among_others(const struct context *context, const struct conn *listener, uint32_t process)
{
    return port_is_shared(context, listener) &&
        obstacle_to_accept(&context->snapshot->processes[process]) != OBSTACLE_NONE;
}

/* --- the acceptors ---------------------------------------------------------------------------------------------- */

const struct process *acceptors_first(const struct context *context, const struct conn *listener)
{
    const struct snapshot *snapshot = context->snapshot;
    struct served *served = context->served;
    if (listener == NULL || listener->holder == NO_INDEX)
        return NULL;
    if (snapshot->holders[listener->holder].next == NO_INDEX)
        return snapshot_owner(snapshot, listener);
    if (served->listener == listener) /* callers ask for many connections of one listener in a row */
        return served->first;
    const struct process *best = NULL;
    unsigned best_rank = 0;
    for (const struct holder *h = holders_first(snapshot, listener); h != NULL; h = holders_next_process(snapshot, h)) {
        uint32_t process = h->process;
        unsigned rank = 2 * part_of(context, listener, process) + is_stuck_among_others(context, listener, process);
        if (best == NULL || rank > best_rank) {
            best = &snapshot->processes[process];
            best_rank = rank;
        }
    }
    served->listener = listener;
    served->first = best;
    return best;
}

struct found {
    struct process_count *items;
    enum part *parts;
    bool any_is_stuck; /* of those that serve, at a port that listeners share */
    size_t count, capacity;
};

static void add_holders(const struct context *context, const struct conn *listener, struct found *found)
{
    const struct snapshot *snapshot = context->snapshot;
    for (const struct holder *h = holders_first(snapshot, listener); h != NULL; h = holders_next_process(snapshot, h)) {
        uint32_t process = h->process;
        size_t i = 0;
        while (i < found->count && found->items[i].process != &snapshot->processes[process])
            i++;
        if (i < found->count)
            continue;
        if (found->count == found->capacity) {
            found->capacity = found->capacity != 0 ? found->capacity * 2 : 16;
            found->items = xrealloc_array(found->items, found->capacity, sizeof *found->items);
            found->parts = xrealloc_array(found->parts, found->capacity, sizeof *found->parts);
        }
        enum part part = part_of(context, listener, process);
        found->any_is_stuck |= part == PART_SERVER && is_stuck_among_others(context, listener, process);
        found->parts[found->count] = part;
        found->items[found->count++] = (struct process_count){ &snapshot->processes[process],
            served_counts(context)[process] };
    }
}

static void choose_best(struct arena *arena, const struct found *found, struct acceptors *acceptors)
{
    enum part best = PART_INHERITED;
    for (size_t i = 0; i < found->count; i++)
        best = found->parts[i] > best ? found->parts[i] : best;
    struct process_count *items = arena_alloc(arena, found->count * sizeof *items);
    bool can_accept = false;
    for (size_t i = 0; i < found->count; i++) {
        if (found->parts[i] == PART_MASTER && best == PART_SERVER && acceptors->master == NULL)
            acceptors->master = found->items[i].process;
        if (found->parts[i] != best)
            continue;
        if (found->any_is_stuck && obstacle_to_accept(found->items[i].process) == OBSTACLE_NONE)
            continue;
        items[acceptors->count++] = found->items[i];
        can_accept |= obstacle_to_accept(found->items[i].process) == OBSTACLE_NONE;
    }
    acceptors->items = items;
    acceptors->is_inherited = best == PART_INHERITED;
    acceptors->obstructed = !can_accept && !acceptors->is_inherited ? items[0].process : NULL;
}

struct acceptors acceptors_find(const struct context *context, struct arena *arena, const struct conn *listener)
{
    const struct snapshot *snapshot = context->snapshot;
    struct acceptors acceptors = { 0 };
    struct found found = { 0 };
    if (listener == NULL)
        return acceptors;
    add_holders(context, listener, &found);
    const size_t conn_count = port_is_shared(context, listener) ? snapshot->conn_count : 0;
    for (size_t i = 0; i < conn_count; i++) {
        const struct conn *other = &snapshot->conns[i];
        if (other != listener && shares_port(listener, other) && conn_has(other, CONN_QUEUES) &&
            other->recv_q_bytes > 0)
            add_holders(context, other, &found);
    }
    acceptors.holders = found.count;
    if (found.count > 0)
        choose_best(arena, &found, &acceptors);
    free(found.items);
    free(found.parts);
    return acceptors;
}
