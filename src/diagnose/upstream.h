#pragma once
/* Whether the process that a finding names waits for others in turn: see upstream.c. */
#include "diagnose/rule.h"

/* What speaks for it that a connection's other end owes something, or keeps it from going on. */
enum upstream_sign {
    UPSTREAM_WELL,     /* the other end was seen: it has read everything, and its process is not held up */
    UPSTREAM_ONE_WAY,  /* nothing ever came back, however often something was sent: nobody answers in this protocol */
    UPSTREAM_SILENT,   /* one request, it seems, and nothing came back so far */
    UPSTREAM_DIALOGUE, /* the other end has answered before, and has not answered this time */
    UPSTREAM_PROVEN,   /* the other end has not closed after our FIN; or was seen: it does not read or accept */
    UPSTREAM_BLOCKED,  /* the other end does not take the data, or nothing acknowledges it */
};

struct upstream {
    uint64_t waiting;          /* connections that its processes opened, and on which a server may owe them something */
    uint64_t expected;         /* of them, proven ones, and those whose server has answered before */
    uint64_t proven;           /* of these, proven ones */
    uint64_t half_closed;      /* of them, in FIN_WAIT_2 */
    uint64_t passed_on;        /* spoke last as well, but nothing is owed: UPSTREAM_WELL, UPSTREAM_ONE_WAY */
    uint64_t blocked;          /* connections of theirs whose peers do not take the data */
    uint64_t blocked_further;  /* of them, others than those of clients that they serve */
    const struct conn *server; /* one of those waiting, a proven one if there is any */
    const struct conn *stuck;  /* one of blocked_further */
    /* At whose end it can be seen what all this waits for: `stuck`, or the other end of `server`; NULL: not seen. */
    const struct conn *cause;
    bool several;    /* they go to different servers */
    bool waits;      /* expected ones, as many as the group has: that explains it */
    bool may_wait;   /* the same with those whose server never said a word: that may explain it */
    bool blocks;     /* as many blocked ones as the group has */
    bool blocks_all; /* blocked_further explain it: as many, or all that it has further on */
};

struct upstream upstream_find(const struct context *context, const struct group *group, const struct finding *finding);
