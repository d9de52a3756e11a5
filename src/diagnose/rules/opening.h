#pragma once
/*
 * SYN_SENT and SYN_RECEIVED.
 */
#include "diagnose/rule.h"

DECLARE_RULE(syn_sent_unanswered);
DECLARE_RULE(syn_recv_flood);
DECLARE_ASSESSMENT(syn_recv_flood);
DECLARE_RULE(syn_recv_unanswered);
