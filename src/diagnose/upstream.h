#pragma once
/* Whether the process that a finding names waits for others in turn: see upstream.c. */
#include "diagnose/rule.h"

struct upstream {
    uint64_t waiting;          /* connections that its processes opened, and on which a server owes them something */
    uint64_t half_closed;      /* of them, in FIN_WAIT_2 */
    uint64_t blocked;          /* connections of theirs whose peers do not take the data */
    const struct conn *server; /* one of those waiting */
    bool several;              /* they go to different servers */
    bool waits;                /* as many as the group has: that explains it */
    bool blocks;
};

struct upstream upstream_find(const struct context *context, const struct group *group, const struct finding *finding);
/* What is to be said of a queue that is not emptied because all who should empty it wait for a server in turn. */
void upstream_describe_workers(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
/* "10.0.0.9:5432", "the servers behind it" */
const char *upstream_server(struct arena *arena, const struct upstream *upstream);
/* What is to be said where it waits for servers, in place of title and why, and before other fixes. */
void upstream_describe_waiting(const struct context *context, const struct group *group,
    const struct upstream *upstream, struct arena *arena, struct finding *finding);
