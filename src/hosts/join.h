#pragma once
/*
 * Joins the snapshots of several hosts, so that connections are seen from both ends. Each namespace, process and
 * control group then refers to its host. snapshot.hosts describes the hosts.
 */
#include "base/error.h"
#include "model/host.h"

/*
 * Moves `count` snapshots (2 to HOSTS_MAX) into *ret_joined, which the caller has initialised. The parts become empty.
 * A part may be of several hosts itself. The tables contain the hosts one after the other, in the order of
 * snapshot.hosts. Links to previous snapshots are dropped. files[i] names a host whose snapshot has no host name; files
 * is NULL if all parts are from one file. Notes gaps where the two ends of a connection cannot be matched. Returns 0,
 * or a negative errno with err filled; two snapshots of the same host are an error.
 */
int hosts_join(
    struct snapshot *parts, const char *const *files, size_t count, struct snapshot *ret_joined, struct error *err);
