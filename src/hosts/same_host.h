#pragma once
/* Two snapshots of one host are not two hosts. */
#include "base/error.h"
#include "model/snapshot.h"

/* Refuses two captures of one host: -EINVAL. */
int hosts_check_same(const struct snapshot *one, const struct snapshot *other, struct error *err);
