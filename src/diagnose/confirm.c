/*
 * Two snapshots show which connections stay stuck, and which only passed through a state. A cause is confirmed if the
 * rules find the same cause in the previous snapshot, at any age: a connection that was too young then, and is
 * unchanged now, is stuck.
 */
#include "diagnose/confirm.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/context.h"
#include "diagnose/limits.h"
#include "diagnose/rule.h"
#include "model/previous.h"

void confirm_init(struct confirm *confirm, const struct context *context)
{
    const struct snapshot *snapshot = context->snapshot;
    *confirm = (struct confirm){ 0 };
    if (!snapshot->confirms)
        return;
    size_t count = snapshot->previous->conn_count;
    confirm->selected = xcalloc(count, sizeof *confirm->selected);
    confirm->causes = xcalloc(count, sizeof *confirm->causes);
    confirm->previous.selected = confirm->selected;
    confirm->previous.causes = confirm->causes;
    confirm->previous.policy = context->policy;
    confirm->previous.limits = context->limits;
    context_init(&confirm->previous, snapshot->previous);
}

void confirm_deinit(struct confirm *confirm)
{
    if (confirm->previous.snapshot != NULL)
        context_deinit(&confirm->previous);
    free(confirm->selected);
    free(confirm->causes);
    *confirm = (struct confirm){ 0 };
}

static bool applies_at_any_age(const struct rule *rule, const struct context *context, const struct conn *conn)
{
    struct limits limits = *context_limits(context, context_service(context, conn), rule);
    limits.settle_ms = 0;
    return (rule->states & STATE_BIT(conn->state)) != 0 && rule->applies(context, conn, &limits);
}

bool confirm_holds(
    const struct confirm *confirm, const struct snapshot *snapshot, const struct conn *conn, uint8_t cause)
{
    if (!snapshot->confirms)
        return true;
    if (rules[cause].holds_moving)
        return previous_conn(snapshot, conn) != NULL;
    if (!previous_stayed(snapshot, conn))
        return false;
    const struct conn *then = previous_conn(snapshot, conn);
    for (unsigned i = 1; i < rule_count; i++) {
        if (applies_at_any_age(&rules[i], &confirm->previous, then))
            return i == cause;
    }
    return false;
}
