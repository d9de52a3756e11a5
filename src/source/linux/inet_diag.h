#pragma once
/*
 * Parses the messages of NETLINK_SOCK_DIAG: struct inet_diag_msg and its attributes (linux/inet_diag.h, sock_diag(7)).
 * Pure: bytes in, connection out. The bytes may come from a newer kernel, or from an untrusted source.
 */
#include <stddef.h>

#include "model/conn.h"

/*
 * Parses the payload of one message: struct inet_diag_msg and its attributes. Sets all of *ret_conn except netns;
 * holder is NO_INDEX. Returns 0, or -EBADMSG if the bytes are no such message; then *ret_conn is unchanged. Attributes
 * that are too short or unknown are ignored.
 */
int inet_diag_parse(const void *payload, size_t length, struct conn *ret_conn);
