#pragma once
/* Sides of drills: TIME_WAIT, ports, descriptors. catalog.c says which go together. */
#include "act/drill/role.h"

DECLARE_ROLE(service_closes_each);
DECLARE_ROLE(service_closes_each_tick);
DECLARE_ROLE(service_closes_each_limited);
DECLARE_ROLE(peer_calls_in_bursts);
DECLARE_ROLE(peer_calls_in_bursts_tick);
DECLARE_ROLE(peer_calls_on);
DECLARE_ROLE(peer_calls_on_tick);
DECLARE_ROLE(client_out_of_ports);
DECLARE_ROLE(client_out_of_ports_tick);
DECLARE_ROLE(peer_serves);
DECLARE_ROLE(service_out_of_descriptors);
DECLARE_ROLE(service_out_of_descriptors_tick);
DECLARE_ROLE(peer_holds_on);
