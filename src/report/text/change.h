#pragma once
/*
 * What has changed from one diagnosis of a host to the next: for reports that are made again and again.
 */
#include "model/diagnosis.h"
#include "report/terminal/flow.h"

/*
 * The finding of that diagnosis that is about the same: same id, service and network namespace, held by the same
 * process or, where that one is gone, by one of the same name. NULL where there is none.
 */
const struct finding *change_find(const struct diagnosis *diagnosis, const struct finding *finding);

/* "▲12", "▼3"; nothing where the numbers are equal. */
void change_format(struct buf *out, uint64_t now, uint64_t before);

/* A line: what is new, what is gone, and what the verdict was. */
void change_summary(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous);
/* Behind the id of a finding: that it is new, by how much its count has changed, what its severity was. */
void change_of_finding(struct flow *flow, const struct finding *finding, const struct diagnosis *previous);
/* The block of findings that are no longer made. */
void change_gone(struct flow *flow, const struct diagnosis *diagnosis, const struct diagnosis *previous);
