#pragma once
/* What is said of a process that waits for others in turn. */
#include "diagnose/upstream.h"

/* "10.0.0.9:5432", "the servers behind it" */
const char *upstream_server(struct arena *arena, const struct upstream *upstream);
/* What is to be said where it waits for servers, in place of title and why, and before other fixes. */
void upstream_describe_waiting(const struct context *context, const struct group *group,
    const struct upstream *upstream, struct arena *arena, struct finding *finding);
/* The same where nothing passes on the connections that it has further on. */
void upstream_describe_blocked(const struct context *context, const struct group *group,
    const struct upstream *upstream, struct arena *arena, struct finding *finding);
/* What may be owed and what is not, beside title and why: that a server may be waited for, or that it was seen well. */
void upstream_describe_doubt(
    const struct group *group, const struct upstream *upstream, struct arena *arena, struct finding *finding);
/* What is to be said of a queue that is not emptied because all who should empty it wait for a server in turn. */
void upstream_describe_workers(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
