#pragma once
/* Small snapshots built by hand, for tests of functions that use a snapshot. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "model/diagnosis.h"
#include "model/snapshot.h"

enum { HOST_CONNS_MAX = 64 };

struct host {
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    uint8_t causes[HOST_CONNS_MAX];
};

static const char *const host_causes[] = { "normal", "close-wait-leak", "last-ack-unanswered" };

static inline void host_init(struct host *host)
{
    memset(host, 0, sizeof *host);
    snapshot_init(&host->snapshot);
    host->snapshot.host_name = "web-3";
    host->snapshot.os = "linux";
    host->snapshot.kernel = "6.18.44";
    host->snapshot.source = "test";
    host->snapshot.taken_at_ms = 1769860991123; /* 2026-01-31T12:03:11.123Z */
    host->snapshot.elapsed_us = 12300;
    host->diagnosis.snapshot = &host->snapshot;
    host->diagnosis.causes = host->causes;
    host->diagnosis.cause_ids = host_causes;
}

static inline void host_deinit(struct host *host)
{
    snapshot_deinit(&host->snapshot);
}

static inline uint32_t host_netns(struct host *host, const char *name, uint64_t inode, bool own)
{
    struct netns *netns = snapshot_add_netns(&host->snapshot);
    *netns = (struct netns){ .name = name, .inode = inode, .is_own = own };
    return (uint32_t)(host->snapshot.netns_count - 1);
}

static inline uint32_t host_process(struct host *host, uint32_t pid, const char *name)
{
    struct process *process = snapshot_add_process(&host->snapshot);
    process->pid = pid;
    process->name = name;
    process->user = "www";
    process->netns = NO_INDEX;
    process->cgroup = NO_INDEX;
    return (uint32_t)(host->snapshot.process_count - 1);
}

static inline struct ip host_ip(const char *text)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1)
        return ip_from_v4(bytes);
    assert_int_equal(inet_pton(AF_INET6, text, bytes), 1);
    return ip_from_v6(bytes);
}

/* Adds a connection. The pointer is valid until the next call. */
static inline struct conn *host_conn(struct host *host, enum conn_state state, const char *local, uint16_t local_port,
    const char *remote, uint16_t remote_port)
{
    assert_true(host->snapshot.conn_count < HOST_CONNS_MAX);
    struct conn *conn = snapshot_add_conn(&host->snapshot);
    conn->state = (uint8_t)state;
    conn->local = host_ip(local);
    conn->local_port = local_port;
    conn->remote = host_ip(remote);
    conn->remote_port = remote_port;
    conn->ipv6 = !ip_is_v4(&conn->local);
    return conn;
}

/* Adds a holder of the connection after its other holders. */
static inline void host_hold(struct host *host, struct conn *conn, uint32_t process, uint32_t fd)
{
    struct holder *holder = snapshot_add_holder(&host->snapshot);
    *holder = (struct holder){ .process = process, .fd = fd, .next = NO_INDEX };
    uint32_t added = (uint32_t)(host->snapshot.holder_count - 1);
    uint32_t *end = &conn->holder;
    while (*end != NO_INDEX)
        end = &host->snapshot.holders[*end].next;
    *end = added;
}

/* Makes it a CLOSE_WAIT whose peer sent its FIN `ms` ago. */
static inline void host_idle_for(struct conn *conn, uint32_t ms)
{
    conn->present |= CONN_QUEUES | CONN_TIMER | CONN_TCP_INFO | CONN_INODE;
    conn->last_ack_recv_ms = conn->last_data_recv_ms = conn->last_data_sent_ms = ms;
}

/* Stores what a function writes into a FILE. The caller frees it. */
#define HOST_WRITTEN(text, call)                                                                                       \
    do {                                                                                                               \
        size_t written_size_;                                                                                          \
        FILE *out = open_memstream(&(text), &written_size_);                                                           \
        assert_non_null(out);                                                                                          \
        assert_int_equal((call), 0);                                                                                   \
        fclose(out);                                                                                                   \
    } while (0)
