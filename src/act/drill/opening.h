#pragma once
/* Sides of the drills about the handshake and ESTABLISHED. catalog.c pairs them. */
#include "act/drill/role.h"

DECLARE_ROLE(client_connects_unanswered);
DECLARE_ROLE(client_connects_unanswered_tick);
DECLARE_ROLE(peer_listens_unreachable);
DECLARE_ROLE(service_just_listens);
DECLARE_ROLE(service_waits_for_acks);
DECLARE_ROLE(peer_receives_nothing);
DECLARE_ROLE(peer_receives_nothing_tick);
DECLARE_ROLE(peer_floods);
DECLARE_ROLE(peer_floods_tick);
DECLARE_ROLE(service_with_short_queue);
DECLARE_ROLE(peer_overflows_queue);
DECLARE_ROLE(peer_overflows_queue_tick);
DECLARE_ROLE(peer_waits_in_queue);
DECLARE_ROLE(service_sends_unanswered);
DECLARE_ROLE(service_sends_until_full);
DECLARE_ROLE(service_leaves_data_unread);
DECLARE_ROLE(peer_sends_data);
DECLARE_ROLE(client_connects_to_itself);
DECLARE_ROLE(peer_needs_the_port);
DECLARE_ROLE(service_idles);
DECLARE_ROLE(peer_idles);
