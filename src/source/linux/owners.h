#pragma once
/* Sockets and the descriptors that refer to them, joined by inode. */
#include "model/snapshot.h"

/* Ties the connections to their holders, and drops the processes that have no TCP socket. Returns 0 or -ENOMEM. */
int owners_join(struct snapshot *snapshot);
