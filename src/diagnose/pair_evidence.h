#pragma once
/*
 * Whether two connections whose addresses and ports fit, in two network namespaces of one host, can be one connection.
 */
#include <stdbool.h>

#include "model/snapshot.h"

/*
 * Isolated networks, as containers have, may use the same addresses and ports: then a stranger has the ends that fit.
 * What each end counts and remembers tells them apart: what one has acknowledged the other has sent, and nothing comes
 * before it was sent. True where the source shows neither.
 */
bool pair_evidence_allows(const struct snapshot *snapshot, const struct conn *one, const struct conn *other);
