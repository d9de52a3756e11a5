#pragma once
/* Findings from messages of a system's log that a capture contains: snapshot.logged. */
#include "diagnose/rule.h"

/*
 * Adds each message as evidence to the finding that it belongs to. If the list has no such finding, adds one with
 * confidence likely: the time of the message is not known, so what it reports may be over.
 */
void logged_add_findings(const struct context *context, struct arena *arena, struct finding_list *list);
