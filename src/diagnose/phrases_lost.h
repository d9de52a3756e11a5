#pragma once
/*
 * Where the packets of unanswered connections are lost, as the other ends of the connections show, if these were seen
 * too; and phrases about it.
 */
#include "diagnose/group.h"

struct lost {
    uint64_t seen;     /* connections whose other end was seen, and still existed when our packets got no answer */
    uint64_t outward;  /* how many of them: our packets did not arrive */
    uint64_t backward; /* how many of them: our packets arrived, so their acknowledgements are lost */
    uint64_t full;     /* how many of them: our data was refused, because the program at the other end does not read */
    uint64_t count;    /* connections of the group */
    bool is_local;     /* all are between two sockets of one host, so no peer's host can have crashed */
    bool is_sure;      /* is_local is certain */
    const struct conn *example;  /* one of `seen`; NULL if there are none */
    const struct conn *opposite; /* the other end of `example` */
};

/* False if `host`, the peer's, was read before the silence began: what was seen there then proves nothing. */
bool lost_is_still_there(const struct snapshot *snapshot, const struct conn *conn, const struct host *host);
/* True if both ends of all connections belong to one host. */
bool lost_is_local(const struct context *context, const struct group *group);
struct lost lost_of(const struct context *context, const struct group *group);

/* True if all other ends were seen: no peer has disappeared. */
static inline bool lost_has_all(const struct lost *lost)
{
    return lost->seen > 0 && lost->seen == lost->count;
}

/*
 * A title about what was sent, for example "the FIN of 12 connections". NULL if not all other ends were seen: a peer
 * may have disappeared.
 */
const char *lost_title(struct arena *arena, const struct lost *lost, const char *what);
/* Sentences about the possible causes. `vanished` is the sentence about peers of which nothing more is known. */
const char *lost_why(struct arena *arena, const struct lost *lost, const char *vanished);
/* Adds what is ruled out, sets whose fault it is, and lowers the confidence if the other ends are no certain proof. */
void lost_assess(struct arena *arena, const struct lost *lost, struct finding *finding);
/* Adds what to examine first. Returns false if nothing is known of the other ends. */
bool lost_fix(struct arena *arena, const struct context *context, const struct lost *lost, struct finding *finding);
