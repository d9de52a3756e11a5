#pragma once
/* The addresses that hosts have themselves, as their connections show: whose an address is. */
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

enum { LOCAL_TO_NOBODY = UINT32_MAX - 1, LOCAL_TO_SEVERAL = UINT32_MAX };

struct local_address {
    struct ip address;
    uint32_t host; /* index into snapshot.hosts */
};

struct local_addresses {
    struct local_address *items; /* in order, once for each host that has it */
    size_t count, capacity;
};

/* Of a snapshot of several hosts. Loopback and any are everybody's and not among them. */
void local_addresses_init(struct local_addresses *own, const struct snapshot *snapshot);
void local_addresses_deinit(struct local_addresses *own);
/* The index of the host whose address it is; LOCAL_TO_NOBODY; LOCAL_TO_SEVERAL where it does not tell hosts apart. */
uint32_t local_addresses_host(const struct local_addresses *own, const struct ip *address);
