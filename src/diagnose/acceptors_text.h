#pragma once
/*
 * What is said of those who should accept, and what helps.
 */
#include "diagnose/acceptors.h"

/* "gunicorn (pid 812)", "gunicorn (pid 812 and 3 more)" */
const char *acceptors_name(struct arena *arena, const struct acceptors *acceptors, const struct process *otherwise);
/* Who has the listener open, who of them should accept, and what each does instead. */
void acceptors_evidence(struct arena *arena, const struct acceptors *acceptors, struct lines *evidence);
/* What keeps it from coming back: that depends on the obstacle, too. */
void acceptors_fix_for_good(struct arena *arena, const struct acceptors *acceptors, struct fixes *fixes);
/* What removes the obstacle; where there is none, how to see where they hang. */
void acceptors_fix(
    struct arena *arena, const struct context *context, const struct acceptors *acceptors, struct fixes *fixes);
