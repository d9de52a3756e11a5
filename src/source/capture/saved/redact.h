#pragma once
/*
 * A snapshot without what says whose it is: addresses, host, users, processes, command lines, units, containers and
 * other namespaces get made-up names, the same for the same throughout the key's use. What decides a diagnosis stays:
 * which addresses and owners are equal, who is in one network with whom (prefixes are kept), loopback and "any", ports,
 * states, times, counters.
 */
#include "base/siphash.h"
#include "model/snapshot.h"

struct redact_key {
    struct siphash_key hash; /* random, and thrown away when the file is written */
};

void snapshot_redact(struct snapshot *snapshot, const struct redact_key *key);

/* One address; for tests. */
struct ip redact_address(const struct ip *ip, const struct redact_key *key);
