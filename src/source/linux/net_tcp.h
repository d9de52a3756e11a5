#pragma once
/*
 * Reads all TCP sockets of the calling thread's network namespace from /proc/net/tcp and tcp6. It is used where netlink
 * is refused. These files lack the ages, the windows and the cookie of a connection (proc_net_tcp.rst).
 */
#include "model/snapshot.h"

/* Appends the connections; their netns becomes `netns`. Returns 0 or a negative errno. */
int net_tcp_read(struct snapshot *snapshot, uint32_t netns);
