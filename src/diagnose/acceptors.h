#pragma once
/*
 * Who should accept the connections that wait at a listener. Several processes may have it open: a master that only
 * supervises, the workers that serve, a service manager that passed it on, and children that inherited it by accident.
 */
#include <stdbool.h>

#include "diagnose/context.h"
#include "model/diagnosis.h"

/*
 * Those of a listener that should accept; of the many listeners of one port (SO_REUSEPORT), of those where something
 * waits.
 */
struct acceptors {
    const struct process_count *items; /* with the connections of listeners that each holds: one that serves has some */
    size_t count;
    size_t holders;                   /* processes that have the listener open, of whatever kind */
    const struct process *master;     /* has it open and leaves accepting to its children; or NULL */
    bool is_inherited;                /* only programs that never accept have it open */
    const struct process *obstructed; /* the first, where none of them can accept; else NULL */
};

/* Which process is meant by the owner of a listener, or NULL. */
const struct process *acceptors_first(const struct context *context, const struct conn *listener);

struct acceptors acceptors_find(const struct context *context, struct arena *arena, const struct conn *listener);
