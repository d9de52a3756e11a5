#pragma once
/* Sockets that are connected to themselves (TCP self-connect). */
#include "diagnose/rule.h"

/* True if both ends are the same address and port. */
bool self_connect_is(const struct conn *conn);
DECLARE_RULE(self_connect);
