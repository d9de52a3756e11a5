#pragma once
/* Sides of drills: the handshake and ESTABLISHED. catalog.c says which go together. */
#include "act/drill/role.h"

DECLARE_ROLE(client_waits_for_answer);
DECLARE_ROLE(client_waits_for_answer_tick);
DECLARE_ROLE(peer_serves_unreachable);
DECLARE_ROLE(service_just_listens);
DECLARE_ROLE(service_waits_for_acks);
DECLARE_ROLE(peer_hears_nothing);
DECLARE_ROLE(peer_hears_nothing_tick);
DECLARE_ROLE(peer_floods);
DECLARE_ROLE(peer_floods_tick);
DECLARE_ROLE(service_queue_too_short);
DECLARE_ROLE(peer_knocks);
DECLARE_ROLE(peer_knocks_tick);
DECLARE_ROLE(peer_waits_in_queue);
DECLARE_ROLE(service_sends_unheard);
DECLARE_ROLE(service_sends_in_vain);
DECLARE_ROLE(service_leaves_data);
DECLARE_ROLE(peer_sends_data);
DECLARE_ROLE(client_connects_to_itself);
DECLARE_ROLE(peer_wants_the_port);
DECLARE_ROLE(service_idles);
DECLARE_ROLE(peer_idles);
