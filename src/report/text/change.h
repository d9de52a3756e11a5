#pragma once
/*
 * Shows what has changed from one diagnosis of a host to the next. For repeated reports (--watch).
 */
#include "model/diagnosis.h"
#include "report/terminal/flow.h"

/*
 * The finding of the previous diagnosis with the same id, service and network namespace, and the same owner. If that
 * process is gone, a process of the same name counts as the same owner. NULL if there is none.
 */
const struct finding *change_find(const struct diagnosis *diagnosis, const struct finding *finding);

/* Appends "▲12" or "▼3"; nothing if the numbers are equal. */
void change_format(struct buf *out, uint64_t now, uint64_t before);

/* Writes a line that says what is new, what is gone, and what the verdict was. */
void change_summary(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous);
/* Writes after a finding's id: whether it is new, the change of its count, and its previous severity. */
void change_of_finding(struct flow *flow, const struct finding *finding, const struct diagnosis *previous);
/* Writes the block of findings that are gone. */
void change_gone(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous);
