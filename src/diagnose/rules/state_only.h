#pragma once
/* Descriptions of groups from a source that shows the states, but no timers. */
#include "diagnose/rule.h"

#define DECLARE_WORDS(name)                                                                                            \
    void name##_describe(                                                                                              \
        const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)

DECLARE_WORDS(by_state_sent_fin);
DECLARE_WORDS(by_state_syn_sent);
DECLARE_WORDS(by_state_syn_received);
DECLARE_WORDS(by_state_fin_wait_2);
