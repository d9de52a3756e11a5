#pragma once
/*
 * CLOSE_WAIT.
 */
#include "diagnose/rule.h"

/* Whether the peer, alive, offers no window to a connection that
 * has data to send.
 */
bool close_wait_is_blocked_by_window(const struct context *context, const struct conn *conn);
DECLARE_RULE(close_wait_not_accepted);
DECLARE_RULE(close_wait_blocked_writer);
DECLARE_RULE(close_wait_inherited);
DECLARE_RULE(close_wait_unread);
DECLARE_RULE(close_wait_leak);
