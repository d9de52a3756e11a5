#pragma once
/* Sides of drills: orphans and memory, limits of the whole host. catalog.c says which go together. */
#include "act/drill/role.h"

DECLARE_ROLE(service_fills_orphans);
DECLARE_ROLE(service_fills_memory);
DECLARE_ROLE(service_serves_one_more_tick);
DECLARE_ROLE(peer_asks_once_more_tick);
