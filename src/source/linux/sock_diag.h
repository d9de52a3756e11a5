#pragma once
/* Reads all TCP sockets of the calling thread's network namespace from NETLINK_SOCK_DIAG (sock_diag(7)). */
#include "model/snapshot.h"

/*
 * Appends the connections; their netns becomes `netns`. A socket that the kernel returned twice is stored once. Returns
 * 0; -ENOMEM if the array of connections cannot grow; or the kernel's error, such as -EPERM, -EACCES, or -ENOENT
 * without the module tcp_diag. On failure nothing is appended.
 */
int sock_diag_read(struct snapshot *snapshot, uint32_t netns);
