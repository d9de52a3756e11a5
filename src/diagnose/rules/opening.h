#pragma once
/*
 * SYN_SENT and SYN_RECEIVED.
 */
#include "diagnose/rule.h"

DECLARE_RULE(syn_sent_unanswered);
DECLARE_RULE(syn_recv_flood);
DECLARE_ASSESSMENT(syn_recv_flood);
DECLARE_RULE(syn_recv_unanswered);
/* By how much cookies and dropped requests have risen since the earlier reading; false where that is not known. */
bool syn_recv_flood_rise(const struct context *context, uint32_t netns, int64_t *ret_rise, uint64_t *ret_ms);
