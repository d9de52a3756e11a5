#pragma once
/*
 * Drills cause faults with real sockets and real processes. A user can learn how a fault looks, and test whether an
 * alarm works.
 *
 * A drill runs in network namespaces of its own. If the caller may not create them, it also has a user namespace.
 * Limits are set and packets are dropped only there, and the namespaces end with their last process. The processes are
 *
 *   the caller           prints, waits, and ends the drill
 *   drill-stage          creates the namespaces; ends with the caller, however the caller ends
 *   drill-… (the owner)  the service or client whose connections get stuck
 *   drill-peer           has the remote ends; if the fault lies with a remote host, its sockets are in a second
 *                        namespace that no process is in, so tcpwhy cannot see them, like those of another host
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "act/drill/host_limit.h"
#include "base/error.h"

struct role; /* act/drill/role.h */

enum drill_place {
    DRILL_LOOPBACK, /* both ends are on the loopback interface of one namespace; tcpwhy sees both */
    DRILL_LINE,     /* the peer is at the other end of a veth pair; tcpwhy does not see it */
};

/* One side of a drill. Both functions return 0 or a negative errno. */
struct drill_side {
    int (*play)(struct role *role, struct error *err); /* causes the fault; NULL: this side does nothing */
    int (*tick)(struct role *role, struct error *err); /* is called after that, every tick_ms; NULL: none */
    unsigned tick_ms;
};

struct drill {
    const char *finding;    /* id of the finding that the drill leads to */
    const char *does;       /* one sentence for the user */
    const char *impossible; /* why this drill cannot be run; NULL: it can */
    /* The setting of the whole host that it lowers ("net.ipv4.tcp_mem"), and the harm to other programs; or NULL. */
    const char *host_limit, *harm;
    const char *note;   /* what else the user should know, or NULL */
    const char *name;   /* of the service or client whose connections get stuck; 15 bytes at most */
    const char *helper; /* of the child process that holds the connections, or NULL */
    /*
     * Root sees both ends. So from `seen_after_s` on, the finding may be about the other end, drill-peer, which then
     * has to act: the id of that finding, or NULL.
     */
    const char *seen_finding;
    unsigned seen_after_s;
    struct drill_side service, peer;
    enum drill_place place;
    unsigned count;     /* connections, unless the user gives a number */
    unsigned count_max; /* the largest number that the user may give */
    unsigned after_s;   /* after this time tcpwhy reports the finding */
    unsigned renew_s;   /* the drill starts again after this time, before the kernel ends the connections; 0: never */
    bool unheld;        /* the finding is about what no process holds: --pid does not select it */
    bool in_host;       /* it may run on the host's own loopback interface (--in-host) */
};
