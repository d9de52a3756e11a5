#pragma once
/* The control groups that a capture names, each once. */
#include <stddef.h>

#include "model/snapshot.h"

/*
 * The one of that path, made when it is new; *last is the one found last, 0 at first. NULL where it is no path, where
 * there are too many, or without memory.
 */
const struct cgroup *cgroup_find(struct snapshot *snapshot, const char *path, size_t length, size_t *last);
