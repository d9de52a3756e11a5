#pragma once
/*
 * FIN_WAIT_2.
 */
#include "diagnose/rule.h"

DECLARE_RULE(fin_wait_2_held);
DECLARE_RULE(fin_wait_2_orphaned);
