#pragma once
/*
 * A socket that is connected to itself.
 */
#include "diagnose/rule.h"

/* Whether both ends are one: the same address and port. */
bool self_connect_is(const struct conn *conn);
DECLARE_RULE(self_connect);
