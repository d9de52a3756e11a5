#pragma once
/* FIN_WAIT_1, CLOSING and LAST_ACK: our FIN is not acknowledged yet. */
#include "diagnose/rule.h"

DECLARE_RULE(sent_fin_zero_window);
DECLARE_RULE(sent_fin_unanswered);
DECLARE_RULE(sent_fin_either);
