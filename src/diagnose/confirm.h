#pragma once
/*
 * An earlier snapshot that has to confirm what this one shows.
 */
#include "diagnose/context.h"

/* The earlier look, where one has to confirm this one; zeroed where there is none. */
struct confirm {
    struct context previous;
    bool *selected; /* what the context refers to: nothing selected, no cause known */
    uint8_t *causes;
};

/* Release with confirm_deinit(). */
void confirm_init(struct confirm *confirm, const struct context *context);
void confirm_deinit(struct confirm *confirm);
/*
 * Whether the connection had this cause (an index into rules) in the earlier look already, but perhaps for its age, and
 * has not moved since; true where there is no such look.
 */
bool confirm_holds(
    const struct confirm *confirm, const struct snapshot *snapshot, const struct conn *conn, uint8_t cause);
