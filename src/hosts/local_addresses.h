#pragma once
/* Which host has which address. The local ends of the hosts' connections show it. */
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

enum { LOCAL_TO_NOBODY = UINT32_MAX - 1, LOCAL_TO_SEVERAL = UINT32_MAX };

struct local_address {
    struct ip address;
    uint32_t host; /* index into snapshot.hosts, or netns */
};

struct local_addresses {
    struct local_address *items; /* sorted by address; one item for each host that has the address */
    size_t count, capacity;
};

/* For a snapshot of several hosts. Loopback and any addresses are left out, because every host has them. */
void local_addresses_init(struct local_addresses *own, const struct snapshot *snapshot);
/* The same of network namespaces, of one host or several: `host` is an index into snapshot.netns then. */
void local_addresses_init_by_netns(struct local_addresses *own, const struct snapshot *snapshot);
void local_addresses_deinit(struct local_addresses *own);
/* Returns the index of the host that has the address, LOCAL_TO_NOBODY, or LOCAL_TO_SEVERAL (also loopback and any). */
uint32_t local_addresses_host(const struct local_addresses *own, const struct ip *address);
