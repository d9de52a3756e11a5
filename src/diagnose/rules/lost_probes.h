#pragma once
/* Probes of keepalive that nobody answers: a case of the finding established-unanswered. */
#include <stdbool.h>

#include "diagnose/context.h"
#include "diagnose/group.h"
#include "diagnose/phrases_lost.h"
#include "model/diagnosis.h"

/* Whether so many probes were lost that the peer, or the path to it, is gone. */
bool lost_probes_prove(const struct conn *conn);
/* Whether that is what most of the group have. */
bool lost_probes_are_most(const struct context *context, const struct group *group);
void lost_probes_describe(const struct context *context, const struct group *group, const struct lost *lost,
    struct arena *arena, struct finding *finding);
