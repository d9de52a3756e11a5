#pragma once
/*
 * A text may contain several snapshots, one after the other: "netstat -ano 5", or a loop in a shell. Each has a row for
 * a connection that lasts, so that counting all rows would count it several times. Only one snapshot is used: the last
 * that is complete.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_index.h"
#include "model/snapshot.h"

struct repeats {
    /*
     * A sample of the connections. It is chosen by the endpoints, so it contains all rows of a connection or none. A
     * text may have millions of rows.
     */
    struct hash_index sample;
    size_t sampled;
    uint64_t unwanted; /* mask for a hash of the endpoints: a connection with one of these bits is not in the sample */
    bool found;        /* some connection has two rows */

    uint32_t *cut; /* indexes of connections with a cut address: different ones may look equal */
    size_t cut_count, cut_capacity;
    uint32_t *starts; /* indexes of the connections that follow a heading, a prompt or the like */
    size_t start_count, start_capacity;
    bool at_start; /* the next connection follows such a line */
    size_t filled; /* connections of which another snapshot showed more; set by repeats_keep_best() */
};

void repeats_deinit(struct repeats *repeats);
/* The text was interrupted: another snapshot may begin here. */
static inline void repeats_interrupt(struct repeats *repeats)
{
    repeats->at_start = true;
}
/* Call it after each connection that is added. is_cut: an address of it is cut. */
void repeats_add(struct repeats *repeats, const struct snapshot *snapshot, bool is_cut);
/*
 * Call it when all connections are added. It removes those of all snapshots but one. What only the others show of
 * the same connections, such as owners, is kept. Returns the number of snapshots, at least 1.
 *
 * It compares all rows only if the sample has repeats or the text was interrupted. ends_in_line: the text has no
 * newline at its end. The program may have been ended while it printed, so if the last snapshot has fewer rows, it is
 * not complete.
 */
unsigned repeats_keep_best(struct repeats *repeats, struct snapshot *snapshot, bool ends_in_line);
