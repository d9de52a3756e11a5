#pragma once
/*
 * All TCP sockets of the network namespace that the calling thread is in, from /proc/net/tcp and tcp6: for where
 * netlink is refused. Less is known of each: no ages, no windows, no cookie (proc_net_tcp.rst).
 */
#include "model/snapshot.h"

/* Appends the connections, marked as of namespace `netns`. Returns 0 or a negative errno. */
int net_tcp_read(struct snapshot *snapshot, uint32_t netns);
