#include "diagnose/phrases_age.h"

#include <string.h>

#include "diagnose/context.h"
#include "diagnose/phrases.h"

static const char *bounded_ages(struct arena *arena, const struct group *group)
{
    return arena_printf(arena, "%sfor at least %s and at most %s: how long is not known",
        group->count == 1 ? "" : "the oldest ", phrases_duration(arena, group->proven_oldest_ms),
        phrases_duration(arena, group->possible_oldest_ms));
}

const char *phrases_ages(struct arena *arena, const struct group *group)
{
    if (!group->ages_known)
        return "";
    if (group->resets > 0)
        return bounded_ages(arena, group);
    const char *oldest = phrases_duration(arena, group->oldest_ms);
    if (group->count == 1)
        return arena_printf(arena, "for at least %s", oldest);
    return arena_printf(arena, "the oldest for at least %s, half of them for %s or more", oldest,
        phrases_duration(arena, group->median_ms));
}

/* "it", "all of them", "12 of them" */
static const char *how_many(struct arena *arena, const struct group *group, uint64_t number)
{
    if (number < group->count)
        return arena_printf(arena, "%s of them", phrases_count(arena, number));
    return group->count == 1 ? "it" : "all of them";
}

static uint64_t remembered_count(const struct context *context, const struct group *group)
{
    uint64_t count = 0;
    for (size_t i = 0; i < group->count; i++)
        count += context->snapshot->stayed_ms[group->conns[i]] > 0;
    return count;
}

void phrases_clock_set_back(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence)
{
    if (group->resets == 0)
        return;
    if (group->keepalives > 0)
        lines_add(evidence, arena,
            "Keepalive runs on %s, and each answer to a probe sets that clock back: the age is not known, which is not "
            "the same as young.",
            how_many(arena, group, group->keepalives));
    else
        lines_add(evidence, arena,
            "Whether keepalive runs is not shown. Each answer to a probe would set that clock back: the age is not "
            "known.");
    lines_add(evidence, arena, "No data has passed in either direction for %s%s: keepalive does not change that.",
        group->count == 1 ? "" : "up to ", phrases_duration(arena, group->oldest_ms));
    if (context->snapshot->stayed_ms != NULL && remembered_count(context, group) > 0)
        lines_add(evidence, arena,
            "Earlier runs of this command have seen %s so, without a byte passing: that is how long it is at least.",
            how_many(arena, group, remembered_count(context, group)));
    else if (group->confirmed_ms == 0)
        lines_add(evidence, arena, "To know for how long they have been so at least, %s.",
            phrases_second_snapshot(context->snapshot));
}

/* "made 4 h 12 min ago", "made between 12 s and 4 h 12 min ago" */
static const char *made(struct arena *arena, uint64_t shortest_ms, uint64_t longest_ms)
{
    const char *longest = phrases_duration(arena, longest_ms), *shortest = phrases_duration(arena, shortest_ms);
    return strcmp(longest, shortest) == 0 ? arena_printf(arena, "made %s ago", longest)
                                          : arena_printf(arena, "made between %s and %s ago", shortest, longest);
}

static void add_lives(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence)
{
    uint64_t shortest_ms = UINT64_MAX, longest_ms = 0, known = 0;
    for (size_t i = 0; i < group->count; i++) {
        uint64_t life_ms;
        if (!conn_life_ms(&context->snapshot->conns[group->conns[i]], &life_ms))
            continue;
        known++;
        shortest_ms = life_ms < shortest_ms ? life_ms : shortest_ms;
        longest_ms = life_ms > longest_ms ? life_ms : longest_ms;
    }
    if (known > 0)
        lines_add(evidence, arena, "%s %s (CreationTime): %s been in %s for longer than that.",
            known == 1 && group->count == 1 ? "It was"
                : known < group->count      ? arena_printf(arena, "%s of them were", phrases_count(arena, known))
                                            : "They were",
            made(arena, shortest_ms, longest_ms), group->count == 1 ? "it has not" : "none has",
            state_name((enum conn_state)context->snapshot->conns[group->conns[0]].state));
}

void phrases_shown_ages(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence)
{
    enum conn_state state = (enum conn_state)context->snapshot->conns[group->conns[0]].state;
    if (group->ages_known && !group->ages_from_snapshots)
        lines_add(evidence, arena, "In %s %s, as the capture shows.", state_name(state), phrases_ages(arena, group));
    add_lives(arena, context, group, evidence);
}
