#pragma once
/* Sides of the drills about CLOSE_WAIT, CLOSED, LAST_ACK, FIN_WAIT_1, FIN_WAIT_2 and CLOSING. catalog.c pairs them. */
#include "act/drill/role.h"

DECLARE_ROLE(service_leaks);
DECLARE_ROLE(service_does_not_read);
DECLARE_ROLE(service_does_not_accept);
DECLARE_ROLE(service_with_helper);
DECLARE_ROLE(service_with_helper_tick);
DECLARE_ROLE(service_fills_send_buffer);
DECLARE_ROLE(service_closes_after_peer);
DECLARE_ROLE(service_fills_and_closes_after_peer);
DECLARE_ROLE(service_closes_unanswered);
DECLARE_ROLE(service_fills_and_closes);
DECLARE_ROLE(service_closes_with_peer);
DECLARE_ROLE(service_half_closes);
DECLARE_ROLE(service_closes_first);
DECLARE_ROLE(service_holds_reset_conns);
DECLARE_ROLE(peer_requests_and_resets);
DECLARE_ROLE(peer_requests_and_closes);
DECLARE_ROLE(peer_requests_and_closes_queued);
DECLARE_ROLE(peer_half_closes_without_reading);
DECLARE_ROLE(peer_half_closes_and_vanishes);
DECLARE_ROLE(peer_requests_and_vanishes);
DECLARE_ROLE(peer_requests_without_reading);
DECLARE_ROLE(peer_closes_simultaneously);
DECLARE_ROLE(peer_never_closes);
