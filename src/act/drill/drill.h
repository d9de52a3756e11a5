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
