#pragma once
/* The addresses that hosts have themselves, as their connections show: whose an address is. */
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

enum { OWN_NOBODY = UINT32_MAX - 1, OWN_SEVERAL = UINT32_MAX };

struct own_address {
    struct ip address;
    uint32_t host; /* index into snapshot.hosts */
};

struct own_addresses {
    struct own_address *items; /* in order, once for each host that has it */
    size_t count, capacity;
};

/* Of a snapshot of several hosts. Loopback and any are everybody's and not among them. */
void own_addresses_init(struct own_addresses *own, const struct snapshot *snapshot);
void own_addresses_deinit(struct own_addresses *own);
/* The index of the host whose address it is; OWN_NOBODY; OWN_SEVERAL where it does not tell hosts apart. */
uint32_t own_addresses_host(const struct own_addresses *own, const struct ip *address);
