#include "diagnose/list_options.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/phrases.h"

static bool has_cause(const struct diagnosis *diagnosis, const struct finding *finding)
{
    for (size_t i = 0; i < finding->conn_count; i++) {
        if (strcmp(diagnosis_cause(diagnosis, finding->conns[i]), finding->id) == 0)
            return true;
    }
    return false;
}

/* "--state fin-wait-1,last-ack": the states of its connections; of a finding without any, those that it counts. */
static const char *by_states(struct arena *arena, const struct snapshot *snapshot, const struct finding *finding)
{
    struct buf text = { 0 };
    uint32_t states = finding->conn_count == 0 ? STATE_BIT(STATE_TIME_WAIT) : 0;
    for (size_t i = 0; i < finding->conn_count; i++)
        states |= STATE_BIT(snapshot->conns[finding->conns[i]].state);
    for (int state = 0; state < STATE_COUNT; state++) {
        if ((states & STATE_BIT(state)) == 0)
            continue;
        buf_str(&text, text.length > 0 ? "," : "--state ");
        for (const char *at = state_name((enum conn_state)state); *at != '\0'; at++)
            buf_char(&text, *at == '_' ? '-' : (char)tolower((unsigned char)*at));
    }
    if (finding->netns != NULL && !finding->netns->is_own && finding->netns->pid != 0)
        buf_printf(&text, " --netns %" PRIu32, finding->netns->pid);
    const char *options = arena_strdup(arena, buf_text(&text));
    buf_deinit(&text);
    return options;
}

void list_options_set(struct diagnosis *diagnosis, struct finding *finding)
{
    struct arena *arena = &diagnosis->arena;
    if (diagnosis->snapshot->counts_only)
        return;
    finding->lists_cause = has_cause(diagnosis, finding);
    if (finding->lists_cause)
        finding->list_options = arena_printf(arena, "--cause %s", finding->id);
    else if (finding->owner != NULL && finding->owner->pid != 0)
        finding->list_options = arena_printf(arena, "--pid %" PRIu32, finding->owner->pid);
    else if (finding->remote.known && !finding->remote.any_address && !ip_is_word(&finding->remote.address))
        finding->list_options = finding->remote.any_port || finding->remote.port == 0
            ? arena_printf(arena, "--peer %s", phrases_address(arena, &finding->remote.address))
            : arena_printf(arena, "--peer %s", phrases_end(arena, &finding->remote.address, finding->remote.port));
    else
        finding->list_options = by_states(arena, diagnosis->snapshot, finding);
}
