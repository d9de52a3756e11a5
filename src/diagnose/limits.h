#pragma once
/*
 * The limits of the rules, as the configuration wants them, and what it ignores.
 */
#include "diagnose/rule.h"

/* The limits of all rules, as the policy (or NULL) wants them; in the arena. */
const struct limits *limits_make(const struct policy *policy, struct arena *arena);
/* The service of the policy that the connection, or the process, belongs to: 1 + its index; 0: none. */
unsigned context_service(const struct context *context, const struct conn *conn);
unsigned context_process_service(const struct context *context, const struct process *process);
const struct limits *context_limits(const struct context *context, unsigned service, const struct rule *rule);
/*
 * For each connection 1 + the index of the ignore that takes it in, with the cause it has; 0: none. In the arena; NULL
 * where nothing is ignored. Notes which ignores are over.
 */
const uint8_t *ignores_make(const struct context *context, struct diagnosis *diagnosis);
/* Sets aside what is ignored, and holds the severity of all to what they may have. */
void policy_judge(const struct context *context, const uint8_t *ignores, struct finding *finding);
