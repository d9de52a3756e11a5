#pragma once
/*
 * LISTEN: accept queues.
 */
#include "diagnose/rule.h"

DECLARE_RULE(accept_queue_overflow);
DECLARE_ASSESSMENT(accept_queue_overflow);
/* What else a full queue keeps waiting: evidence for whatever finding is made of it. NULL: nothing. */
void queue_evidence(struct arena *arena, const struct queue *queue, struct finding *finding);
