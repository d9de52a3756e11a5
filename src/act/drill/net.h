#pragma once
/* Sets up the network namespaces of a drill by netlink. The functions return 0, or a negative errno with err filled. */
#include <netinet/in.h>
#include <stdint.h>

#include "base/error.h"

/* Brings up an interface of the caller's namespace. */
int drill_net_up(const char *interface, struct error *err);
/* Creates a veth pair: `interface` in the caller's namespace, `other` in the namespace of the descriptor. */
int drill_net_pair(const char *interface, const char *other, int other_netns, struct error *err);
int drill_net_address(const char *interface, struct in_addr address, uint8_t prefix_length, struct error *err);
int drill_net_default_route(struct in_addr gateway, struct error *err);
/* Drops all IPv4 packets at that hook (NF_INET_…) of the caller's namespace. */
int drill_net_drop(uint32_t hook, struct error *err);
/*
 * Ends every IPv4 TCP socket of the caller's namespace. Without this, orphans would keep the namespace alive for
 * minutes.
 */
void drill_net_destroy_sockets(void);
