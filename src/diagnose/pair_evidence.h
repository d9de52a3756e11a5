#pragma once
/* Whether two sockets in two network namespaces of one host can be the two ends of one connection. */
#include <stdbool.h>

#include "model/snapshot.h"

/*
 * For two sockets with opposite addresses and ports. Isolated networks, as containers have, may use the same addresses
 * and ports, so these alone are no proof. False if the counters or clocks of the two contradict each other: one has
 * received more bytes than the other has sent, or has received data before the other sent it. True if the source shows
 * neither.
 */
bool pair_evidence_allows(const struct snapshot *snapshot, const struct conn *one, const struct conn *other);
