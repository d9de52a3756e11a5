#pragma once
/* What the words of several findings about CLOSE_WAIT share. */
#include "diagnose/rule.h"

/* As long in the state, a connection is not just passing through. */
enum { CLOSE_WAIT_CERTAIN_MS = 60 * 1000 };

void close_wait_wont_help(struct arena *arena, const struct context *context, struct finding *finding);
void close_wait_lower_confidence(struct finding *finding, enum confidence confidence);
void close_wait_rule_out_network(struct arena *arena, struct finding *finding);
void close_wait_rule_out_blocked_writer(struct arena *arena, const struct group *group, struct finding *finding);
/* That nothing has passed since, in either direction. */
void close_wait_rule_out_half_close(struct arena *arena, const struct group *group, struct finding *finding);
void close_wait_evidence_age(
    struct arena *arena, const struct context *context, const struct group *group, struct finding *finding);
/* Why their number alone is critical, where it is. */
void close_wait_evidence_number(struct arena *arena, const struct group *group, struct finding *finding);
/* A pool at rest, which troubles nobody: close_wait_pool.c. Says why, or why not, in the finding. */
bool close_wait_is_idle_pool(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
/* Not many, as far as the rule's limits go, and they do not use up the descriptors. */
bool close_wait_is_small_risk(const struct group *group, const struct finding *finding);
