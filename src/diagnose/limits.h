#pragma once
/*
 * Applies a policy: its limits to the rules, and its ignores to connections and findings.
 */
#include "diagnose/rule.h"

/*
 * The limits of every rule for every service of the policy (NULL: the defaults only), in the arena. Read them with
 * context_limits().
 */
const struct limits *limits_make(const struct policy *policy, struct arena *arena);
/*
 * 1 + the index of the policy's service that the connection, or the process, belongs to; 0: none. A process can match
 * only a service that the policy selects by process name alone.
 */
unsigned context_service(const struct context *context, const struct conn *conn);
unsigned context_process_service(const struct context *context, const struct process *process);
const struct limits *context_limits(const struct context *context, unsigned service, const struct rule *rule);
/*
 * For each connection 1 + the index of the first ignore that matches it and its cause; 0: none matches. The array is in
 * the arena of the diagnosis. NULL if the policy has no ignores. Adds a note to the diagnosis for each expired ignore.
 */
const uint8_t *ignores_make(const struct context *context, struct diagnosis *diagnosis);
/* Lowers the severity to the limit severity_at_most, and sets finding->ignored to the ignore that matches, or NULL. */
void policy_apply_to_finding(const struct context *context, const uint8_t *ignores, struct finding *finding);
