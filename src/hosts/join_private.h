#pragma once
/* What the files that put hosts together share; nothing else includes it. */
#include "base/error.h"
#include "hosts/join.h"

/* Notes as gaps where both ends of connections may be there without fitting together; hosts_meet.c. 0 or -ENOMEM. */
int hosts_note_hidden(struct snapshot *snapshot);
/* Notes how far apart the hosts were looked at; hosts_apart.c. */
void hosts_note_times(struct snapshot *snapshot);
/* Refuses two captures of one host: -EINVAL, or -ENOMEM; hosts_same.c. */
int hosts_check_same(const struct snapshot *one, const struct snapshot *other, struct error *err);
