#pragma once
/* How many connection attempts a listener has dropped, and how far that is known. */
#include "diagnose/context.h"
#include "model/diagnosis.h"

/*
 * Adds what is known of the drops of these listeners, which share a port (`conns` are indexes into snapshot.conns).
 * Adds nothing if they have dropped nothing.
 */
void phrases_drops(
    struct arena *arena, const struct snapshot *snapshot, const uint32_t *conns, size_t count, struct lines *evidence);
