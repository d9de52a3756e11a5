#include "diagnose/acceptors.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "diagnose/obstacle.h"
#include "model/holders.h"

/*
 * How likely it is that a process which has the listener open is the one that accepts. The kernel does not say who
 * called accept() last; but who serves holds connections that came in through a listener, or waits in accept() on it.
 */
enum part {
    PART_INHERITED, /* a program that never accepts */
    PART_MANAGER,   /* keeps the sockets that it has passed on (socket activation) */
    PART_MASTER,    /* its children serve */
    PART_SERVER,
};

/* Programs of the system that start others or wait, and never call accept(). */
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

/* SO_REUSEPORT: the kernel spreads connections over the listeners of one end, and each fills by itself. */
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

/* --- what each holds -------------------------------------------------------------------------------------------- */

/* A look-up by its end finds one of several listeners: where that is another one, both share it. */
static void note_shared(const struct context *context, const struct conn *listener)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct conn *found = context_listener(context, listener);
    if (found == NULL || found == listener || !shares_port(found, listener))
        return;
    set_bit(context->served->shares_port, (size_t)(found - snapshot->conns));
    set_bit(context->served->shares_port, (size_t)(listener - snapshot->conns));
}

/* For each process, how many connections it holds that came in through a listener. One pass serves all listeners. */
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
            note_shared(context, conn);
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

/* Serves, or would if it could: it holds connections, waits for some, or is halted. */
static bool may_serve(const struct context *context, uint32_t process)
{
    const struct process *of = &context->snapshot->processes[process];
    return served_counts(context)[process] > 0 || waits_in(of, "accept") || waits_in(of, "ep") ||
        waits_in(of, "poll") || waits_in(of, "select") || obstacle_is_halt(obstacle_of(of));
}

/*
 * A process whose children have the listener open too, serve, and leave it nothing. A server that has forked helpers
 * has connections itself.
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

/*
 * Of several listeners of one end each has an acceptor of its own, although their master has opened them all and every
 * worker has inherited all of them (nginx's reuseport). Connections wait at the listener of the one that cannot accept;
 * the others empty theirs.
 */
static bool is_stuck_among_others(const struct context *context, const struct conn *listener, uint32_t process)
{
    (void)served_counts(context); /* fills it */
    return bit_of(context->served->shares_port, (size_t)(listener - context->snapshot->conns)) &&
        obstacle_to_accept(&context->snapshot->processes[process]) != OBSTACLE_NONE;
}

/* --- finding them ----------------------------------------------------------------------------------------------- */

const struct process *acceptors_first(const struct context *context, const struct conn *listener)
{
    const struct snapshot *snapshot = context->snapshot;
    struct served *served = context->served;
    if (listener == NULL || listener->holder == NO_INDEX)
        return NULL;
    if (snapshot->holders[listener->holder].next == NO_INDEX)
        return snapshot_owner(snapshot, listener);
    if (served->listener == listener) /* it is asked for one connection after the other of the same listener */
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

static void take_best(struct arena *arena, const struct found *found, struct acceptors *acceptors)
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
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *other = &snapshot->conns[i];
        if (other != listener && shares_port(listener, other) && conn_has(other, CONN_QUEUES) &&
            other->recv_q_bytes > 0)
            add_holders(context, other, &found);
    }
    acceptors.holders = found.count;
    if (found.count > 0)
        take_best(arena, &found, &acceptors);
    free(found.items);
    free(found.parts);
    return acceptors;
}
