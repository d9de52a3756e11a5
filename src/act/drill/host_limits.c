/*
 * Drills about limits of the whole host: the number of orphans and the memory of TCP. The new limits depend on what is
 * in use now, so that the drill reaches them whatever else the host does.
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
 * Makes orphans in FIN_WAIT_1 with data that the peer does not read. They use four fifths of what the new limit leaves
 * free. With more, the kernel could end many of them at once: it compares the limit with a stored count, which a timer
 * updates every 100 ms (tcp_orphan_update()).
 */
int service_makes_orphans(struct role *role, struct error *err)
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

/*
 * Fills the send buffers. Then sets the memory limits of TCP: the pressure begins at three quarters of the memory in
 * use, and the limit is at five quarters.
 */
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

/* The kernel checks its limits only when a socket is closed or data is queued. So this does both, on one connection. */
int service_serves_one_more_tick(struct role *role, struct error *err)
{
    int conn;
    struct role once = *role;
    once.conns = &conn;
    once.conn_count = 0;
    once.count = 1;
    TRY(accept_and_read(&once, err));
    (void)wire_write_until_full(&once, NULL); /* it fails if the kernel has reset the connection */
    wire_close_all(&once);
    return 0;
}

/* Makes a new connection and closes the last but one. That sends a reset, which ends the service's orphan. */
int peer_requests_once_more_tick(struct role *role, struct error *err)
{
    enum { SLOTS = 2 };
    unsigned slot = role->count + role->short_conns % SLOTS;
    struct role once = *role;
    once.conns = &role->conns[slot];
    once.count = 1;
    if (role->short_conns++ >= SLOTS) {
        once.conn_count = 1;
        wire_close_all(&once);
    }
    once.conn_count = 0;
    TRY(wire_connect_all(&once, 1, WIRE_SMALL_BUFFER, err));
    return wire_send_request(&once, err);
}
