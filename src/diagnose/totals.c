#include "diagnose/totals.h"

#include <inttypes.h>
#include <string.h>

#include "diagnose/phrases.h"
#include "diagnose/platform.h"
#include "model/port_use.h"
#include "model/select.h"

/* --- counting ----------------------------------------------------------------------------------------------------- */

void totals_count(const struct selection *selection, struct diagnosis *diagnosis)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    uint32_t states = selection != NULL ? selection->states : 0;
    uint32_t detailed = snapshot_detailed_states(snapshot);
    for (size_t i = 0; snapshot->counts_only && i < snapshot->total_count; i++) {
        const struct total *total = &snapshot->totals[i];
        if ((states != 0 && (states & STATE_BIT(total->state)) == 0) || snapshot_is_sum(total, detailed))
            continue;
        diagnosis->selected_count += total->count;
        diagnosis->by_state[total->state] += total->count;
    }
}

/*
 * Adds up the totals of one state and process, for example those of tcp and tcp6, or of several addresses. False if an
 * earlier total has the same state and process: then that one has the sum.
 */
static bool sum_up(const struct snapshot *snapshot, uint32_t detailed, size_t index, struct total *ret_sum)
{
    *ret_sum = snapshot->totals[index];
    ret_sum->key = NULL;
    for (size_t i = 0; i < snapshot->total_count; i++) {
        const struct total *total = &snapshot->totals[i];
        if (i == index || total->state != ret_sum->state || total->process != ret_sum->process ||
            snapshot_is_sum(total, detailed))
            continue;
        if (i < index)
            return false;
        ret_sum->count += total->count;
    }
    return true;
}

void totals_add_findings(const struct context *context, struct diagnosis *diagnosis, struct finding_list *list)
{
    const struct snapshot *snapshot = context->snapshot;
    uint32_t detailed = snapshot_detailed_states(snapshot);
    for (size_t i = 0; snapshot->counts_only && i < snapshot->total_count; i++) {
        struct total sum;
        if (diagnosis->by_state[snapshot->totals[i].state] == 0 || /* not selected */
            snapshot_is_sum(&snapshot->totals[i], detailed) || !sum_up(snapshot, detailed, i, &sum))
            continue;
        for (unsigned rule = 1; rule < rule_count; rule++) {
            if (rules[rule].judge_count != NULL)
                rules[rule].judge_count(context, &rules[rule], &sum, &diagnosis->arena, list);
        }
    }
}

/* --- numbers beside rows ------------------------------------------------------------------------------------------ */

uint64_t totals_of_group(const struct snapshot *snapshot, const struct group *group)
{
    if (snapshot->counts_only || snapshot->total_count == 0)
        return 0;
    uint8_t state = snapshot->conns[group->conns[0]].state;
    uint64_t rows = 0, counted = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (snapshot->conns[group->conns[i]].state != state)
            return 0;
    }
    for (size_t i = 0; i < snapshot->conn_count; i++)
        rows += snapshot->conns[i].state == state;
    for (size_t i = 0; i < snapshot->total_count; i++) {
        if (snapshot->totals[i].state == state)
            counted = snapshot->totals[i].count;
    }
    return rows == group->count ? counted : 0;
}

static bool is_shortened(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        if (gap_find(snapshot->gaps[i].id) == GAP_ROWS_LEFT_OUT)
            return true;
    }
    return false;
}

/* The title with `number` in place of "N connections". */
static const char *replace_count(struct arena *arena, const char *title, uint64_t count, const char *number)
{
    const char *old = phrases_conns(arena, count);
    const char *at = strstr(title, old);
    if (at == NULL)
        return title;
    const char *capital = at == title && number[0] == 'a' ? "A" : "";
    return arena_printf(
        arena, "%.*s%s%s%s", (int)(at - title), title, capital, number + strlen(capital), at + strlen(old));
}

