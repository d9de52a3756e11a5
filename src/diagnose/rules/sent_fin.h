#pragma once
/*
 * FIN_WAIT_1, CLOSING and LAST_ACK: our FIN is on its way.
 */
#include "diagnose/rule.h"

/* Whether the peer, alive, does not take what stands before our FIN. */
bool sent_fin_is_zero_window(const struct context *context, const struct conn *conn);
DECLARE_RULE(sent_fin_zero_window);
DECLARE_RULE(sent_fin_unanswered);
DECLARE_RULE(sent_fin_either);
