#pragma once
/* Adds the gaps of a Linux host. Each function adds a gap only if something could not be read. */
#include "source/linux/proc_walk.h"

/*
 * True if a descriptor must refer to the socket (it has an inode), but no holder was found. False for sockets that may
 * have been opened after the walk over the processes: those in SYN_SENT, and those that have sent and received within
 * the last two seconds.
 */
bool gaps_is_unowned(const struct conn *conn);

/* `why` is a negative errno; `example` is the name of one of the `refused` network namespaces. */
void gaps_add_netns(struct snapshot *snapshot, unsigned refused, const char *example, int why);
void gaps_add_owners(struct snapshot *snapshot, const struct walk_hidden *hidden);
void gaps_add_counters(struct snapshot *snapshot, unsigned unread, int why);
/*
 * /proc/net/tcp was read, which lacks ages and windows. `netlink_refusal` is the negative errno of netlink, or 0 if
 * the user asked for /proc/net/tcp.
 */
void gaps_add_proc(struct snapshot *snapshot, int netlink_refusal);
