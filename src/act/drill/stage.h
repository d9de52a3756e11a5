#pragma once
/* Sets the stage of a drill, the namespaces and processes, and clears it away. */
#include "act/drill/drill.h"

struct drill_options {
    unsigned count; /* 0: the drill's own */
    bool in_host;
    bool host_limits; /* the caller agrees that one of the whole host is lowered */
};

/* A drill that stands. */
struct drill_run {
    pid_t stage_pid, owner_pid, peer_pid;
    pid_t netns_pid;              /* a process in the namespace; 0 in the host's */
    uint16_t port;                /* of the service, or of the remote service that the guilty one connects to */
    unsigned count;               /* connections that were made */
    bool userns;                  /* a user namespace was needed */
    struct host_limit host_limit; /* that was lowered, and what it was before */
    int control_fd;               /* closing it ends the drill */
    int life_fd;                  /* end of file when the last process of the drill has gone */
};

/*
 * Makes the fault, and returns when it stands. Returns 0, or a negative errno with err filled and nothing left behind:
 * -EINVAL (the count), -EPERM and others (namespaces, packet filter, descriptors).
 */
int drill_start(
    const struct drill *drill, const struct drill_options *options, struct drill_run *ret_run, struct error *err);
/* Ends it: processes, sockets and namespaces are gone when this returns. */
void drill_stop(struct drill_run *run);
