#pragma once
/*
 * Which processes should accept the connections that wait at a listener. Several processes may have the listener open:
 * a master that only supervises, its workers, a service manager that passed the socket on (socket activation), and
 * child processes that inherited it by accident.
 */
#include <stdbool.h>

#include "diagnose/context.h"
#include "model/diagnosis.h"

/*
 * The processes that should accept connections of a listener. If several listeners share the port (SO_REUSEPORT), also
 * those of each other listener at which connections wait.
 */
struct acceptors {
    const struct process_count *items; /* each with the number of accepted connections that it holds */
    size_t count;
    size_t holders;                   /* all processes that have the listener open */
    const struct process *master;     /* has the listener open, but its children accept; or NULL */
    bool is_inherited;                /* only programs that never call accept() have it open; then items has these */
    const struct process *obstructed; /* the first process if none of them can accept now; else NULL */
};

/*
 * The owner of a listener: the process that most likely accepts. NULL if nobody is known to hold it, or if it is NULL.
 */
const struct process *acceptors_first(const struct context *context, const struct conn *listener);

/* The arrays are in the arena. A listener of NULL gives an empty result. */
struct acceptors acceptors_find(const struct context *context, struct arena *arena, const struct conn *listener);
