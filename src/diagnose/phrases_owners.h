#pragma once
/* Phrases about a finding whose connections are divided among several processes. */
#include "base/arena.h"
#include "diagnose/context.h"
#include "model/diagnosis.h"

/* The owner of the finding: "nginx (pid 812)"; if phrases_is_shared_out(), "nginx (pid 812 and 3 more)". */
const char *phrases_owner(struct arena *arena, const struct finding *finding);
/* True if several processes hold the connections, and none of them holds all. */
bool phrases_is_shared_out(const struct finding *finding);
/*
 * Adds how to end the processes that hold the connections. This is phrases_fix_restart() of the owner, because
 * restarting a service ends all its workers. But processes that were started one by one, each for a job or a session,
 * are not workers: the fix names them.
 */
void phrases_fix_restart_owners(struct arena *arena, const struct context *context, struct finding *finding);
