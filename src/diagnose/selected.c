#include "diagnose/selected.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/rule.h"

bool selected_all(const struct selection *selection)
{
    if (selection == NULL)
        return true;
    struct selection rest = *selection;
    if (rest.netns != NULL && strcmp(rest.netns, "self") == 0)
        rest.netns = NULL;
    return selection_is_empty(&rest);
}

void selected_mark(const struct selection *selection, struct diagnosis *diagnosis, bool *selected)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    bool all = selection == NULL || selection_is_empty(selection);
    diagnosis->selected_count = 0;
    memset(diagnosis->by_state, 0, sizeof diagnosis->by_state);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        selected[i] = all ||
            (selection_matches(selection, snapshot, conn) &&
                selection_matches_cause(selection, diagnosis_cause(diagnosis, i)));
        diagnosis->selected_count += selected[i];
        diagnosis->by_state[conn->state] += selected[i];
    }
    diagnosis->selected = selected_all(selection) ? NULL : selected;
}

/* --- which findings --------------------------------------------------------------------------------------------- */

/*
 * True if the connection came in through a selected listener and belongs to no process (any more): its service may have
 * closed it, or has not accepted it yet.
 */
static bool is_of_selected_listener(
    const struct context *context, const struct selection *selection, const struct conn *conn)
{
    const uint32_t waiting = STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT);
    bool by_process = selection->pid_count + selection->name_count > 0;
    if (conn->holder != NO_INDEX || (conn->state != STATE_SYN_RECEIVED && !conn_is_unheld(conn)) ||
        (!by_process && (waiting & STATE_BIT(conn->state)) == 0))
        return false;
    const struct conn *listener = context_listener(context, conn);
    return listener != NULL && context->selected[listener - context->snapshot->conns];
}

const bool *selected_concerns(const struct context *context, const struct selection *selection,
    const struct stuck *stuck, size_t count, struct arena *arena)
{
    enum { LINKS = 2 }; /* a client waits for a server, which waits for a listener */
    if (context->selects_all)
        return NULL;
    size_t conns = context->snapshot->conn_count;
    bool *concerns = arena_alloc(arena, conns * sizeof *concerns);
    /* Not only those that are stuck by now: the other end may be stuck before. */
    for (size_t i = 0; i < conns; i++)
        concerns[i] = context->selected[i] || is_of_selected_listener(context, selection, &context->snapshot->conns[i]);
    for (int link = 0; link < LINKS; link++) {
        for (size_t i = 0; i < count; i++)
            concerns[stuck[i].pair == NO_INDEX ? stuck[i].conn : stuck[i].pair] |= stuck[i].yields &&
                concerns[stuck[i].conn];
    }
    return concerns;
}

/* Puts the selected connections before the others, each in the order that they have. Returns how many there are. */
static uint64_t selected_first(const bool *selected, struct arena *arena, struct finding *finding)
{
    uint32_t *conns = arena_alloc(arena, finding->conn_count * sizeof *conns);
    size_t count = 0;
    for (size_t i = 0; i < finding->conn_count; i++) {
        if (selected[finding->conns[i]])
            conns[count++] = finding->conns[i];
    }
    size_t filled = count;
    for (size_t i = 0; i < finding->conn_count; i++) {
        if (!selected[finding->conns[i]])
            conns[filled++] = finding->conns[i];
    }
    finding->conns = conns;
    return count;
}

static bool is_any(const bool *marks, const uint32_t *conns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (marks[conns[i]])
            return true;
    }
    return false;
}

/* True if this finding is the cause of another one that is shown: its process runs out of descriptors. */
static bool explains_shown(const struct finding_list *list, size_t shown, const struct finding *finding)
{
    for (size_t i = 0; i < shown && strcmp(finding->id, "descriptor-exhaustion") == 0; i++) {
        if (list->items[i].owner == finding->owner)
            return true;
    }
    return false;
}

void selected_filter(
    const struct context *context, const bool *concerns, struct arena *arena, struct finding_list *list)
{
    if (concerns == NULL)
        return;
    size_t shown = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct finding *finding = &list->items[i];
        uint64_t count = selected_first(context->selected, arena, finding);
        if (count > finding->selected_count) /* some have only a sample of their connections */
            finding->selected_count = count;
        for (size_t end = 0; end < finding->other_end_count; end++)
            finding->selected_ends += context->selected[finding->other_ends[end]];
        if (finding->is_concerned || finding->selected_count > 0 || finding->selected_ends > 0 ||
            is_any(concerns, finding->conns, finding->conn_count) ||
            is_any(concerns, finding->other_ends, finding->other_end_count) || explains_shown(list, shown, finding))
            list->items[shown++] = *finding;
    }
    list->count = shown;
}

/* --- gaps ------------------------------------------------------------------------------------------------------- */

/* As the source counts it: the connection has a descriptor, and is old enough for it to have been found. */
static bool is_unowned(const struct conn *conn)
{
    enum { NEW_MS = 2000 };
    bool is_new = conn->state == STATE_SYN_SENT ||
        (conn_has(conn, CONN_TCP_INFO) && conn->last_data_sent_ms < NEW_MS && conn->last_data_recv_ms < NEW_MS);
    return conn_has(conn, CONN_INODE) && conn->inode != 0 && conn->holder == NO_INDEX && !is_new;
}

/* True if all processes that --pid names were seen: then their descriptors were, too. */
static bool are_pids_seen(const struct selection *selection, const struct snapshot *snapshot)
{
    for (unsigned i = 0; i < selection->pid_count; i++) {
        if (snapshot_process_by_pid(snapshot, selection->pids[i]) == NULL)
            return false;
    }
    return selection->pid_count > 0;
}

/* How many sockets without a known owner are selected, or would be if their owner were the wanted one. */
static uint64_t count_unowned(const struct selection *selection, const struct diagnosis *diagnosis)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    uint64_t count = 0;
    if (are_pids_seen(selection, snapshot))
        return 0;
    struct selection rest = *selection;
    rest.pid_count = rest.name_count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        count += is_unowned(conn) && selection_matches(&rest, snapshot, conn) &&
            selection_matches_cause(&rest, diagnosis_cause(diagnosis, i));
    }
    return count;
}

void selected_gaps(const struct selection *selection, struct diagnosis *diagnosis)
{
    static const char begins[] = "who holds ";
    const struct snapshot *snapshot = diagnosis->snapshot;
    for (size_t i = 0; diagnosis->selected != NULL && i < snapshot->gap_count; i++) {
        const struct gap *gap = &snapshot->gaps[i];
        enum gap_kind kind = gap_find(gap->id);
        const char *reason = strchr(gap->text, ':');
        if (!gap_is_about_owners(kind) || reason == NULL || strncmp(gap->text, begins, sizeof begins - 1) != 0)
            continue;
        diagnosis->recounts_owners = true;
        uint64_t count = count_unowned(selection, diagnosis);
        if (count == 0)
            continue;
        struct buf number = { 0 };
        text_count(&number, count);
        diagnosis_add_gap(diagnosis, kind,
            arena_printf(&diagnosis->arena, "who holds %s of the sockets that %s is not known%s", buf_text(&number),
                selection->pid_count + selection->name_count > 0 ? "may be meant" : "were selected", reason),
            gap->remedy);
        buf_deinit(&number);
    }
}
