#pragma once
/*
 * What ends a process in the usual way, and what it belongs to with it: a container by the runtime that its control
 * group names, Windows' services by their manager.
 */
#include "model/diagnosis.h"

/* False where it belongs to no container. */
bool restart_container(
    struct arena *arena, const struct snapshot *snapshot, const struct process *process, struct fixes *fixes);
/* A process that must not be ended, or has to be asked what runs in it first; false where it is none of them. */
bool restart_windows_system(
    struct arena *arena, const struct snapshot *snapshot, const struct process *process, struct fixes *fixes);
