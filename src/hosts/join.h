#pragma once
/*
 * Several hosts in one snapshot: connections seen from both of their ends. Each namespace, process and control group
 * then says whose it is, and what is known of each host stands in snapshot.hosts.
 */
#include "base/error.h"
#include "model/host.h"

/*
 * Makes one snapshot of `count` ones (2 to HOSTS_MAX), which become empty; *ret_joined is an initialised one. Each may
 * be of several hosts itself. In the tables the hosts stand one after the other, in the order of snapshot.hosts. What
 * they know of earlier looks is left behind. files[i] names a host that does not say its name; files is NULL where all
 * are from one file. Notes as gaps what hides that connections are the same. Returns 0, or a negative errno with err
 * filled: two of one host are not two hosts.
 */
int hosts_join(
    struct snapshot *parts, const char *const *files, size_t count, struct snapshot *ret_joined, struct error *err);
