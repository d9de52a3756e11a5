#pragma once
/*
 * Packets that nobody answers: what the other ends of the connections, where they were seen too, say of where they are
 * lost.
 */
#include "diagnose/group.h"

struct lost {
    uint64_t seen;     /* connections whose other end was seen, and was there after ours had got no answer */
    uint64_t outward;  /* of them, what we sent has not arrived */
    uint64_t backward; /* of them, it has arrived, so that its acknowledgement is lost */
    uint64_t full;     /* of them, it was refused: the program there does not read */
    uint64_t count;    /* connections of the group */
    bool is_local;     /* all of them are between two sockets of this host, so that no host can have crashed alone */
    const struct conn *example;  /* one of those that were seen, and */
    const struct conn *opposite; /* its other end */
};

struct lost lost_of(const struct context *context, const struct group *group);

/* All other ends were seen: no peer has vanished. */
static inline bool lost_has_all(const struct lost *lost)
{
    return lost->seen > 0 && lost->seen == lost->count;
}

/*
 * The title where all other ends were seen, of what is sent ("the FIN of 12 connections"); NULL where one was not, so
 * that its peer may have vanished.
 */
const char *lost_title(struct arena *arena, const struct lost *lost, const char *what);
/* What may be the cause, in whole sentences. `vanished` is what is said of peers of which nothing more is known. */
const char *lost_why(struct arena *arena, const struct lost *lost, const char *vanished);
/* What that rules out, whose fault it is, and how sure the finding may be. */
void lost_assess(struct arena *arena, const struct lost *lost, struct finding *finding);
/* What to look at first; false where nothing is known of the other ends. */
bool lost_fix(struct arena *arena, const struct context *context, const struct lost *lost, struct finding *finding);
