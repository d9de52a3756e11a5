/*
 * How many ephemeral ports are in use, and by what. Two addresses and two ports identify a connection. So the limit
 * holds for each (namespace, source, destination, destination port): __inet_hash_connect() in
 * net/ipv4/inet_hashtables.c. Every entry counts, also TIME_WAIT and FIN_WAIT_2 mini-sockets. connect() skips a port
 * that some socket listens on, or was bound to before it connected.
 *
 * One pass with a hash; nothing is allocated for a connection.
 */
#include "model/port_use.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { REUSE_LOOPBACK = 2, REUSE_DELAY_MS = 1000, TIME_WAIT_MS = 60000 };

struct port_range ports_range(
    const struct snapshot *snapshot, uint32_t netns, uint16_t first_assumed, uint16_t last_assumed)
{
    const struct net_values *values = netns < snapshot->netns_count ? &snapshot->net_values[netns] : NULL;
    int64_t first = setting_value(values, SETTING_PORT_RANGE_FIRST, first_assumed);
    int64_t last = setting_value(values, SETTING_PORT_RANGE_LAST, last_assumed);
    int64_t reserved = setting_value(values, SETTING_RESERVED_PORTS, 0);
    if (first < 1 || last > UINT16_MAX || first > last || reserved < 0 || reserved > last - first)
        return (struct port_range){ 0 };
    return (struct port_range){
        .first = (uint16_t)first,
        .last = (uint16_t)last,
        .reserved = (uint32_t)reserved,
        .usable = (uint32_t)(last - first + 1 - reserved),
        .is_assumed = values == NULL || !values->has_setting[SETTING_PORT_RANGE_FIRST],
    };
}

bool ports_can_recycle(const struct snapshot *snapshot, const struct conn *conn)
{
    /* tcp_twsk_unique() in net/ipv4/tcp_ipv4.c; only TIME_WAIT itself, never FIN_WAIT_2. */
    const struct net_values *values = snapshot_net_values(snapshot, conn);
    if (conn->state != STATE_TIME_WAIT || !conn_has(conn, CONN_TIMER) || conn->timer_ms > TIME_WAIT_MS)
        return false;
    int64_t reuse = setting_value(values, SETTING_TW_REUSE, REUSE_LOOPBACK);
    bool loopback = ip_is_loopback(&conn->local) || ip_is_loopback(&conn->remote);
    if (reuse == 0 || (reuse == REUSE_LOOPBACK && !loopback) || setting_value(values, SETTING_TIMESTAMPS, 1) == 0)
        return false;
    return TIME_WAIT_MS - conn->timer_ms >= setting_value(values, SETTING_TW_REUSE_DELAY, REUSE_DELAY_MS);
}

bool ports_is_bound(const struct conn *conn)
{
    return conn->state == STATE_BOUND || conn->state == STATE_LISTEN;
}

/* --- the hash --------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct port_use *use)
{
    uint64_t words[4];
    memcpy(words, use->local.bytes, 16);
    memcpy(words + 2, use->remote.bytes, 16);
    return hash_words((uint64_t)use->netns << 16 | use->remote_port, words, 4);
}

bool ports_same(const struct port_use *one, const struct port_use *other)
{
    return one->netns == other->netns && one->remote_port == other->remote_port &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote);
}

static struct port_use *use_of(struct port_table *table, const struct port_use *key)
{
    uint64_t hash = hash_of(key);
    struct hash_walk walk = hash_index_walk(&table->index, hash);
    for (uint32_t number; (number = hash_walk_next(&table->index, &walk)) != HASH_NONE;) {
        if (ports_same(&table->items[number], key))
            return &table->items[number];
    }
    xvec_grow((void **)&table->items, table->count, &table->capacity, sizeof *table->items);
    hash_index_add(&table->index, hash, (uint32_t)table->count);
    table->items[table->count] = *key;
    return &table->items[table->count++];
}

struct port_use ports_key(const struct conn *conn, bool any_destination)
{
    struct port_use key = { .local = conn->local, .netns = conn->netns };
    if (!any_destination) {
        key.remote = conn->remote;
        key.remote_port = conn->remote_port;
    }
    return key;
}

void port_table_add(
    struct port_table *table, const struct snapshot *snapshot, const struct conn *conn, bool any_destination)
{
    struct port_use key = ports_key(conn, any_destination);
    struct port_use *use = use_of(table, &key);
    if (use->connections == 0 || conn->local_port < use->lowest)
        use->lowest = conn->local_port;
    if (conn->local_port > use->highest)
        use->highest = conn->local_port;
    use->connections++;
    use->recyclable += !any_destination && ports_can_recycle(snapshot, conn);
}

void port_table_deinit(struct port_table *table)
{
    free(table->items);
    hash_index_deinit(&table->index);
    *table = (struct port_table){ 0 };
}

struct port_use ports_busiest(const struct snapshot *snapshot, const uint32_t *conns, size_t count)
{
    struct port_table table = { 0 };
    struct port_use busiest = { 0 };
    for (size_t i = 0; i < count; i++)
        port_table_add(&table, snapshot, &snapshot->conns[conns[i]], false);
    for (size_t i = 0; i < table.count; i++) {
        if (table.items[i].connections > busiest.connections)
            busiest = table.items[i];
    }
    port_table_deinit(&table);
    return busiest;
}

/* --- bound ports ------------------------------------------------------------------------------------------------ */

static bool bits_test(const struct port_bits *bits, uint16_t port)
{
    return (bits->words[port / 64] >> port % 64 & 1) != 0;
}

bool port_bits_set(struct port_bits *bits, uint16_t port)
{
    bool was = bits_test(bits, port);
    bits->words[port / 64] |= 1ULL << port % 64;
    return was;
}

void ports_count_bound(const struct snapshot *snapshot, const struct port_range *ranges, uint32_t *ret_bound)
{
    struct port_bits **bits = xcalloc(snapshot->netns_count + 1, sizeof *bits);
    memset(ret_bound, 0, snapshot->netns_count * sizeof *ret_bound);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (!ports_is_bound(conn) || conn->netns >= snapshot->netns_count ||
            !port_range_has(&ranges[conn->netns], conn->local_port))
            continue;
        if (bits[conn->netns] == NULL)
            bits[conn->netns] = xcalloc(1, sizeof **bits);
        ret_bound[conn->netns] += !port_bits_set(bits[conn->netns], conn->local_port);
    }
    for (size_t n = 0; n < snapshot->netns_count; n++) {
        ret_bound[n] = ret_bound[n] > ranges[n].reserved ? ret_bound[n] - ranges[n].reserved : 0;
        free(bits[n]);
    }
    free(bits);
}
