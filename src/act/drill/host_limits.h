#pragma once
/* Sides of the drills that lower limits of the whole host: orphans and TCP memory. catalog.c pairs them. */
#include "act/drill/role.h"

DECLARE_ROLE(service_makes_orphans);
DECLARE_ROLE(service_fills_memory);
DECLARE_ROLE(service_serves_one_more_tick);
DECLARE_ROLE(peer_requests_once_more_tick);
