/*
 * Drills about limits that are reached: TIME_WAIT buckets, local ports, descriptors. They lower only limits of the
 * drill's own namespace and processes.
 */
#include "act/drill/limits.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/drill/wire.h"

enum {
    SERVICE_BACKLOG = 128,
    CONNS_PER_TICK = 5, /* of peer_connects_steadily_tick() */
};

/* --- TIME_WAIT ---------------------------------------------------------------------------------------------------- */

/* Accepts the next connection and closes it before the client does. */
static int close_next(const struct role *role)
{
    int fd = accept4(role->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

/*
 * Makes `times` connections; each waits for the end of the stream and closes after the service. Each has another local
 * port. A new connection from a port whose last connection is in TIME_WAIT at the service would end that TIME_WAIT
 * (TCP_TW_SYN, tcp_timewait_state_process()).
 */
static int connect_and_wait(struct role *role, unsigned times, struct error *err)
{
    enum { FIRST_PORT = 10000, PORTS = 50000 };
    const struct sockaddr_in service = { .sin_family = AF_INET, .sin_port = htons(role->port), .sin_addr = role->here };
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr = role->there };
    for (unsigned i = 0; i < times; i++) {
        int fd = role_socket(role, AF_INET, SOCK_STREAM, 0, err);
        if (fd < 0)
            return fd;
        char byte;
        own.sin_port = htons((uint16_t)(FIRST_PORT + role->short_conns++ % PORTS));
        bool done = bind(fd, (const struct sockaddr *)&own, sizeof own) == 0 &&
            connect(fd, (const struct sockaddr *)&service, sizeof service) == 0 && recv(fd, &byte, 1, 0) == 0;
        int error = errno;
        close(fd);
        if (!done)
            return error_set(err, -error, "connect", "%s", strerror(error));
    }
    return 0;
}

static int close_each(struct role *role, unsigned times, struct error *err)
{
    TRY(wire_serve(role, SERVICE_BACKLOG, err));
    for (unsigned i = 0; i < times; i++) {
        int result = close_next(role);
        if (result < 0)
            return error_set(err, result, "accept", "%s", strerror(-result));
    }
    TRY(role_receive(role, NULL, err));
    role->conn_count = role->count;
    return 0;
}

int service_closes_each(struct role *role, struct error *err)
{
    /*
     * If the service's FIN arrives twice, the closed peer answers with a RST. It would end the TIME_WAIT, unless this
     * setting is 1: tcp_timewait_state_process().
     */
    TRY(role_set_limit(role, "net/ipv4/tcp_rfc1337", "1", err));
    return close_each(role, role->count, err);
}

int service_closes_each_tick(struct role *role, struct error *err)
{
    (void)err;
    return close_next(role);
}

int service_closes_each_limited(struct role *role, struct error *err)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%u", role->count);
    TRY(role_set_limit(role, "net/ipv4/tcp_max_tw_buckets", limit, err));
    return close_each(role, 2 * role->count, err);
}

int peer_connects_in_bursts(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(connect_and_wait(role, role->count, err));
    return role_send(role, 0, err);
}

int peer_connects_in_bursts_tick(struct role *role, struct error *err)
{
    return connect_and_wait(role, role->count, err);
}

int peer_connects_steadily(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(connect_and_wait(role, 2 * role->count, err));
    return role_send(role, 0, err);
}

int peer_connects_steadily_tick(struct role *role, struct error *err)
{
    return connect_and_wait(role, CONNS_PER_TICK, err);
}

/* --- local ports -------------------------------------------------------------------------------------------------- */

int client_out_of_ports(struct role *role, struct error *err)
{
    enum { FIRST_PORT = 40000 };
    char range[32];
    snprintf(range, sizeof range, "%u %u", (unsigned)FIRST_PORT, FIRST_PORT + role->count - 1);
    TRY(role_set_limit(role, "net/ipv4/ip_local_port_range", range, err));
    TRY(wire_find_service(role, err));
    return wire_connect_all(role, role->count, 0, err);
}

/* Tries again, and fails with EADDRNOTAVAIL, as programs do that ignore this error. */
int client_out_of_ports_tick(struct role *role, struct error *err)
{
    (void)err;
    int fd = wire_connect_begin(role, NULL);
    if (fd >= 0)
        close(fd);
    return 0;
}

int peer_accepts(struct role *role, struct error *err)
{
    TRY(wire_serve(role, SERVICE_BACKLOG, err));
    return wire_accept_all(role, err);
}

/* --- descriptors -------------------------------------------------------------------------------------------------- */

/* Accepts until no descriptor is left (EMFILE). role->count is the limit of descriptors. */
int service_out_of_descriptors(struct role *role, struct error *err)
{
    TRY(wire_serve(role, SERVICE_BACKLOG, err));
    const struct rlimit limit = { .rlim_cur = role->count, .rlim_max = role->count };
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return error_set(err, -errno, "setrlimit", "%s", strerror(errno));
    int fd;
    while ((fd = accept4(role->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        role->conns[role->conn_count++] = fd;
    return errno == EMFILE ? 0 : error_set(err, -errno, "accept", "%s", strerror(errno));
}

int service_out_of_descriptors_tick(struct role *role, struct error *err)
{
    (void)err;
    int fd = accept4(role->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return 0;
}

int peer_keeps_connections(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    return wire_connect_all(role, role->count, 0, err);
}
