#pragma once
/* Starts and ends a drill: its namespaces and its processes. */
#include "act/drill/drill.h"

struct drill_options {
    unsigned count; /* connections; 0: the drill's default */
    bool in_host;
    bool host_limits; /* the user allows that a limit of the whole host is lowered */
};

/* A drill that runs. */
struct drill_run {
    pid_t stage_pid, owner_pid, peer_pid;
    pid_t netns_pid;              /* a process in the drill's namespace; 0: the drill runs in the host's */
    uint16_t port;                /* of the service, or of the remote service that the client connects to */
    unsigned count;               /* connections that were made */
    bool userns;                  /* a user namespace was needed */
    struct host_limit host_limit; /* the lowered setting with its old value; fd -1: none */
    int control_fd;               /* closing it ends the drill */
    int life_fd;                  /* end of file when the last process of the drill has ended */
};

/*
 * Starts a drill and returns when the fault exists. Returns 0, or a negative errno with err filled and nothing left
 * behind: -EINVAL if an option does not fit the drill; -EPERM and others if namespaces, the packet filter or enough
 * descriptors are not available.
 */
int drill_start(
    const struct drill *drill, const struct drill_options *options, struct drill_run *ret_run, struct error *err);
/* Ends the drill. Its processes, sockets and namespaces are gone when this returns. */
void drill_stop(struct drill_run *run);
