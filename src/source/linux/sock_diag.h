#pragma once
/* All TCP sockets of the network namespace that the calling thread is in, from NETLINK_SOCK_DIAG (sock_diag(7)). */
#include "model/snapshot.h"

/*
 * Appends the connections, marked as of namespace `netns`; a socket that was seen twice because it moved meanwhile is
 * kept once. Returns 0; -ENOMEM; or the kernel's refusal (-EPERM, -EACCES, -ENOENT without tcp_diag, …), in which
 * case nothing was appended.
 */
int sock_diag_read(struct snapshot *snapshot, uint32_t netns);
