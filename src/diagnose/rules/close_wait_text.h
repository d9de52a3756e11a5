#pragma once
/* Sentences and decisions that several findings about CLOSE_WAIT share. The functions add them to the finding. */
#include "diagnose/rule.h"

/* A connection that has been in CLOSE_WAIT for this long is certainly stuck: a process normally closes at once. */
enum { CLOSE_WAIT_CERTAIN_MS = 60 * 1000 };

void close_wait_wont_help(struct arena *arena, const struct context *context, struct finding *finding);
void close_wait_lower_confidence(struct finding *finding, enum confidence confidence);
void close_wait_rule_out_network(struct arena *arena, struct finding *finding);
void close_wait_rule_out_blocked_writer(struct arena *arena, const struct group *group, struct finding *finding);
/* No half-close is in use: no data has passed in either direction since the FIN. */
void close_wait_rule_out_half_close(struct arena *arena, const struct group *group, struct finding *finding);
void close_wait_evidence_age(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding);
/* Why their number alone is critical; nothing if finding_is_critical_by_number() is false. */
void close_wait_evidence_number(struct arena *arena, const struct group *group, struct finding *finding);
/* True if the group is an idle connection pool, which does no harm (close_wait_pool.c). Adds why, or why not. */
bool close_wait_is_idle_pool(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
/*
 * For a paste that is about these connections, unless they are young or their other ends were seen: true, because a
 * program there may hang until these are closed. Whoever pastes that half is told so too. Adds why.
 */
bool close_wait_may_be_awaited(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
/* True if there are few connections for the limits of the rule, and they do not use up the process's descriptors. */
bool close_wait_is_small_risk(const struct group *group, const struct finding *finding);
