#include "hosts/local_addresses.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/host.h"

static int compare_own(const void *a, const void *b)
{
    const struct local_address *one = a, *other = b;
    int order = memcmp(&one->address, &other->address, sizeof one->address);
    return order != 0 ? order : (one->host > other->host) - (one->host < other->host);
}

/* Sorts the items and removes duplicates. */
static void tidy(struct local_addresses *own)
{
    size_t kept = 0;
    if (own->count > 0)
        qsort(own->items, own->count, sizeof *own->items, compare_own);
    for (size_t i = 0; i < own->count; i++) {
        if (kept == 0 || compare_own(&own->items[kept - 1], &own->items[i]) != 0)
            own->items[kept++] = own->items[i];
    }
    own->count = kept;
}

static void fill(struct local_addresses *own, const struct snapshot *snapshot, bool by_netns)
{
    *own = (struct local_addresses){ 0 };
    enum { TIDY_AT = 4096 };
    size_t tidy_at = TIDY_AT;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        struct local_address one = { .address = conn->local,
            .host = by_netns ? conn->netns : hosts_number(snapshot, conn) };
        if (ip_is_any(&conn->local) || ip_is_loopback(&conn->local) || ip_is_redacted(&conn->local) ||
            (own->count > 0 && compare_own(&own->items[own->count - 1], &one) == 0))
            continue;
        xvec_grow((void **)&own->items, own->count, &own->capacity, sizeof *own->items);
        own->items[own->count++] = one;
        if (own->count == tidy_at) { /* many connections have few addresses: this keeps the array small */
            tidy(own);
            tidy_at = own->count * 2 + TIDY_AT;
        }
    }
    tidy(own);
}

void local_addresses_init(struct local_addresses *own, const struct snapshot *snapshot)
{
    fill(own, snapshot, false);
}

void local_addresses_init_by_netns(struct local_addresses *own, const struct snapshot *snapshot)
{
    fill(own, snapshot, true);
}

void local_addresses_deinit(struct local_addresses *own)
{
    free(own->items);
    *own = (struct local_addresses){ 0 };
}

uint32_t local_addresses_host(const struct local_addresses *own, const struct ip *address)
{
    if (ip_is_any(address) || ip_is_loopback(address))
        return LOCAL_TO_SEVERAL;
    size_t first = 0, end = own->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (memcmp(&own->items[middle].address, address, sizeof *address) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    if (first == own->count || !ip_equal(&own->items[first].address, address))
        return LOCAL_TO_NOBODY;
    bool shared = first + 1 < own->count && ip_equal(&own->items[first + 1].address, address);
    return shared ? LOCAL_TO_SEVERAL : own->items[first].host;
}
