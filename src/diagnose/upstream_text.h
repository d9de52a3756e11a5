#pragma once
/* Sentences about a process that waits for a server further on. */
#include "diagnose/upstream.h"

/* "10.0.0.9:5432"; "the servers behind it" if there are several. Call it only if upstream->waiting > 0. */
const char *upstream_server(struct arena *arena, const struct upstream *upstream);
/* Replaces title, why and fault of the finding: the process waits for servers. Adds evidence and fixes. */
void upstream_describe_waiting(const struct context *context, const struct group *group,
    const struct upstream *upstream, struct arena *arena, struct finding *finding);
/* The same for a process whose connections further on are blocked. */
void upstream_describe_blocked(const struct context *context, const struct group *group,
    const struct upstream *upstream, struct arena *arena, struct finding *finding);
/* Adds that the process may wait for a server, or that its servers owe no answer. Title and why stay. */
void upstream_describe_doubt(
    const struct group *group, const struct upstream *upstream, struct arena *arena, struct finding *finding);
/* For a finding about an accept queue: adds that all processes that should accept may be waiting for a server. */
void upstream_describe_workers(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
