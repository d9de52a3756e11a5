#pragma once
/*
 * LISTEN: accept queues.
 */
#include "diagnose/rule.h"

DECLARE_RULE(accept_queue_overflow);
DECLARE_ASSESSMENT(accept_queue_overflow);
/* Adds what else waits because of this queue: evidence for any finding about it. NULL: adds nothing. */
void queue_evidence(struct arena *arena, const struct queue *queue, struct finding *finding);
