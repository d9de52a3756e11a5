#include "diagnose/compare/cross_table.h"

/*
 * The selection in two parts: the terms about the owner, and all others. The owner may be known only from another
 * snapshot, so the two parts are matched separately.
 */
struct terms {
    struct selection owners, others;
    bool has_owners, has_others;
};

static struct terms terms_of(const struct selection *selection)
{
    struct terms terms = { 0 };
    if (selection == NULL)
        return terms;
    terms.others = *selection;
    terms.owners = (struct selection){ .pid_count = selection->pid_count, .name_count = selection->name_count };
    for (unsigned i = 0; i < selection->pid_count; i++)
        terms.owners.pids[i] = selection->pids[i];
    for (unsigned i = 0; i < selection->name_count; i++)
        terms.owners.names[i] = selection->names[i];
    terms.others.pid_count = terms.others.name_count = 0;
    terms.has_owners = !selection_is_empty(&terms.owners);
    terms.has_others = !selection_is_empty(&terms.others);
    return terms;
}

/*
 * The connection with its holder, in this snapshot or in another one (*ret_snapshot). NULL if no process holds the
 * connection, or if no snapshot shows which one does.
 */
static const struct conn *held_conn(const struct diff_builder *builder, const struct diff_track *track,
    const struct conn *conn, size_t number, const struct snapshot **ret_snapshot)
{
    /* In the other states a process often has closed the connection already. */
    static const uint32_t held_states = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) |
        STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_BOUND) | STATE_BIT(STATE_CLOSED);
    *ret_snapshot = builder->snapshots[number];
    if (conn->holder != NO_INDEX)
        return conn;
    if (track->owner_snapshot == NO_INDEX || conn_is_unheld(conn) || (held_states & STATE_BIT(conn->state)) == 0)
        return NULL;
    *ret_snapshot = builder->snapshots[track->owner_snapshot];
    return &(*ret_snapshot)->conns[track->owner_conn];
}

static bool is_selected(const struct terms *terms, const struct snapshot *snapshot, const struct conn *conn,
    const struct snapshot *held_snapshot, const struct conn *held)
{
    if (terms->has_others && !selection_matches(&terms->others, snapshot, conn))
        return false;
    if (!terms->has_owners)
        return true;
    return held != NULL ? selection_matches(&terms->owners, held_snapshot, held)
                        : selection_matches(&terms->owners, snapshot, conn);
}

static struct value service_of(const struct diff_track *track, const struct conn *conn)
{
    if (track->incoming)
        return (struct value){ .kind = VALUE_SERVICE_IN, .port = conn->local_port };
    if (conn->remote_port == 0) /* a bound or closed socket has no peer */
        return value_unknown();
    return (struct value){ .kind = VALUE_SERVICE_OUT, .ip = conn->remote, .port = conn->remote_port };
}

static void count_conn(struct diff_builder *builder, struct diff_track *track, uint32_t cell, size_t number)
{
    unsigned settle = builder->diff->settle_snapshots;
    struct diff_table *cross_table = &builder->cross_table;
    bool stays = number > 0 && track->seen_snapshot == number - 1 && track->seen_cell == cell;
    diff_table_tally(cross_table, cell, TALLY_COUNT)[number]++;
    if (!stays)
        track->seen_since = (uint32_t)number;
    diff_table_tally(cross_table, cell, TALLY_STAYED)[number] += stays;
    diff_table_tally(cross_table, cell, TALLY_CORE)[number] += track->seen_since == 0;
    diff_table_tally(cross_table, cell, TALLY_SETTLED)[number] += number - track->seen_since >= settle;
    diff_table_tally(cross_table, cell, TALLY_REMAINED)[number] += stays && number - 1 - track->seen_since >= settle;
    track->seen_snapshot = (uint32_t)number;
    track->seen_cell = cell;
}

static void count_snapshot(struct diff_builder *builder, const struct terms *terms, size_t number)
{
    struct diff *diff = builder->diff;
    const struct snapshot *snapshot = builder->snapshots[number];
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        struct diff_track *track = &builder->tracks.items[builder->tracks.of[number][i]];
        const struct snapshot *held_snapshot;
        const struct conn *held = held_conn(builder, track, conn, number, &held_snapshot);
        if (!is_selected(terms, snapshot, conn, held_snapshot, held))
            continue;
        const struct process *owner = held != NULL ? snapshot_owner(held_snapshot, held) : NULL;
        const struct diff_key key = {
            .process = value_text(owner != NULL ? owner->name : NULL),
            .pid = owner != NULL ? owner->pid : 0,
            .service = service_of(track, conn),
            .state = conn->state,
        };
        count_conn(builder, track, diff_table_index(&builder->cross_table, &key), number);
        track->in_first |= number == 0;
        diff->snapshots[number].conns++;
        diff->stayed += number == builder->count - 1 && track->in_first;
    }
}

void diff_count_cross_table(struct diff_builder *builder)
{
    struct diff *diff = builder->diff;
    const struct terms terms = terms_of(builder->selection);
    diff_table_init(&builder->cross_table, builder->count);
    for (size_t number = 0; number < builder->count; number++)
        count_snapshot(builder, &terms, number);
    diff->came = diff->snapshots[builder->count - 1].conns - diff->stayed;
    diff->went = diff->snapshots[0].conns - diff->stayed;
}
