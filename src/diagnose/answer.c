#include "diagnose/answer.h"

#include "diagnose/rule.h"

enum {
    GROUPS_MAX = 3, /* more groups of one rule do not answer one question */
    FEW = 3,        /* fewer connections may be chance */
    MANY = 50,      /* so many connections of one peer are not in such a state at the same moment by chance */
    PROVEN = 2,     /* so many retransmissions without an answer prove that a connection is stuck */
};

/*
 * States that last one round trip if the peer answers. States after a FIN are not among them: on any host, some FINs
 * are never answered, because clients disappear.
 */
#define PASSING_STATES (STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_SYN_RECEIVED))

static const struct answer_part *part_of(const struct answer_part *parts, const struct group *group)
{
    return &parts[group->rule - rules];
}

struct answer_part *answer_parts(const struct group *groups, size_t count, struct arena *arena)
{
    struct answer_part *parts = arena_alloc(arena, rule_count * sizeof *parts);
    for (unsigned i = 0; i < rule_count; i++)
        parts[i] = (struct answer_part){ 0 };
    for (size_t i = 0; i < count; i++) {
        struct answer_part *part = &parts[groups[i].rule - rules];
        part->conns += groups[i].asked;
        part->groups++;
    }
    return parts;
}

bool answer_is(const struct context *context, const struct answer_part *parts, const struct group *group)
{
    const struct answer_part *part = part_of(parts, group);
    return context_is_asked_about(context, group->asked) ||
        (part->groups <= GROUPS_MAX && context_is_asked_about(context, part->conns));
}

/* True if the paste shows other connections too. If it was filtered, it does not show how common the state is. */
static bool shows_others(const struct context *context, const struct answer_part *part)
{
    return context->asked_count > part->conns;
}

/* Fewer than are a finding on a whole host: an answer, but no warning. */
static bool is_few(const struct group *group)
{
    return group->rule->answers_few && group->count < group->limits->min_count;
}

void answer_raise_severity(
    const struct context *context, const struct answer_part *parts, const struct group *group, struct finding *finding)
{
    /* On a whole host the limits can judge a selection. A paste may be all that the user has. */
    bool is_paste = context->snapshot->origin != NULL && context->selects_all;
    bool is_set = group->limits->warning_count != group->rule->limits.warning_count; /* the user has set the limit */
    if (!finding->is_answer || !is_paste || is_set || finding->severity != SEVERITY_INFO ||
        finding->fault == FAULT_NONE || is_few(group))
        return;
    bool is_held_open = group->rule->states == STATE_BIT(STATE_FIN_WAIT_2) && group->count >= FEW;
    bool is_proven = (group->ages_known && !group->ages_from_snapshots) ||
        (group->timers_known && (group->retransmits_min >= PROVEN || is_held_open));
    bool is_of_one_peer = finding->distinct_peers == 1 && group->count >= MANY;
    bool should_pass = (group->rule->states & PASSING_STATES) != 0 && part_of(parts, group)->conns >= FEW &&
        shows_others(context, part_of(parts, group));
    if (is_proven || is_of_one_peer || should_pass)
        finding->severity = SEVERITY_WARNING;
}
