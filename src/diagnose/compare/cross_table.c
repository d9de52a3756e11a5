/* Counts the connections of each process, service and state in each look: all, and those that were there before. */
#include "diagnose/compare/cross_table.h"

/* Whom the selection names, and what it says else: the owner may be known from another look. */
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

/* Where to look for who holds it: NULL where nobody does, or nobody is known to in any look. */
static const struct conn *held_conn(const struct diff_builder *builder, const struct diff_life *life,
    const struct conn *conn, size_t look, const struct snapshot **ret_snapshot)
{
    /* In others the kernel often goes on alone. */
    static const uint32_t held_states = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) |
        STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_BOUND) | STATE_BIT(STATE_CLOSED);
    *ret_snapshot = builder->looks[look];
    if (conn->holder != NO_INDEX)
        return conn;
    if (life->owner_look == NO_INDEX || conn_is_unheld(conn) || (held_states & STATE_BIT(conn->state)) == 0)
        return NULL;
    *ret_snapshot = builder->looks[life->owner_look];
    return &(*ret_snapshot)->conns[life->owner_conn];
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

static struct value service_of(const struct diff_life *life, const struct conn *conn)
{
    if (life->incoming)
        return (struct value){ .kind = VALUE_SERVICE_IN, .port = conn->local_port };
    if (conn->remote_port == 0) /* bound or closed: goes nowhere */
        return value_unknown();
    return (struct value){ .kind = VALUE_SERVICE_OUT, .ip = conn->remote, .port = conn->remote_port };
}

static void count_conn(struct diff_builder *builder, struct diff_life *life, uint32_t cell, size_t look)
{
    unsigned settle = builder->diff->settle_looks;
    struct diff_table *cells = &builder->cells;
    bool stays = look > 0 && life->seen_look == look - 1 && life->seen_cell == cell;
    diff_table_tally(cells, cell, TALLY_COUNT)[look]++;
    if (!stays)
        life->seen_since = (uint32_t)look;
    diff_table_tally(cells, cell, TALLY_STAYED)[look] += stays;
    diff_table_tally(cells, cell, TALLY_CORE)[look] += life->seen_since == 0;
    diff_table_tally(cells, cell, TALLY_SETTLED)[look] += look - life->seen_since >= settle;
    diff_table_tally(cells, cell, TALLY_REMAINED)[look] += stays && look - 1 - life->seen_since >= settle;
    life->seen_look = (uint32_t)look;
    life->seen_cell = cell;
}

static void count_look(struct diff_builder *builder, const struct terms *terms, size_t look)
{
    struct diff *diff = builder->diff;
    const struct snapshot *snapshot = builder->looks[look];
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        struct diff_life *life = &builder->lives.items[builder->lives.of[look][i]];
        const struct snapshot *held_snapshot;
        const struct conn *held = held_conn(builder, life, conn, look, &held_snapshot);
        if (!is_selected(terms, snapshot, conn, held_snapshot, held))
            continue;
        const struct process *owner = held != NULL ? snapshot_owner(held_snapshot, held) : NULL;
        const struct diff_key key = {
            .process = value_text(owner != NULL ? owner->name : NULL),
            .pid = owner != NULL ? owner->pid : 0,
            .service = service_of(life, conn),
            .state = conn->state,
        };
        count_conn(builder, life, diff_table_index(&builder->cells, &key), look);
        life->in_first |= look == 0;
        diff->looks[look].conns++;
        diff->stayed += look == builder->count - 1 && life->in_first;
    }
}

void diff_count_cells(struct diff_builder *builder)
{
    struct diff *diff = builder->diff;
    const struct terms terms = terms_of(builder->selection);
    diff_table_init(&builder->cells, builder->count);
    for (size_t look = 0; look < builder->count; look++)
        count_look(builder, &terms, look);
    diff->came = diff->looks[builder->count - 1].conns - diff->stayed;
    diff->went = diff->looks[0].conns - diff->stayed;
}
