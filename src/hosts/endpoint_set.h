#pragma once
/* A set of connections of several hosts by their ends, or by what of them matters. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

/* What a connection is looked up by. What does not matter is zero. */
struct ends {
    struct ip local, remote;
    uint16_t local_port, remote_port;
    uint32_t host; /* index into snapshot.hosts */
};

typedef struct ends (*ends_reader)(const struct snapshot *snapshot, const struct conn *conn);

struct ends_set {
    const struct snapshot *snapshot;
    ends_reader ends_of;
    struct index_table table; /* of connections, one for each ends */
};

/* With room for all connections of the snapshot, which must outlive it. 0 or -ENOMEM. */
int ends_set_init(struct ends_set *set, const struct snapshot *snapshot, ends_reader ends_of);
void ends_set_deinit(struct ends_set *set);
void ends_set_add(struct ends_set *set, uint32_t conn);
bool ends_set_has(const struct ends_set *set, const struct ends *ends);
