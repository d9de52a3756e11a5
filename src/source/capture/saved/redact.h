#pragma once
/*
 * Removes from a snapshot what tells to whom it belongs. Addresses, host, users, processes, command lines, units,
 * containers and names of namespaces are replaced. The same key replaces the same name by the same name.
 *
 * What decides a diagnosis stays: which addresses and owners are equal; which addresses share a network, because
 * prefixes are preserved; loopback and "any" addresses; ports, states, times and counters.
 */
#include "base/siphash.h"
#include "model/snapshot.h"

struct redact_key {
    struct siphash_key hash; /* random; nobody keeps it */
};

void snapshot_redact(struct snapshot *snapshot, const struct redact_key *key);

/* Replaces one address; for tests. */
struct ip redact_address(const struct ip *ip, const struct redact_key *key);
