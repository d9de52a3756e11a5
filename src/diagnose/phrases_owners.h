#pragma once
/* What is said of several processes that share out the connections of one finding. */
#include "base/arena.h"
#include "diagnose/context.h"
#include "model/diagnosis.h"

/* Who owns the finding: "nginx (pid 812)"; where several processes share it out: "nginx (pid 812 and 3 more)" */
const char *phrases_owner(struct arena *arena, const struct finding *finding);
/* Whether no process holds all of them. */
bool phrases_is_shared_out(const struct finding *finding);
/*
 * How to end whoever holds them: phrases_fix_restart() of the owner, which restarts a service with all its workers.
 * Processes that were started one by one, for a job or a session each, are no workers of the service that started them:
 * they are named.
 */
void phrases_fix_restart_owners(struct arena *arena, const struct context *context, struct finding *finding);
