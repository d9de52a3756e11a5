#pragma once
/* Sentences about the processes that should accept, and fixes. */
#include "diagnose/acceptors.h"

/* "gunicorn (pid 812)", "gunicorn (pid 812 and 3 more)"; without acceptors the name of `otherwise` */
const char *acceptors_name(struct arena *arena, const struct acceptors *acceptors, const struct process *otherwise);
/* Adds which processes have the listener open, which of them should accept, and what keeps each from it. */
void acceptors_evidence(struct arena *arena, const struct acceptors *acceptors, struct lines *evidence);
/* Adds how to keep the obstacle from coming back. */
void acceptors_fix_for_good(struct arena *arena, const struct acceptors *acceptors, struct fixes *fixes);
/* Adds what removes the obstacles of the acceptors, and how to see where their threads wait. */
void acceptors_fix(
    struct arena *arena, const struct context *context, const struct acceptors *acceptors, struct fixes *fixes);
