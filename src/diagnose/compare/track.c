/*
 * A look may not show who holds a connection, or what its host listens on; another look at the same connection may. Both
 * hold for all of the connection's life.
 */
#include "diagnose/compare/track.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "diagnose/compare/match.h"

static uint32_t begin_life(struct diff_lives *lives)
{
    xvec_grow((void **)&lives->items, lives->count, &lives->capacity, sizeof *lives->items);
    lives->items[lives->count] = (struct diff_life){ .owner_look = NO_INDEX, .seen_look = NO_INDEX };
    return (uint32_t)lives->count++;
}

static void learn(
    struct diff_life *life, bool is_new, const struct context *context, uint32_t look, uint32_t conn_index)
{
    const struct conn *conn = &context->snapshot->conns[conn_index];
    if (conn->holder != NO_INDEX) {
        life->owner_look = look;
        life->owner_conn = conn_index;
    }
    if (life->listened)
        return;
    life->listened = conn_is_listener(conn) || context_listener(context, conn) != NULL;
    if (life->listened || is_new)
        life->incoming = life->listened || context_is_incoming(context, conn);
}

int diff_lives_init(
    struct diff_lives *lives, const struct snapshot *const *looks, const struct context *contexts, size_t count)
{
    *lives = (struct diff_lives){ 0 };
    for (size_t look = 0; look < count; look++) {
        const struct snapshot *now = looks[look];
        uint32_t *matches = look > 0 ? diff_match(looks[look - 1], now) : NULL;
        uint32_t *of = malloc((now->conn_count + 1) * sizeof *of);
        lives->of[look] = of;
        if (of == NULL || (look > 0 && matches == NULL)) {
            free(matches);
            return -ENOMEM;
        }
        for (size_t i = 0; i < now->conn_count; i++) {
            bool is_new = matches == NULL || matches[i] == NO_INDEX;
            of[i] = is_new ? begin_life(lives) : lives->of[look - 1][matches[i]];
            learn(&lives->items[of[i]], is_new, &contexts[look], (uint32_t)look, (uint32_t)i);
        }
        free(matches);
    }
    return 0;
}

void diff_lives_deinit(struct diff_lives *lives)
{
    for (size_t i = 0; i < DIFF_LOOKS_MOST; i++)
        free(lives->of[i]);
    free(lives->items);
    *lives = (struct diff_lives){ 0 };
}
