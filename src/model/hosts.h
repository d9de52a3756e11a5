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
    uint64_t taken_at_ms;
    uint32_t elapsed_us, page_bytes;
};

enum { HOSTS_MOST = 64 };

/*
 * Makes one snapshot of `count` ones (2 to HOSTS_MOST), which become empty; *ret_joined is an initialised one. What they
 * know of earlier looks is left behind. files[i] names a host that does not say its name. Notes as gaps what hides that
 * connections are the same. Returns 0, or a negative errno with err filled: two of one host are not two hosts.
 */
int hosts_join(struct snapshot *parts, const char *const *files, size_t count, struct snapshot *ret_joined,
    struct error *err);

/* Notes as gaps where both ends of connections may be there without fitting together; in hosts_meet.c. 0 or -ENOMEM. */
int hosts_note_hidden(struct snapshot *snapshot);

/* The host of a connection; NULL where there is only one. */
const struct host *hosts_of_conn(const struct snapshot *snapshot, const struct conn *conn);
/*
 * Whether what stands at one place may be the other end of what stands at the other: on one host always; on two hosts
 * only where neither address is one that both have (loopback, a bridge's private network).
 */
bool hosts_may_meet(const struct snapshot *snapshot, const struct conn *one, const struct conn *other);
