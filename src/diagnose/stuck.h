#pragma once
#include <stdbool.h>
#include <stdint.h>

/* One connection that is not as it should be. */
struct stuck {
    uint32_t conn;
    uint32_t pair; /* its other end, where that is on this host too; or NO_INDEX */
    uint32_t group;
    uint8_t rule;        /* index into rules */
    bool listened;       /* somebody listens on its local port; set by group.c, as is: */
    bool guessed;        /* whether it came in or went out is a guess */
    bool is_pair_unsure; /* several may be its other end: then pair is NO_INDEX */
    bool has_stranger;   /* one with the right addresses, in another namespace, is not its other end */
};
