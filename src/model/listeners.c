#include "model/listeners.h"

#include <stdlib.h>

#include "base/memory.h"

static size_t slot_of(const struct listeners *listeners, const struct conn *conn)
{
    uint32_t hash = (uint32_t)conn->netns << 16 | conn->local_port;
    return (hash * 2654435761U >> 7) & listeners->mask; /* Knuth's multiplicative hash */
}

static void insert(struct listeners *listeners, uint32_t index)
{
    const struct conn *conns = listeners->snapshot->conns;
    const struct conn *conn = &conns[index];
    size_t slot = slot_of(listeners, conn);
    for (; listeners->slots[slot] != NO_INDEX; slot = (slot + 1) & listeners->mask) {
        const struct conn *other = &conns[listeners->slots[slot]];
        /*
         * One is enough of the many that share a port with SO_REUSEPORT: the one whose queue is longest, because it
         * is asked for when connections wait.
         */
        if (other->netns == conn->netns && other->local_port == conn->local_port &&
            ip_equal(&other->local, &conn->local)) {
            if (conn->recv_q_bytes > other->recv_q_bytes)
                listeners->slots[slot] = index;
            return;
        }
    }
    listeners->slots[slot] = index;
}

void listeners_init(struct listeners *listeners, const struct snapshot *snapshot)
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        count += conn_is_listener(&snapshot->conns[i]);
    size_t slots = 16;
    while (slots < count * 2)
        slots *= 2;

    *listeners = (struct listeners){ .snapshot = snapshot, .mask = slots - 1 };
    listeners->slots = xcalloc(slots, sizeof *listeners->slots);
    for (size_t i = 0; i < slots; i++)
        listeners->slots[i] = NO_INDEX;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (conn_is_listener(&snapshot->conns[i]))
            insert(listeners, (uint32_t)i);
    }
}

void listeners_deinit(struct listeners *listeners)
{
    free(listeners->slots);
    *listeners = (struct listeners){ 0 };
}

/* How well the listener fits, as in the kernel's compute_score() (net/ipv4/inet_hashtables.c); 0: not at all. */
static unsigned fitness(const struct conn *listener, const struct conn *conn)
{
    if (listener->netns != conn->netns || listener->local_port != conn->local_port)
        return 0;
    if (ip_equal(&listener->local, &conn->local))
        return 3;
    if (!ip_is_any(&listener->local) || (ip_is_v4(&listener->local) && !ip_is_v4(&conn->local)))
        return 0;
    return listener->ipv6 == conn->ipv6 ? 2 : 1;
}

const struct conn *listeners_find(const struct listeners *listeners, const struct conn *conn)
{
    const struct conn *best = NULL;
    unsigned best_fitness = 0;
    size_t slot = slot_of(listeners, conn);
    for (; listeners->slots[slot] != NO_INDEX; slot = (slot + 1) & listeners->mask) {
        const struct conn *listener = &listeners->snapshot->conns[listeners->slots[slot]];
        unsigned fits = fitness(listener, conn);
        if (fits > best_fitness) {
            best = listener;
            best_fitness = fits;
        }
    }
    return best;
}
