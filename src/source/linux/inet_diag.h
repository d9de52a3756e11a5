#pragma once
/*
 * NETLINK_SOCK_DIAG's messages as connections: struct inet_diag_msg and its attributes (linux/inet_diag.h,
 * sock_diag(7)). Pure: bytes in, model out. The bytes may come from a newer kernel, or from anywhere.
 */
#include <stddef.h>

#include "model/conn.h"

/* A bound socket that neither listens nor connects: TCP_BOUND_INACTIVE in include/net/tcp_states.h, Linux 6.8 */
enum { KERNEL_STATE_BOUND = 13 };

/* enum tcp_state of net/tcp_states.h as ours; STATE_UNKNOWN for a number that is none. */
enum conn_state inet_diag_state(unsigned kernel_state);
/* The states of STATE_BIT()s as the kernel's mask for a dump. */
uint32_t inet_diag_mask(uint32_t states);

/*
 * Fills *ret_conn (all of it but netns, with no holder) from one message's payload: struct inet_diag_msg and what
 * follows. Returns 0, or -EBADMSG where the bytes are none, with *ret_conn untouched. Attributes that are too short
 * or unknown are left out.
 */
int inet_diag_parse(const void *payload, size_t length, struct conn *ret_conn);
