#pragma once
/* The sides of the drills, by state family: see drill.c for which goes with which. */
#include "act/drill/catalog.h"

#define DECLARE_ROLE(name) int name(struct role *role, struct error *err)

/* drill_close.c: CLOSE_WAIT, LAST_ACK, FIN_WAIT_1, FIN_WAIT_2, CLOSING */
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
DECLARE_ROLE(peer_asks_and_closes);
DECLARE_ROLE(peer_asks_and_closes_queued);
DECLARE_ROLE(peer_half_closes_deaf);
DECLARE_ROLE(peer_half_closes_vanishes);
DECLARE_ROLE(peer_asks_vanishes);
DECLARE_ROLE(peer_asks_deaf);
DECLARE_ROLE(peer_closes_at_once);
DECLARE_ROLE(peer_never_closes);

/* drill_open.c: the handshake and ESTABLISHED */
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
DECLARE_ROLE(service_sends_unheard);
DECLARE_ROLE(service_sends_in_vain);
DECLARE_ROLE(service_leaves_data);
DECLARE_ROLE(peer_sends_data);
DECLARE_ROLE(service_idles);
DECLARE_ROLE(peer_idles);

/* drill_limits.c: TIME_WAIT, ports, descriptors */
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

/* drill_host_limits.c: orphans, memory */
DECLARE_ROLE(service_fills_orphans);
DECLARE_ROLE(service_fills_memory);
DECLARE_ROLE(service_serves_one_more_tick);
DECLARE_ROLE(peer_asks_once_more_tick);