void totals_correct_count(
    const struct snapshot *snapshot, const struct group *group, struct arena *arena, struct finding *finding)
{
    if (snapshot->origin == NULL || !is_shortened(snapshot))
        return;
    if (group->counted == 0) {
        finding->title = replace_count(arena, finding->title, group->count,
            arena_printf(arena, "at least %s", phrases_conns(arena, group->count)));
        return;
    }
    finding->title = replace_count(arena, finding->title, group->count, phrases_conns(arena, group->counted));
    finding->count = group->counted;
    if (finding->confidence > CONFIDENCE_LIKELY)
        finding->confidence = CONFIDENCE_LIKELY;
    lines_add(&finding->evidence, arena,
        "The text counts %s in this state, and shows %s of them: what these have in common is taken to hold for all.",
        phrases_count(arena, group->counted), phrases_count(arena, group->count));
}

/* --- counters ----------------------------------------------------------------------------------------------------- */

/* What each counter counts, and where to read more. */
static const struct {
    enum counter counter;
    const char *meaning;
} meanings[] = {
    { COUNTER_LISTEN_OVERFLOWS,
        "connections that a full accept queue did not take: a process accepts too slowly, or hangs (tcpwhy explain "
        "accept-queue-overflow)" },
    { COUNTER_LISTEN_DROPS,
        "SYNs and connections that a listener dropped, for a full queue or any other reason; it includes "
        "ListenOverflows" },
    { COUNTER_TIME_WAIT_OVERFLOW,
        "connections that ended without TIME_WAIT, because tcp_max_tw_buckets was reached (tcpwhy explain "
        "time-wait-overflow)" },
    { COUNTER_TIME_WAITED, "connections that went through TIME_WAIT and left it in time: normal" },
    { COUNTER_ABORT_ON_DATA,
        "connections that a program here closed while data was still unread, or that got data after they were closed: "
        "the "
        "kernel resets them, and the peer sees \"connection reset\"" },
    { COUNTER_ABORT_ON_CLOSE, "connections that were closed here with data unread: reset instead of ended in order" },
    { COUNTER_ABORT_ON_MEMORY,
        "connections that were reset because there were too many orphans or too little memory for TCP (tcpwhy explain "
        "orphan-limit)" },
    { COUNTER_ABORT_ON_TIMEOUT,
        "connections that were given up because the peer did not answer any more: its host or the path was gone" },
    { COUNTER_ABORT_ON_LINGER, "connections that were reset because FIN_WAIT_2 was given no time (TCP_LINGER2)" },
    { COUNTER_REQ_Q_FULL_DO_COOKIES, "SYNs that were answered with a cookie because the queue of SYNs was full" },
    { COUNTER_REQ_Q_FULL_DROP, "SYNs that were dropped because the queue of SYNs was full" },
    { COUNTER_SYNCOOKIES_SENT,
        "SYN cookies sent: a queue was full, by a flood or by a service that does not accept (tcpwhy explain "
        "syn-recv-flood)" },
    { COUNTER_MEMORY_PRESSURES, "times that TCP reached its own mark for memory (tcpwhy explain tcp-memory-pressure)" },
    { COUNTER_PRUNE_CALLED,
        "times that a receive buffer overflowed and was tidied: a program here reads slowly (tcpwhy explain "
        "established-unread)" },
    { COUNTER_ATTEMPT_FAILS, "attempts to connect that failed, on either side: refused, unanswered or aborted" },
    { COUNTER_ESTAB_RESETS, "connections that ended with a reset instead of an orderly close" },
    { COUNTER_OUT_RSTS, "resets that this host sent: to ports on which nobody listens, among others" },
};

static bool counter_rise(const struct snapshot *snapshot, enum counter counter, int64_t *ret_rise)
{
    const struct snapshot *previous = snapshot->previous;
    if (previous == NULL || previous->netns_count == 0 || !previous->net_values[0].has_counter[counter])
        return false;
    *ret_rise = snapshot->net_values[0].counters[counter] - previous->net_values[0].counters[counter];
    return true;
}

