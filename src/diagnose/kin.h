#pragma once
/* Used by group.c only: processes of one program, each started for one job or session, become one owner. */
#include "diagnose/fold.h"

/* Gives the keys of such processes the same owner. Renumbers stuck[i].group, which is the number of a key. */
void kin_join(const struct snapshot *snapshot, struct stuck *stuck, size_t count, struct fold_key_table *keys);
