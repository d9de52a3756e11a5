#pragma once
/* Groups of stuck connections with the same cause, owner and service. */
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

/* Stuck connections with the same cause, owner and service, and the facts about them. */
struct group {
    const struct rule *rule;
    const struct limits *limits; /* the limits in force for this rule and service */
    const struct netns *netns;
    bool incoming;                         /* peers opened the connections; false: this host did */
    const struct conn *listener;           /* the listener on the local port, or NULL */
    const struct process *holder;          /* a holder of the oldest connection that has one; or NULL */
    const struct process *listener_holder; /* the process that should accept: acceptors_first(); or NULL */

    /* How many ports it was folded over: local ports if incoming, else remote ones. 0: it has one port. */
    uint32_t distinct_ports;
    struct port_count used_ports[PORTS_SHOWN]; /* ports with at least twice the average of connections, most first */
    unsigned used_count;

    const uint32_t *conns; /* oldest first */
    size_t count;
    uint64_t asked; /* how many of them, or of their other ends, the user has selected; all: `count` */
    /* The number to compare with limits. The largest of several groups that differ only by the cause has the sum. */
    uint64_t kindred;
    uint64_t counted;      /* totals_of_group(); 0: not known */
    const uint32_t *pairs; /* the other ends that were seen: indexes into snapshot.conns */
    size_t pair_count;
    const uint32_t *pair_of; /* for each of conns: its other end, or NO_INDEX; NULL: none has any */

    bool timers_known;        /* of at least one connection */
    bool ages_known;          /* of all connections */
    bool ages_from_timer;     /* some ages come only from the pause between window probes: they may be far greater */
    bool ages_from_snapshots; /* some ages come only from the time between two snapshots */
    uint64_t confirmed_ms;    /* the time between the two snapshots that show the same; 0: there is only one */
    uint64_t oldest_ms, youngest_ms, median_ms;  /* age_judged_ms(), to be compared with limits */
    uint64_t resets;                             /* connections whose clock keepalive may reset (age.is_reset) */
    uint64_t proven_oldest_ms, proven_median_ms; /* lower bounds of the ages */
    uint64_t possible_oldest_ms;                 /* upper bound of the oldest age; only if resets > 0 */
    uint64_t unread_bytes;                       /* in CLOSE_WAIT, without the FINs */
    uint64_t with_unread;                        /* connections in CLOSE_WAIT that have such bytes */
    uint64_t unread_max;                         /* bytes in the longest receive queue, in any state */
    uint64_t unsent_bytes;                       /* in the send queues, without the FINs */
    uint8_t retransmits_min, retransmits_max;    /* delivery_attempts() */
    uint64_t silent_min_ms, silent_max_ms;       /* time since the last ACK of the peer */
    uint64_t zero_windows;                       /* connections whose peer offers a window of 0 */
    uint64_t taken_back;                         /* DELIVERY_WINDOW_TAKEN_BACK */
    uint64_t heard;                              /* DELIVERY_REFUSED */
    uint64_t silent;                             /* DELIVERY_UNANSWERED */
    uint64_t shared;                             /* connections that several processes hold */
    uint64_t keepalives;                         /* connections whose keepalive timer runs */
    uint64_t unanswered;                         /* connections in CLOSE_WAIT with context_is_unanswered() */
    bool answers_known;                          /* all connections have the tcp_info that this needs */
};

/*
 * Folds the stuck connections into groups. Ignored connections have their own groups (ignores_make()). Sets `group`,
 * `listened` and `guessed` of each stuck connection. Groups and their arrays are in the arena.
 */
void group_fold(const struct context *context, const uint8_t *ignores, struct stuck *stuck, size_t count,
    struct arena *arena, struct group **ret_groups, size_t *ret_count);

/*
 * True if this host opened the connections and each has at most 4 KiB unread. They may belong to an idle pool: what a
 * server sends without being asked (TLS session tickets, a greeting, a goodbye) stays unread until the next use.
 */
bool group_may_be_pool(const struct group *group);
