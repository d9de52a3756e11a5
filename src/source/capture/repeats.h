#pragma once
/*
 * A text may hold several looks one after the other: "netstat -ano 5", a loop in a shell. Each has its own row of a
 * connection that lasts, so that all of them together would count it as often. Only one is taken: the last that is
 * whole.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct looks {
    /* A sample, chosen by their ends, so that both rows of a connection are in it or none: there may be millions. */
    struct hash_index sample;
    size_t sampled;
    uint64_t unwanted; /* bits of a hash of the ends; one of them leaves out */
    bool repeats;      /* some connection came twice */

    uint32_t
        *cut; /* indexes of connections of whose addresses only the beginning is known: they look alike, and are not */
    size_t cut_count, cut_capacity;
    uint32_t *starts; /* indexes of connections before which a heading, a prompt or the like stood */
    size_t start_count, start_capacity;
    bool at_start; /* the next one is such */
};

void looks_deinit(struct looks *looks);
/* The text was interrupted: another look may begin here. */
static inline void looks_interrupt(struct looks *looks)
{
    looks->at_start = true;
}
/* Notes the last connection of the snapshot, each as it is added, and whether an address was cut. */
void looks_note(struct looks *looks, const struct snapshot *snapshot, bool is_cut);
/*
 * When all were added: drops the connections of all looks but one. Returns how many looks there were, at least 1.
 * It looks closely only where the sample shows a need, or the text was interrupted. With `ends_in_line`, the text ends
 * without a newline, as the output of a program does that was ended while it wrote: then the last look is not whole if
 * it has fewer rows.
 */
unsigned looks_keep_best(const struct looks *looks, struct snapshot *snapshot, bool ends_in_line);
