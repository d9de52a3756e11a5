/*
 * Drills of what the whole host has but once: the number of orphans and the memory of TCP. The limits are set by what
 * is in use, so that the drill reaches them whatever else the host does.
 */
#include "act/drill/host_limits.h"

#include <stdio.h>

#include "act/drill/host_limit.h"
#include "act/drill/wire.h"

static int accept_and_read(struct role *role, struct error *err)
{
    TRY(wire_accept_all(role, err));
    return wire_read_request(role, err);
}

/*
 * Orphans in FIN_WAIT_1, with data that the peer does not take: four fifths of what the limit then allows. No more, or
 * the kernel would end them, many at once: it compares with a count that is up to 100 ms old (tcp_orphan_update()).
 */
int service_fills_orphans(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    TRY(accept_and_read(role, err));
    TRY(wire_write_until_full(role, err));
    char limit[32];
    snprintf(limit, sizeof limit, "%lu", host_tcp_count("orphan ") + role->count * 5UL / 4);
    TRY(host_limit_set(role->host_limit, limit, err));
    wire_close_all(role);
    return 0;
}

/* Full send buffers; three quarters of what they take is where the pressure begins, five quarters are the limit. */
int service_fills_memory(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    TRY(accept_and_read(role, err));
    TRY(wire_write_until_full(role, err));
    unsigned long pages = host_tcp_count("mem ");
    char limits[96];
    snprintf(limits, sizeof limits, "%lu %lu %lu", pages / 2, pages * 3 / 4, pages * 5 / 4);
    return host_limit_set(role->host_limit, limits, err);
}

/* The kernel compares when something is closed or queued: once more the same, with one connection. */
int service_serves_one_more_tick(struct role *role, struct error *err)
{
    int conn;
    struct role once = *role;
    once.conns = &conn;
    once.conn_count = 0;
    once.count = 1;
    TRY(accept_and_read(&once, err));
    (void)wire_write_until_full(&once, NULL); /* the kernel may have reset it by now */
    wire_close_all(&once);
    return 0;
}

/* The one before the last goes, and its reset ends what the service may still have of it. */
int peer_asks_once_more_tick(struct role *role, struct error *err)
{
    enum { KEPT = 2 };
    unsigned slot = role->count + role->calls % KEPT;
    struct role once = *role;
    once.conns = &role->conns[slot];
    once.count = 1;
    if (role->calls++ >= KEPT) {
        once.conn_count = 1;
        wire_close_all(&once);
    }
    once.conn_count = 0;
    TRY(wire_connect_all(&once, 1, WIRE_SMALL_BUFFER, err));
    return wire_send_request(&once, err);
}
