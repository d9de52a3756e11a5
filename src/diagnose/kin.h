#pragma once
/*
 * Processes of one program that were started one by one, for a job or a session each, are one owner. Of group.c only.
 */
#include "diagnose/fold.h"

/* Gives the keys of such processes one owner, and the groups of the stuck connections with them. */
void kin_join(const struct snapshot *snapshot, struct stuck *stuck, size_t count, struct fold_key_table *keys);
