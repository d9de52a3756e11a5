#pragma once
/* The two roles of a drill, and what they share: for those who play them (closing.c and its like). */
#include <netinet/in.h>

#include "act/drill/drill.h"

struct role {
    const struct drill *drill;
    unsigned count;
    bool is_peer;
    bool is_line; /* the peer's sockets are in a namespace of their own */
    bool in_host;
    int partner;                /* a socket pair to the other role */
    int here_netns;             /* descriptors of the namespaces; -1 in_host */
    int there_netns;            /* -1 unless is_line */
    struct in_addr here, there; /* addresses of the service's and the peer's side */
    uint16_t port;              /* network service under test, host order */
    pid_t owner_pid;            /* set where another process than the service is to blame */
    int listener;
    int *conns; /* count + some to spare */
    unsigned conn_count;
    const struct host_limit *host_limit; /* where the drill lowers one */
    unsigned calls;                      /* that a peer has made, where it makes many short ones */
};

/*
 * A number for the other role, and the next one from it (ret_number may be NULL); waits for 20 s at most. Both return 0
 * or a negative errno.
 */
int role_tell(const struct role *role, uint32_t number, struct error *err);
int role_hear(const struct role *role, uint32_t *ret_number, struct error *err);

/* A socket of the role's side. Returns a descriptor or a negative errno. */
int role_socket(const struct role *role, int domain, int type, int protocol, struct error *err);

/* From now on the line loses what comes to the peer, or what it sends. Returns 0 or a negative errno. */
enum role_loss { LOSE_TO_PEER, LOSE_FROM_PEER };
int role_lose(const struct role *role, enum role_loss loss, struct error *err);

/* Sets a limit of the service's namespace: "net/ipv4/tcp_max_tw_buckets". Never in the host's. 0 or negative errno. */
int role_set_limit(const struct role *role, const char *name, const char *value, struct error *err);

/* A child of the guilty process that dies with it. As fork(), with a name. */
pid_t role_fork(const char *name);

/* Declares one side of a drill; struct drill_side points to it. */
#define DECLARE_ROLE(name) int name(struct role *role, struct error *err)
