#include "diagnose/rule.h"

#include <stdlib.h>

#include "base/memory.h"
#include "model/setting.h"

static int by_cookie(const void *a, const void *b)
{
    const struct cookie_index *one = a, *other = b;
    return one->cookie < other->cookie ? -1 : one->cookie > other->cookie;
}

static void index_earlier(struct context *context, const struct snapshot *earlier)
{
    context->earlier = NULL;
    context->earlier_count = 0;
    if (earlier == NULL || earlier->conn_count == 0)
        return;
    context->earlier = xcalloc(earlier->conn_count, sizeof *context->earlier);
    for (size_t i = 0; i < earlier->conn_count; i++) {
        if (conn_has(&earlier->conns[i], CONN_COOKIE))
            context->earlier[context->earlier_count++] = (struct cookie_index){ .cookie = earlier->conns[i].cookie,
                .conn = (uint32_t)i };
    }
    qsort(context->earlier, context->earlier_count, sizeof *context->earlier, by_cookie);
}

const struct conn *context_earlier(const struct context *context, const struct conn *conn)
{
    if (context->earlier_count == 0 || !conn_has(conn, CONN_COOKIE))
        return NULL;
    const struct cookie_index wanted = { .cookie = conn->cookie };
    const struct cookie_index *found = bsearch(
        &wanted, context->earlier, context->earlier_count, sizeof *context->earlier, by_cookie);
    return found == NULL ? NULL : &context->snapshot->earlier->conns[found->conn];
}

void context_init(struct context *context, const struct snapshot *snapshot)
{
    context->snapshot = snapshot;
    listeners_init(&context->listeners, snapshot);
    queues_init(&context->queues, &context->listeners);
    index_earlier(context, snapshot->earlier);
}

void context_deinit(struct context *context)
{
    free(context->earlier);
    queues_deinit(&context->queues);
    listeners_deinit(&context->listeners);
}

const struct conn *context_listener(const struct context *context, const struct conn *conn)
{
    return listeners_find(&context->listeners, conn);
}

bool context_is_incoming(const struct context *context, const struct conn *conn)
{
    if (context_listener(context, conn) != NULL)
        return true;
    const struct net_values *values = snapshot_net_values(context->snapshot, conn);
    int64_t first = setting_value(values, SETTING_PORT_RANGE_FIRST, 32768);
    int64_t last = setting_value(values, SETTING_PORT_RANGE_LAST, 60999);
    bool local_ephemeral = conn->local_port >= first && conn->local_port <= last;
    bool remote_ephemeral = conn->remote_port >= first && conn->remote_port <= last;
    if (local_ephemeral != remote_ephemeral)
        return remote_ephemeral;
    return conn->local_port < conn->remote_port; /* the lower port is the service, by custom */
}

bool context_is_settled(const struct context *context, const struct conn *conn, const struct limits *limits)
{
    struct age age = conn_age(context->snapshot, conn);
    return age.kind == AGE_UNKNOWN || age.ms >= limits->settle_ms;
}
