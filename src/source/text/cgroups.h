#pragma once
/* The control groups of a snapshot, each once. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/*
 * The index of the one with that path. It is added where it is new, with its unit and container, and without an id;
 * then *ret_is_new is true.
 */
uint32_t cgroups_intern(struct snapshot *snapshot, const char *path, size_t length, bool *ret_is_new);
/* Puts a process into one of them: its unit and container are the group's. */
void cgroups_put(struct snapshot *snapshot, struct process *process, uint32_t cgroup);
