#pragma once
/*
 * Since when connections have been stuck, stored in a file between two runs of a command. With keepalive, or with a
 * source that shows no times, one snapshot does not show how long a connection has been in its state. Two snapshots
 * that agree give a lower bound. At most STUCK_MAX connections are stored, the oldest ones.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/diagnosis.h"

enum {
    STUCK_MAX = 20000,
    STUCK_LINE_MAX = 38,   /* 16 digits, a space, 20 digits, the end of the line */
    STUCK_BOOT_MAX = 64,   /* bytes of the name of this run of the kernel */
    STUCK_HEAD_MAX = 1024, /* bytes of the first lines */
    STUCK_TEXT_MAX = STUCK_MAX * STUCK_LINE_MAX + STUCK_HEAD_MAX,
};

/* A connection in one state, with the number of bytes that it had moved by then. */
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
 * Reads what stuck_since_format() wrote. `boot` is the name of this run of the kernel: cookies, inodes and the clock
 * begin again in the next one. Returns 0; -ESTALE if the text is of another run; -EBADMSG if stuck_since_format() did
 * not write it. On failure *ret_since is empty.
 */
int stuck_since_parse(const char *text, size_t length, const char *boot, struct stuck_since *ret_since);
void stuck_since_format(const struct stuck_since *since, const char *boot, struct buf *out);

/* True if the snapshot has a connection whose age may shrink by itself. Other connections do not need the file. */
bool stuck_since_is_useful(const struct snapshot *snapshot);
/* Fills snapshot.stayed_ms. `now_ms` is a time before the snapshot. */
void stuck_since_recall(const struct stuck_since *since, uint64_t now_ms, struct snapshot *snapshot);
/* Replaces `since` by the stuck connections whose age may shrink. `now_ms` is a time after the snapshot. */
void stuck_since_collect(struct stuck_since *since, uint64_t now_ms, const struct diagnosis *diagnosis);
