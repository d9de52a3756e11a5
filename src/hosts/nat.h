#pragma once
/*
 * Ends that belong together and do not look so: addresses that several hosts have, or that are translated in between.
 */
#include "model/host.h"

/*
 * Whether `other`, at the address that the connection goes to, may be its other end: on one host always; on two only
 * where neither of the connection's addresses is one that several have (loopback, a bridge's private network), and the
 * hosts were looked at at about the same time.
 */
bool hosts_may_meet(const struct snapshot *snapshot, const struct conn *conn, const struct conn *other);
/* Ends of the hosts' connections hide from each other, by what lies between the hosts or between the looks at them. */
bool hosts_hide_ends(const struct snapshot *snapshot, const struct host *one, const struct host *other);
/* Notes as gaps where both ends of connections may be there without fitting together. */
void hosts_note_hidden(struct snapshot *snapshot);
