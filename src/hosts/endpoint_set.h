#pragma once
/* A set of connections of several hosts. The key is both ends of a connection, or a part of them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

/* The key of a connection. Members that do not belong to the key are zero. */
struct ends {
    struct ip local, remote;
    uint16_t local_port, remote_port;
    uint32_t host; /* index into snapshot.hosts */
};

typedef struct ends (*ends_reader)(const struct snapshot *snapshot, const struct conn *conn);

struct endpoint_set {
    const struct snapshot *snapshot;
    ends_reader ends_of;
    struct hash_index table; /* one connection for each key */
};

/* Makes a set with room for all connections of the snapshot. The snapshot must outlive the set. */
void endpoint_set_init(struct endpoint_set *set, const struct snapshot *snapshot, ends_reader ends_of);
void endpoint_set_deinit(struct endpoint_set *set);
void endpoint_set_add(struct endpoint_set *set, uint32_t conn);
bool endpoint_set_has(const struct endpoint_set *set, const struct ends *ends);
