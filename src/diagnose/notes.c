/* The healthy part of a report: why something that looks alarming is normal, and what this version does not judge. */
#include "diagnose/notes.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/context.h"
#include "diagnose/phrases.h"
#include "diagnose/platform.h"
#include "diagnose/rule.h"

/* Fewer connections in TIME_WAIT get no note. */
enum { TIME_WAIT_NOTED = 100 };

/* How many of the selected connections in this state have the cause "normal". */
static uint64_t count_normal(const struct diagnosis *diagnosis, const bool *selected, enum conn_state state)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    uint64_t count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        count += selected[i] && snapshot->conns[i].state == state && diagnosis->causes[i] == 0;
    return count;
}

static void add_time_wait_note(const struct context *context, struct diagnosis *diagnosis, const bool *selected)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    /* The others are in a finding, which explains TIME_WAIT too. */
    uint64_t count = count_normal(diagnosis, selected, STATE_TIME_WAIT);
    if (count == 0 || (count < TIME_WAIT_NOTED && !context_is_asked_about(context, count)))
        return;
    uint64_t incoming = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        incoming += selected[i] && conn->state == STATE_TIME_WAIT && diagnosis->causes[i] == 0 &&
            context_listener(context, conn) != NULL;
    }
    struct arena *arena = &diagnosis->arena;
    const char *who = incoming == count ? "the services here close first, as most servers do"
        : incoming == 0
        ? "this host's clients close first"
        : arena_printf(arena, "in %s of them a service here closed first", phrases_count(arena, incoming));
    lines_add(&diagnosis->notes, arena, "TIME_WAIT %s: normal. %s and holds neither a descriptor nor a process; %s.",
        phrases_count(arena, count), platform_of(snapshot)->time_wait_life, who);
    if (context_is_asked_about(context, count))
        lines_add(&diagnosis->notes, arena,
            "Nobody owns a connection in TIME_WAIT, and so it has no process id (Windows shows 0): its program has "
            "closed it already. It catches segments that come late (RFC 9293 section 3.6.1). There is nothing to end "
            "and nothing to fix.");
}

/* True if the source shows only the state of these connections. Then nobody can say that they are young. */
static bool is_only_state_known(const struct snapshot *snapshot, enum conn_state state)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (conn->state == state && (conn_has(conn, CONN_TIMER) || conn_has(conn, CONN_TCP_INFO)))
            return false;
    }
    return true;
}

static void add_young_note(struct diagnosis *diagnosis, const bool *selected, enum conn_state state, const char *why)
{
    uint64_t count = count_normal(diagnosis, selected, state);
    if (count == 0)
        return;
    if (is_only_state_known(diagnosis->snapshot, state))
        why = "not judged: this few is common, and this source cannot show whether they are stuck.";
    lines_add(&diagnosis->notes, &diagnosis->arena, "%s %s: %s", state_name(state),
        phrases_count(&diagnosis->arena, count), why);
}

/* Adds a note about states that no rule judges: they must not look healthy. */
static void add_unjudged_note(struct diagnosis *diagnosis)
{
    static const enum conn_state quiet = STATE_BOUND;
    uint32_t judged = STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_TIME_WAIT) |
        STATE_BIT(STATE_CLOSED) | STATE_BIT(quiet);
    for (unsigned i = 1; i < rule_count; i++)
        judged |= rules[i].states;
    struct buf text = { 0 };
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) {
        if ((judged & STATE_BIT(state)) != 0 || diagnosis->by_state[state] == 0)
            continue;
        buf_str(&text, text.length > 0 ? ", " : "");
        buf_printf(&text, "%s ", state_name((enum conn_state)state));
        text_count(&text, diagnosis->by_state[state]);
    }
    if (text.length > 0)
        lines_add(&diagnosis->notes, &diagnosis->arena,
            "Counted, not judged by this version unless named above: %s. 'tcpwhy explain STATE' says what they mean.",
            buf_text(&text));
    buf_deinit(&text);
}

void notes_make(const struct context *context, struct diagnosis *diagnosis, const bool *selected)
{
    add_time_wait_note(context, diagnosis, selected);
    add_young_note(diagnosis, selected, STATE_CLOSE_WAIT,
        "normal so far. Too young to tell, or half-closed with data still flowing.");
    add_young_note(diagnosis, selected, STATE_LAST_ACK, "normal so far. The last acknowledgement is on its way.");
    add_young_note(diagnosis, selected, STATE_FIN_WAIT_1,
        "normal so far. The acknowledgement of the FIN is on its way, or data before it still flows.");
    add_young_note(diagnosis, selected, STATE_CLOSING, "normal so far. The last acknowledgement is on its way.");
    add_young_note(diagnosis, selected, STATE_FIN_WAIT_2,
        "normal so far. Closed here; the peers have a while to close too, and may still send.");
    add_unjudged_note(diagnosis);
}
