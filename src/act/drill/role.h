#pragma once
/* The two roles of a drill, and the functions that both use. */
#include <netinet/in.h>

#include "act/drill/drill.h"

struct role {
    const struct drill *drill;
    unsigned count; /* connections to make */
    bool is_peer;
    bool is_line; /* the peer's sockets are in a second namespace */
    bool in_host;
    int partner;                /* the socket to the other role */
    int here_netns;             /* descriptor of the first namespace; -1: in_host */
    int there_netns;            /* descriptor of the second namespace; -1 unless is_line */
    struct in_addr here, there; /* addresses of the service's side and of the peer's side */
    uint16_t port;              /* of the service, in host byte order */
    pid_t owner_pid;            /* the process that holds the stuck connections; 0: the service itself */
    int listener;
    int *conns; /* descriptors; there is room for more than 2 * count */
    unsigned conn_count;
    const struct host_limit *host_limit; /* the setting that the drill lowers, or NULL */
    unsigned short_conns;                /* short connections that a peer has made so far */
};

/*
 * Send a number to the other role, and wait up to 20 s for one from it (ret_number may be NULL). The roles keep in step
 * with them. Both return 0 or a negative errno.
 */
int role_send(const struct role *role, uint32_t number, struct error *err);
int role_receive(const struct role *role, uint32_t *ret_number, struct error *err);

/* Creates a socket in the namespace of the role. Returns a descriptor or a negative errno. */
int role_socket(const struct role *role, int domain, int type, int protocol, struct error *err);

/* From now on, drops all packets to the peer, or all packets from it. Returns 0 or a negative errno. */
enum role_direction { DROP_TO_PEER, DROP_FROM_PEER };
int role_drop_packets(const struct role *role, enum role_direction direction, struct error *err);

/*
 * Sets a sysctl of the drill's namespace, such as "net/ipv4/tcp_max_tw_buckets". Fails with -EPERM in_host. Returns 0
 * or a negative errno.
 */
int role_set_limit(const struct role *role, const char *name, const char *value, struct error *err);

/* As fork(), but the child has a name and ends with its parent. */
pid_t role_fork(const char *name);

/* Declares one side of a drill, for struct drill_side. */
#define DECLARE_ROLE(name) int name(struct role *role, struct error *err)
