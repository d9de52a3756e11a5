#pragma once
/*
 * Adds fixes that restart what a process belongs to: a container with the tool of its runtime, a Windows service with
 * its manager.
 */
#include "model/diagnosis.h"

/* Returns false if the process is in no container. */
bool restart_container(
    struct arena *arena, const struct snapshot *snapshot, const struct process *process, struct fixes *fixes);
/*
 * For processes of Windows that must not be ended, or in which several services may run. Returns false for any other
 * process.
 */
bool restart_windows_system(
    struct arena *arena, const struct snapshot *snapshot, const struct process *process, struct fixes *fixes);
