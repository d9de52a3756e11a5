#pragma once
/*
 * Several hosts in one snapshot: connections seen from both of their ends. Each namespace, process and control group then
 * says whose it is, and what is known of each host stands in snapshot.hosts.
 */
#include "base/error.h"
#include "model/snapshot.h"

/* What a snapshot says of the one host that it is of. */
struct host {
    const char *name;
    const char *os, *kernel, *source;
    const char *from; /* the file that it was read from; NULL: none */
    uint64_t taken_at_ms;
    uint32_t elapsed_us, page_bytes;
    bool is_partial; /* connections of it were not seen, or not read */
    bool redacted;
};

enum { HOSTS_MOST = 64 };

/*
 * Makes one snapshot of `count` ones (2 to HOSTS_MOST), which become empty; *ret_joined is an initialised one. Each may be
 * of several hosts itself. In the tables the hosts stand one after the other, in the order of snapshot.hosts. What they
 * know of earlier looks is left behind. files[i] names a host that does not say its name; files is NULL where all are from
 * one file. Notes as gaps what hides that connections are the same. Returns 0, or a negative errno with err filled: two
 * of one host are not two hosts.
 */
int hosts_join(
    struct snapshot *parts, const char *const *files, size_t count, struct snapshot *ret_joined, struct error *err);

/* How many hosts there are, at least one, and each: NULL stands for the only one. */
static inline size_t hosts_count(const struct snapshot *snapshot)
{
    return snapshot->host_count > 0 ? snapshot->host_count : 1;
}

static inline const struct host *hosts_at(const struct snapshot *snapshot, size_t index)
{
    return snapshot->host_count > 0 ? &snapshot->hosts[index] : NULL;
}

/* By how much the looks at two hosts are apart, by each one's own clock. */
static inline uint64_t hosts_apart_ms(const struct host *one, const struct host *other)
{
    return one->taken_at_ms > other->taken_at_ms ? one->taken_at_ms - other->taken_at_ms
                                                 : other->taken_at_ms - one->taken_at_ms;
}

/* Too long for an end that one shows to be that of a connection which the other shows; or nobody knows how long. */
bool hosts_are_apart(const struct host *one, const struct host *other);

/* The host of a connection; NULL where there is only one. */
const struct host *hosts_of_conn(const struct snapshot *snapshot, const struct conn *conn);
/* Its index into snapshot.hosts, where there are several. */
static inline uint32_t hosts_number(const struct snapshot *snapshot, const struct conn *conn)
{
    return (uint32_t)(hosts_of_conn(snapshot, conn) - snapshot->hosts);
}

/*
 * Whether `other`, at the address that the connection goes to, may be its other end: on one host always; on two only
 * where neither of the connection's addresses is one that several have (loopback, a bridge's private network), and the
 * hosts were looked at at about the same time.
 */
bool hosts_may_meet(const struct snapshot *snapshot, const struct conn *conn, const struct conn *other);
/* Ends of the hosts' connections hide from each other, by what lies between the hosts or between the looks at them. */
bool hosts_hide_ends(const struct snapshot *snapshot, const struct host *one, const struct host *other);
/* " on web-3", or "" where there is only one host. In the arena. */
const char *hosts_words_on(const struct host *host, struct arena *arena);
