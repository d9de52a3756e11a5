#pragma once
/* A previous snapshot that must confirm the conclusions from this one: snapshot.confirms. */
#include "diagnose/context.h"

/* The context of the previous snapshot. All zero if no snapshot has to confirm. */
struct confirm {
    struct context previous;
    bool *selected;  /* for previous.selected: nothing is selected */
    uint8_t *causes; /* for previous.causes: all "normal" */
};

/* The context must outlive it. Release it with confirm_deinit(). */
void confirm_init(struct confirm *confirm, const struct context *context);
void confirm_deinit(struct confirm *confirm);
/*
 * True if the previous snapshot confirms the cause (an index into rules): the connection has not changed since, and had
 * the same cause then, whatever its age was. For a rule with holds_moving, the connection only has to be there. Also
 * true if no snapshot has to confirm.
 */
bool confirm_holds(
    const struct confirm *confirm, const struct snapshot *snapshot, const struct conn *conn, uint8_t cause);
