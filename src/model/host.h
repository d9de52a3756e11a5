#pragma once
/*
 * The hosts of a snapshot. If there are several, snapshot.hosts describes them, and each namespace, process and control
 * group refers to its host. If there is only one, these pointers are NULL.
 */
#include "model/snapshot.h"

/* What a snapshot says about one host. */
struct host {
    const char *name;
    const char *os, *kernel, *source;
    const char *from; /* the file that it was read from; NULL: none */
    uint64_t taken_at_ms;
    uint32_t elapsed_us, page_bytes;
    /* One bit for each other host: a NAT or a proxy between hides which ends belong to one connection. */
    uint64_t ends_hidden;
    bool is_partial; /* some of its connections were not seen, or not read */
    bool redacted;
};

enum { HOSTS_MAX = 64 }; /* bits of ends_hidden */

/* How many hosts there are; at least one. */
static inline size_t hosts_count(const struct snapshot *snapshot)
{
    return snapshot->host_count > 0 ? snapshot->host_count : 1;
}

/* A host by its index. NULL stands for the only host. */
static inline const struct host *hosts_at(const struct snapshot *snapshot, size_t index)
{
    return snapshot->host_count > 0 ? &snapshot->hosts[index] : NULL;
}

/* The time between the snapshots of two hosts. Each time is from the host's own clock. */
static inline uint64_t hosts_clock_skew_ms(const struct host *one, const struct host *other)
{
    return one->taken_at_ms > other->taken_at_ms ? one->taken_at_ms - other->taken_at_ms
                                                 : other->taken_at_ms - one->taken_at_ms;
}

/* The host of a connection; NULL if there is only one. */
const struct host *hosts_of_conn(const struct snapshot *snapshot, const struct conn *conn);
/* The index of a connection's host in snapshot.hosts. Only for snapshots of several hosts. */
static inline uint32_t hosts_number(const struct snapshot *snapshot, const struct conn *conn)
{
    return (uint32_t)(hosts_of_conn(snapshot, conn) - snapshot->hosts);
}

/* Returns " on web-3", or "" if there is only one host. The arena owns the text. */
const char *hosts_words_on(const struct host *host, struct arena *arena);
