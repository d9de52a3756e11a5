#pragma once
/*
 * Findings about a number of connections in one state, from a capture without rows: from which number on there is a
 * finding, what it means, and who may be at fault. Their confidence is possible at most, because it is not known
 * whether the connections stay in that state.
 */
#include "diagnose/rule.h"

#define DECLARE_COUNT(name)                                                                                            \
    void by_count_##name(const struct context *context, const struct rule *rule, const struct total *total,            \
        struct arena *arena, struct finding_list *list)

DECLARE_COUNT(close_wait);
DECLARE_COUNT(sent_fin);
DECLARE_COUNT(fin_wait_2);
DECLARE_COUNT(time_wait);
DECLARE_COUNT(syn_sent);
DECLARE_COUNT(syn_received);
DECLARE_COUNT(bound);
/*
 * For a capture without rows but with two readings of the counters: adds a finding if ListenOverflows has risen. The
 * accept queue of some listener overflowed in between.
 */
void by_count_listen_overflows(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list);
