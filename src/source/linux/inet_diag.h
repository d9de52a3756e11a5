#pragma once
/*
 * NETLINK_SOCK_DIAG's messages as connections: struct inet_diag_msg and its attributes (linux/inet_diag.h,
 * sock_diag(7)). Pure: bytes in, model out. The bytes may come from a newer kernel, or from anywhere.
 */
#include <stddef.h>

#include "model/conn.h"

/*
 * Fills *ret_conn (all of it but netns, with no holder) from one message's payload: struct inet_diag_msg and what
 * follows. Returns 0, or -EBADMSG where the bytes are none, with *ret_conn untouched. Attributes that are too short
 * or unknown are left out.
 */
int inet_diag_parse(const void *payload, size_t length, struct conn *ret_conn);