static void add_counters_notes(const struct context *context, struct diagnosis *diagnosis)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct net_values *values = &snapshot->net_values[0];
    struct arena *arena = &diagnosis->arena;
    bool any = false;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        enum counter counter = meanings[i].counter;
        if (!values->has_counter[counter] || values->counters[counter] <= 0)
            continue;
        int64_t rise;
        const char *since = "";
        if (counter_rise(snapshot, counter, &rise))
            since = rise > 0
                ? arena_printf(arena, ", %s more than at the first reading", phrases_count(arena, (uint64_t)rise))
                : ", as many as at the first reading";
        else
            any = true;
        lines_add(&diagnosis->notes, arena, "%s %s%s: %s.", counter_infos[counter].name,
            phrases_count(arena, (uint64_t)values->counters[counter]), since, meanings[i].meaning);
    }
    if (any)
        lines_add(&diagnosis->notes, arena,
            "These counters run since the host started: whether they rise now, a second reading a minute later tells "
            "(nstat -az, or netstat -s again, pasted below the first).");
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

static void add_orphans_notes(const struct context *context, struct diagnosis *diagnosis)
{
    const struct net_values *values = &context->snapshot->net_values[0];
    struct arena *arena = &diagnosis->arena;
    if (!values->has_counter[COUNTER_ORPHANS])
        return;
    int64_t orphans = values->counters[COUNTER_ORPHANS], limit = values->settings[SETTING_MAX_ORPHANS];
    const char *share = "; what is allowed (tcp_max_orphans) is not in the paste";
    if (values->has_setting[SETTING_MAX_ORPHANS] && limit > 0)
        share = arena_printf(arena,
            " of %s (tcp_max_orphans), %" PRId64
            " %% at this moment. The kernel may reset connections, and complain in its log, from a quarter on (%s): an "
            "orphan that has sent nothing for minutes counts twice, and twice again after an ICMP error",
            phrases_count(arena, (uint64_t)limit), orphans * 100 / limit, phrases_count(arena, (uint64_t)limit / 4));
    lines_add(&diagnosis->notes, arena, "Orphans %s%s.", phrases_count(arena, (uint64_t)orphans), share);
    lines_add(&diagnosis->notes, arena,
        "An orphan is closed by its process and not yet by the peer: FIN_WAIT_1, LAST_ACK or CLOSING of a peer that "
        "does not acknowledge. See whose: ss -tan state fin-wait-1 state last-ack state closing.");
    if (values->has_setting[SETTING_ORPHAN_RETRIES])
        lines_add(&diagnosis->notes, arena, "tcp_orphan_retries %" PRId64 ": %s.",
            values->settings[SETTING_ORPHAN_RETRIES],
            values->settings[SETTING_ORPHAN_RETRIES] == 0
                ? "0 stands for 8 (tcp_orphan_retries() in net/ipv4/tcp_timer.c), which is one to two minutes for each"
                : "how often the kernel sends such a FIN again before it gives up");
}

static void add_range_notes(const struct context *context, struct diagnosis *diagnosis)
{
    const struct snapshot *snapshot = context->snapshot;
    const struct platform *platform = platform_of(snapshot);
    struct arena *arena = &diagnosis->arena;
    struct port_range range = ports_range(snapshot, 0, 0, 0);
    if (!snapshot->net_values[0].has_setting[SETTING_PORT_RANGE_FIRST] || range.usable == 0)
        return;
    const char *reserved = range.reserved == 0
        ? ""
        : arena_printf(arena, ", less %s that are excluded: %s", phrases_count(arena, range.reserved),
              phrases_count(arena, range.usable));
    bool usual = range.first == platform->port_first && range.last == platform->port_last;
    lines_add(&diagnosis->notes, arena,
        "Ports for outgoing connections: %u to %u, %s%s%s. So many connections may there be from one address of this "
        "host to one destination (address and port) at one moment; another destination has the range anew.",
        range.first, range.last, phrases_count(arena, range.usable + range.reserved), reserved,
        usual ? arena_printf(arena, ", the default of %s", platform->name) : "");
    if (platform->time_wait_s > 0)
        lines_add(&diagnosis->notes, arena,
            "A port stays in TIME_WAIT for %u s: about %s connections a second to one destination, closed here first, "
            "use the range up.",
            platform->time_wait_s, phrases_count(arena, range.usable / platform->time_wait_s));
    else
        lines_add(&diagnosis->notes, arena,
            "A port stays in TIME_WAIT for two to four minutes: %s to %s connections a second to one destination, "
            "closed here first, use the range up.",
            phrases_count(arena, range.usable / 240), phrases_count(arena, range.usable / 120));
    if (platform->port_users != NULL)
        lines_add(&diagnosis->notes, arena, "Who uses them, and to where: %s", platform->port_users);
}

