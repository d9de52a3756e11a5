#pragma once
/* Recognises two snapshots of the same host. */
#include "base/error.h"
#include "model/snapshot.h"

/* Returns 0, or -EINVAL with err filled if both snapshots are of the same host. */
int hosts_check_same(const struct snapshot *one, const struct snapshot *other, struct error *err);
