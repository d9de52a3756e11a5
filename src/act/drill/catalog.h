#pragma once
/*
 * Drills: faults that are made to happen, with real sockets and real processes, so that a person can learn what they
 * look like and test whether alarms ring.
 *
 * A drill runs in network namespaces of its own, in a user namespace too where the caller may not make them otherwise:
 * limits are set and packets are lost only there, and everything goes with its last process. The processes are
 *
 *   the caller                 prints, waits, ends the drill
 *   drill-stage                made the namespaces; ends with the caller, however that ends
 *   drill-… (the guilty one)   the service or client whose connections get stuck
 *   drill-peer                 the other ends; where the fault lies with a remote host, its sockets are in a second
 *                              namespace in which no process lives: like another host's, they are not seen from here
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "act/drill/host_limit.h"
#include "base/error.h"

struct role; /* act/drill/stage.h */

enum drill_place {
    DRILL_LOOPBACK, /* both ends on the loopback interface of one namespace, both seen */
    DRILL_LINE,     /* the peer behind a line (a pair of veth), out of sight */
};

/* One side of a drill: brings it about; what it does afterwards, every tick_ms. Both return 0 or a negative errno. */
struct drill_side {
    int (*play)(struct role *role, struct error *err);
    int (*tick)(struct role *role, struct error *err);
    unsigned tick_ms;
};

struct drill {
    const char *finding;
    const char *does;       /* one sentence */
    const char *impossible; /* why it cannot be made; NULL: it can */
    /* The setting that it lowers for the whole host, "net.ipv4.tcp_mem", and what that does to others. NULL: none. */
    const char *host_limit, *harm;
    const char *note;   /* what else there is to know, or NULL */
    const char *name;   /* of the service or client whose connections get stuck; 15 bytes at most */
    const char *helper; /* of the process that it started, where that one is guilty */
    /* With both ends in sight, in_host, another finding may be the right one: its id, or NULL for the same. */
    const char *in_host_finding;
    struct drill_side service, peer;
    enum drill_place place;
    unsigned count;   /* connections, unless the person says otherwise */
    unsigned most;    /* and at most */
    unsigned after_s; /* when tcpwhy has seen enough to report it */
    unsigned renew_s; /* the kernel ends such connections: the drill is made anew so often; 0: they stay */
    bool in_host;     /* harmless enough for the host's own loopback interface */
};

/* The drills, in the order of the catalogue of findings. */
const struct drill *drill_table(unsigned *ret_count);
/* NULL where there is none for that finding. */
const struct drill *drill_find(const char *finding);

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
