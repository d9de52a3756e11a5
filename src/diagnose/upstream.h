#pragma once
/* Whether the process of a finding waits for a server that is further on, as a proxy does. See upstream.c. */
#include "diagnose/rule.h"

/* What is known of a connection to a server on which the server may owe an answer; the stronger signs come last. */
enum upstream_sign {
    UPSTREAM_WELL,    /* no answer is owed: the other end was seen; it has read all data, and its process can act */
    UPSTREAM_ONE_WAY, /* data was sent more than once and nothing ever came back: probably a protocol without answers */
    UPSTREAM_SILENT,  /* probably one request was sent; nothing has come back yet, or it is not known what came */
    UPSTREAM_DIALOGUE, /* the server has answered before, but not yet this time */
    UPSTREAM_PROVEN,   /* the server has not closed after our FIN; or its end was seen, and does not read or accept */
    UPSTREAM_BLOCKED,  /* the peer does not take our data, or does not acknowledge it */
};

/* The connections of the processes of a finding, as far as they may explain it. */
struct upstream {
    uint64_t waiting;          /* connections that they opened, SILENT, DIALOGUE or PROVEN */
    uint64_t expected;         /* those with UPSTREAM_DIALOGUE or UPSTREAM_PROVEN */
    uint64_t proven;           /* those with UPSTREAM_PROVEN */
    uint64_t half_closed;      /* how many of `waiting` are in FIN_WAIT_2 */
    uint64_t passed_on;        /* those with UPSTREAM_WELL or UPSTREAM_ONE_WAY */
    uint64_t blocked;          /* those with UPSTREAM_BLOCKED */
    uint64_t blocked_further;  /* how many of `blocked` are not connections of clients that the processes serve */
    const struct conn *server; /* one of `waiting`; one whose other end was seen, if there is any */
    const struct conn *stuck;  /* one of `blocked_further` */
    const struct conn *cause;  /* the connection that explains all: `stuck`, or the other end of `server`; or NULL */
    bool several;              /* `waiting` go to more than one server */
    bool is_pool;              /* `waiting` are fewer than the group, and the only connections further on */
    bool waits;                /* `expected` are as many as the group, or a pool of `proven`: they explain it */
    bool may_wait;             /* `waiting` are as many as the group, or a pool: they may explain it */
    bool blocks;               /* `blocked` are as many as the group */
    bool blocks_all; /* `blocked_further` explain the group: they are as many, or the only connections further on */
};

/* The connections that the processes of this finding have further on. */
struct upstream upstream_find(const struct context *context, const struct group *group, const struct finding *finding);