/* Adds the most frequent addresses, ports or names, if the connections were counted by these. */
static void add_keys_notes(const struct context *context, struct diagnosis *diagnosis)
{
    enum { SHOWN = 3 };
    const struct snapshot *snapshot = context->snapshot;
    struct arena *arena = &diagnosis->arena;
    const struct total *most[SHOWN] = { 0 };
    uint64_t keys = 0;
    for (size_t i = 0; i < snapshot->total_count; i++) {
        const struct total *total = &snapshot->totals[i];
        if (total->key == NULL || strncmp(total->key, "tcp", 3) == 0)
            continue;
        keys++;
        for (unsigned place = 0; place < SHOWN; place++) {
            if (most[place] != NULL && most[place]->count >= total->count)
                continue;
            memmove(&most[place + 1], &most[place], (SHOWN - 1 - place) * sizeof *most);
            most[place] = total;
            break;
        }
    }
    const char *list = "";
    for (unsigned i = 0; i < SHOWN && most[i] != NULL; i++)
        list = arena_printf(
            arena, "%s%s%s (%s)", list, i > 0 ? ", " : "", most[i]->key, phrases_count(arena, most[i]->count));
    if (keys > 0)
        lines_add(&diagnosis->notes, arena, "Counted by %s different addresses, ports or names; most have %s.",
            phrases_count(arena, keys), list);
}

static void add_process_note(const struct process *process, struct arena *arena, struct lines *notes)
{
    const char *limit = process_has_limit(process)
        ? arena_printf(arena, "%s are allowed, %u %% of them are used", phrases_count(arena, process->fds_limit),
              process_descriptors_percent(process))
        : "how many are allowed is not in this text (cat /proc/PID/limits; 1,024 where nobody has set more)";
    lines_add(notes, arena, "%s: %s shown, of which %s %s; %s.", phrases_process(arena, process),
        process->fds_open == 1 ? "1 descriptor is"
                               : arena_printf(arena, "%s descriptors are", phrases_count(arena, process->fds_open)),
        phrases_count(arena, process->fds_sockets), process->fds_sockets == 1 ? "is a socket" : "are sockets", limit);
}

/* Adds a note for each process whose descriptors the capture lists. */
static void add_descriptors_notes(const struct context *context, struct diagnosis *diagnosis)
{
    enum { SHOWN = 5 };
    const struct snapshot *snapshot = context->snapshot;
    struct arena *arena = &diagnosis->arena;
    unsigned listed = 0;
    bool has_sockets = false;
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const struct process *process = &snapshot->processes[i];
        has_sockets |= process->fds_sockets > 0;
        if (process->fds_open > 0 && listed++ < SHOWN)
            add_process_note(process, arena, &diagnosis->notes);
    }
    if (listed > SHOWN)
        lines_add(&diagnosis->notes, arena, "%u more processes have their descriptors in this text.", listed - SHOWN);
    if (has_sockets)
        lines_add(&diagnosis->notes, arena,
            "Which sockets these are, the numbers in brackets tell: ss -tanpe has them as ino. A TCP socket that is in "
            "no table has lost its connection and was not closed (tcpwhy explain closed-held): lsof -nP -p PID shows "
            "these as \"protocol: TCP\".");
}

void totals_add_notes(const struct context *context, struct diagnosis *diagnosis)
{
    if (context->snapshot->netns_count == 0)
        return;
    add_keys_notes(context, diagnosis);
    add_orphans_notes(context, diagnosis);
    add_range_notes(context, diagnosis);
    add_counters_notes(context, diagnosis);
    add_descriptors_notes(context, diagnosis);
}
