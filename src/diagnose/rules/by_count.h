#pragma once
/*
 * What a number of connections in one state tells, where no row is known: which numbers are worth a look, which are
 * normal, what each means and who could be at fault. Possible at most: whether they stay, nobody knows.
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
/* Two readings of the counters, in a text without rows: the accept queue of some listener overflowed in between. */
void by_count_listen_overflows(
    const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list);
