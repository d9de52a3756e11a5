#pragma once
#include <stdbool.h>
#include <stdint.h>

/* A connection that is not normal: a rule applies to it. */
struct stuck {
    uint32_t conn;       /* index into snapshot.conns, as is: */
    uint32_t pair;       /* its other end, or NO_INDEX if that was not seen */
    uint32_t group;      /* number of its group's key; set by group.c */
    uint8_t rule;        /* index into rules */
    bool listened;       /* this host listens on its local port; set by group.c */
    bool guessed;        /* its direction, incoming or outgoing, is a guess; set by group.c */
    bool is_pair_unsure; /* several connections may be its other end; then pair is NO_INDEX */
    bool yields;         /* the finding about its other end explains it, so it has none itself */
    bool has_stranger;   /* a connection in another namespace has the right addresses, but is not its other end */
};
