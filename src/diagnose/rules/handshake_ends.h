#pragma once
/*
 * Handshakes that do not come to their end, and what the other end, or the host that should have it, shows: which
 * segment is lost, and in which direction.
 */
#include "diagnose/group.h"

struct handshake_ends {
    uint64_t count;             /* connections of the group */
    uint64_t syn_lost;          /* SYN_SENT; the other host has nothing of the connection */
    uint64_t unlistened;        /* how many of these go to a port on which nobody listens there */
    uint64_t synack_lost;       /* one end is in SYN_SENT, the other in SYN_RECEIVED */
    uint64_t ack_lost;          /* SYN_RECEIVED; the client is already ESTABLISHED */
    uint64_t forgotten;         /* SYN_RECEIVED; the client's host has nothing of the connection */
    const char *there;          /* "db-1", "the network namespace web"; NULL: several places, or none */
    bool is_local;              /* all these places are on this host */
    const struct conn *example; /* a connection that is counted above; NULL if there is none */
};

struct handshake_ends handshake_ends_of(const struct context *context, const struct group *group, struct arena *arena);
/* True if the same is known of all connections of the group. */
bool handshake_ends_agree(const struct handshake_ends *ends);
/*
 * Replaces title and why if handshake_ends_agree(); else adds evidence about the connections of which something is
 * known. Adds what is ruled out and what to examine first, and lowers the confidence if the proof is not certain.
 */
void handshake_ends_describe(const struct context *context, const struct group *group,
    const struct handshake_ends *ends, struct arena *arena, struct finding *finding);
