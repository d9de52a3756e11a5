#pragma once
/*
 * Since when connections have been stuck, kept in a file between two runs of a command. Where keepalive runs, or where
 * a source shows no clock, one snapshot cannot tell how long a connection has been in its state. Two of them that agree
 * give a lower bound. Bounded: of more than STUCK_MAX connections the oldest are kept.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/diagnosis.h"

enum {
    STUCK_MAX = 20000,
    STUCK_LINE_MAX = 38,   /* 16 digits, a space, 20 digits, the end of the line */
    STUCK_BOOT_MAX = 64,   /* bytes of what names this run of the kernel */
    STUCK_HEAD_MAX = 1024, /* bytes of the first lines */
    STUCK_TEXT_MAX = STUCK_MAX * STUCK_LINE_MAX + STUCK_HEAD_MAX,
};

/* One connection, in one state, with the bytes that it had moved until then. */
struct stuck_entry {
    uint64_t key;
    uint64_t since_ms; /* since the computer was started */
};

struct stuck_since {
    struct stuck_entry *items;
    size_t count, capacity;
};

void stuck_since_deinit(struct stuck_since *since);

/*
 * Reads what stuck_since_format() wrote. `boot` names this run of the kernel: cookies, inodes and the clock begin again
 * with the next one. Returns 0; -ESTALE where it is of another one; -EBADMSG where it is nothing that was written here.
 * Then nothing is known.
 */
int stuck_since_parse(const char *text, size_t length, const char *boot, struct stuck_since *ret_since);
void stuck_since_format(const struct stuck_since *since, const char *boot, struct buf *out);

/* Whether the snapshot has a connection whose age may shrink by itself: for others nothing has to be known. */
bool stuck_since_is_useful(const struct snapshot *snapshot);
/* Fills snapshot.stayed_ms. `now_ms`: a time before the snapshot was taken. */
void stuck_since_recall(const struct stuck_since *since, uint64_t now_ms, struct snapshot *snapshot);
/* Makes `since` anew, of the stuck connections whose age may shrink. `now_ms`: a time after the snapshot was taken. */
void stuck_since_collect(struct stuck_since *since, uint64_t now_ms, const struct diagnosis *diagnosis);
