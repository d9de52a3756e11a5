#pragma once
/* Adds control groups to a snapshot. Each path is stored once. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/*
 * Returns the index of the cgroup with that path. A new one is added with its unit and container; its id stays 0. Then
 * *ret_is_new is true.
 */
uint32_t cgroups_intern(struct snapshot *snapshot, const char *path, size_t length, bool *ret_is_new);
/* Sets the cgroup of a process, and with it the unit and the container of the process. */
void cgroups_put(struct snapshot *snapshot, struct process *process, uint32_t cgroup);
