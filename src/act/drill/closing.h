#pragma once
/* Sides of drills: CLOSE_WAIT, LAST_ACK, FIN_WAIT_1, FIN_WAIT_2, CLOSING. catalog.c says which go together. */
#include "act/drill/role.h"

DECLARE_ROLE(service_leaks);
DECLARE_ROLE(service_does_not_read);
DECLARE_ROLE(service_does_not_accept);
DECLARE_ROLE(service_with_helper);
DECLARE_ROLE(service_with_helper_tick);
DECLARE_ROLE(service_writes_in_vain);
DECLARE_ROLE(service_closes_after_peer);
DECLARE_ROLE(service_writes_closes_after_peer);
DECLARE_ROLE(service_closes_unheard);
DECLARE_ROLE(service_writes_closes);
DECLARE_ROLE(service_closes_with_peer);
DECLARE_ROLE(service_half_closes);
DECLARE_ROLE(service_closes_first);
DECLARE_ROLE(service_keeps_what_is_reset);
DECLARE_ROLE(peer_asks_and_resets);
DECLARE_ROLE(peer_asks_and_closes);
DECLARE_ROLE(peer_asks_and_closes_queued);
DECLARE_ROLE(peer_half_closes_deaf);
DECLARE_ROLE(peer_half_closes_vanishes);
DECLARE_ROLE(peer_asks_vanishes);
DECLARE_ROLE(peer_asks_deaf);
DECLARE_ROLE(peer_closes_at_once);
DECLARE_ROLE(peer_never_closes);
