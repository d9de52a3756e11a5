#pragma once
/* Sides of the drills about TIME_WAIT, local ports and descriptors. catalog.c pairs them. */
#include "act/drill/role.h"

DECLARE_ROLE(service_closes_each);
DECLARE_ROLE(service_closes_each_tick);
DECLARE_ROLE(service_closes_each_limited);
DECLARE_ROLE(peer_connects_in_bursts);
DECLARE_ROLE(peer_connects_in_bursts_tick);
DECLARE_ROLE(peer_connects_steadily);
DECLARE_ROLE(peer_connects_steadily_tick);
DECLARE_ROLE(client_out_of_ports);
DECLARE_ROLE(client_out_of_ports_tick);
DECLARE_ROLE(peer_accepts);
DECLARE_ROLE(service_out_of_descriptors);
DECLARE_ROLE(service_out_of_descriptors_tick);
DECLARE_ROLE(peer_keeps_connections);
