#pragma once
/*
 * Two ends may belong to one connection although their addresses do not match: something between the hosts translates
 * addresses (NAT, a proxy). Two ends may also match by chance, if several hosts have the same private address.
 */
#include "model/host.h"

/*
 * Whether `other`, which has the opposite addresses and ports, may be the other end of the connection. On one host it
 * always may. On two hosts it may not if several hosts have one of the addresses (loopback, a bridge's private
 * network), or if the snapshots are too far apart in time (hosts_are_apart()).
 */
bool hosts_may_pair(const struct snapshot *snapshot, const struct conn *conn, const struct conn *other);
/*
 * True if ends of connections between the two hosts cannot be matched, because of a NAT, a proxy, or the time between.
 */
bool hosts_hide_ends(const struct snapshot *snapshot, const struct host *one, const struct host *other);
/* Notes a gap for each two hosts that may have both ends of connections under different addresses. */
void hosts_note_hidden(struct snapshot *snapshot);
