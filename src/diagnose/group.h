#pragma once
/*
 * Stuck connections with one cause, one owner and one service, and what they have in common.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diagnose/context.h"
#include "diagnose/stuck.h"
#include "model/diagnosis.h"

struct rule;

enum { PORTS_SHOWN = 3 };

struct port_count {
    uint16_t port;
    uint32_t count;
};

/* Connections with one cause, one owner and one service, and what they have in common. */
struct group {
    const struct rule *rule;
    const struct limits *limits; /* that are in force for it */
    const struct netns *netns;
    bool incoming;                         /* this host's service; else connections that it opened */
    const struct conn *listener;           /* the socket that listens on the local port, or NULL */
    const struct process *holder;          /* holds most of them, or NULL */
    const struct process *listener_holder; /* or NULL */

    /*
     * Folded over so many ports, local if incoming, else remote; 0: it has one. Then there is no one listener either.
     */
    uint32_t distinct_ports;
    struct port_count used_ports[PORTS_SHOWN]; /* those that far more connections have than others, most first */
    unsigned used_count;

    const uint32_t *conns; /* oldest first */
    size_t count;
    uint64_t kindred; /* of the greatest group: with those that another cause keeps in the same state; else count */
    uint64_t counted; /* what a text counts that shows `count` of them; 0: it counts none, or others with them */
    const uint32_t *pairs; /* other ends that are on this host */
    size_t pair_count;
    const uint32_t *pair_of; /* for each of conns: its other end, or NO_INDEX; NULL: none has any */

    bool timers_known;        /* of one of them at least */
    bool ages_known;          /* of all of them */
    bool ages_from_timer;     /* of some only because the pause between window probes is long: they may be far older */
    bool ages_from_snapshots; /* of some only because two looks show them: what passed in between is not known */
    uint64_t confirmed_ms;    /* two looks, so far apart, show the same; 0: there was only one */
    uint64_t oldest_ms, youngest_ms, median_ms; /* to be compared with limits: age_judged_ms() */
    uint64_t resets; /* connections whose clock keepalive sets back: their age is not known */
    uint64_t proven_oldest_ms, proven_median_ms; /* what is certain; with no resets the same as the above */
    uint64_t possible_oldest_ms;                 /* where there are resets: older than this none can be */
    uint64_t unread_bytes;                       /* the FINs not counted */
    uint64_t with_unread;                        /* connections that have such bytes */
    uint64_t unread_max;                         /* bytes in the longest receive queue */
    uint64_t unsent_bytes;                       /* queued to be sent, the FINs not counted */
    uint8_t retransmits_min, retransmits_max;
    uint64_t silent_min_ms, silent_max_ms; /* since anything came from the peer */
    uint64_t zero_windows;                 /* connections whose peer offers no window */
    uint64_t taken_back;                   /* DELIVERY_WINDOW_TAKEN_BACK */
    uint64_t heard;                        /* DELIVERY_REFUSED: the same is sent again, and the peer has been heard */
    uint64_t silent;                       /* DELIVERY_UNANSWERED */
    uint64_t shared;                       /* connections that several processes hold */
    uint64_t keepalives;                   /* connections whose keepalive timer runs */
    uint64_t unanswered;                   /* whose peer may be waiting for an answer: context_is_unanswered() */
    bool answers_known;                    /* of all of them */
};

/* Folds them, those that are ignored apart; groups and their arrays live in the arena. */
void group_fold(const struct context *context, const uint8_t *ignores, struct stuck *stuck, size_t count,
    struct arena *arena, struct group **ret_groups, size_t *ret_count);

/*
 * Connections that this host opened, with so little unread that they may belong to a pool that nobody uses now: what a
 * server says of its own accord (TLS session tickets, a greeting, its goodbye) waits there until the next use.
 */
bool group_may_be_pool(const struct group *group);
