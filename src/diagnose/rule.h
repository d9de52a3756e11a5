#pragma once
/*
 * What the files of this folder share: the rules, what they look at, and what they fill in. Nothing outside includes
 * it.
 *
 * A diagnosis runs in four steps: the cause of each connection (the first rule that applies), the folding of
 * connections with one cause, one owner and one service into groups, the facts of each group, and its words as a
 * finding.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/diagnosis.h"
#include "model/listeners.h"
#include "hosts/local_addresses.h"
#include "model/policy.h"

struct rule;
struct group;

enum { QUEUE_ADDRESSES_MOST = 4 };

/* What waits at one listener: see queues.c. */
struct queue {
    const struct conn *listener;
    uint64_t half_open;          /* SYN_RECEIVED */
    uint64_t half_open_repeated; /* of them, the SYN-ACK was sent again */
    uint64_t waiting;            /* complete, not accepted, as far as they could be seen */
    uint64_t closed;             /* of them, closed by the peer a while ago: close-wait-not-accepted */
    uint64_t oldest_ms;          /* that the longest of them has waited at least */
    uint64_t syns_refused;       /* SYN_SENT on this host that goes to it, sent again; where the queue is full */
    uint64_t unanswered;         /* ESTABLISHED on this host that sends to it in vain; where the queue is full */
    struct ip addresses[QUEUE_ADDRESSES_MOST]; /* that what waits came to */
    unsigned address_count;
};

struct queues {
    struct queue *items;
    size_t count, capacity;
    uint32_t *numbers; /* for each connection: of a listener, 1 + index into items; NULL while there are none */
};

/* Connections that wait for their peers, which may be why others are not closed: chain.c, made when first asked for. */
struct waiting_ends {
    struct waiting_end {
        uint32_t conn;
        uint32_t process; /* the only one that holds it; NO_INDEX: there are none, or several */
        bool blocked;
    } * items;
    size_t count;
    bool is_made;
};

/* The snapshot with the look-ups that rules need. */
struct context {
    const struct snapshot *snapshot;
    uint32_t seen;               /* STATE_BIT()s that the snapshot holds */
    const bool *selected;        /* for each connection: whether the person asked for it */
    bool selects_all;            /* nothing was left out: findings about the whole host are in place */
    const uint8_t *causes;       /* what is known so far: indexes into rules; 0: normal */
    const struct policy *policy; /* or NULL */
    const struct limits *limits; /* of each rule, for connections of no service and of each service: policy.c */
    struct listeners listeners;
    struct queues queues;
    struct waiting_ends *waiting_ends;
    struct own_addresses own_addresses; /* where there are several hosts */
    uint64_t *process_counts;           /* for each process, to count in; all 0 but while somebody does */
};

/* Where findings are put. */
struct finding_list {
    struct finding *items;
    size_t count, capacity;
    bool wants_rates; /* see struct diagnosis */
};

/*
 * A rule is either about connections (states, applies, word) or about the host: a process, a port range (assess). One
 * about connections may have assess() too, where only counters read twice can tell: it then says so in wants_rates.
 */
struct rule {
    const char *id;
    uint32_t states;   /* STATE_BIT()s it is about; 0: it is about the host */
    uint32_t looks_at; /* besides these, to judge: it is not asked where the snapshot lacks them */
    uint32_t tells_by; /* besides both, to word a finding; with fewer, it says less */
    enum fault fault;
    /* Whether this is why the connection is in its state; rules that stand earlier in the table have declined. */
    bool (*applies)(const struct context *context, const struct conn *conn, const struct limits *limits);
    /* Fills in title, why, evidence, ruled_out and the fixes; may lower the confidence and raise the severity. */
    void (*word)(
        const struct context *context, const struct group *group, struct arena *arena, struct finding *finding);
    /* Adds its findings, as many as there are, by finding_list_add(). Called when all connections have their causes. */
    void (*assess)(
        const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list);
    struct limits limits;
    bool one_port; /* what it tells is about one port, or one listener: never folded over several */
};

/* In order: the first that applies is the cause. Number 0 is none: "normal". */
extern const struct rule rules[];
extern const unsigned rule_count;

/* One connection that is not as it should be. */
struct stuck {
    uint32_t conn;
    uint32_t pair; /* its other end, where that is on this host too; or NO_INDEX */
    uint32_t group;
    uint8_t rule;  /* index into rules */
    bool listened; /* somebody listens on its local port; set by group.c, as is: */
    bool guessed;  /* whether it came in or went out is a guess */
};

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

    /* Folded over so many ports, local if incoming, else remote; 0: it has one. Then there is no one listener either. */
    uint32_t distinct_ports;
    struct port_count used_ports[PORTS_SHOWN]; /* those that far more connections have than others, most first */
    unsigned used_count;

    const uint32_t *conns; /* oldest first */
    size_t count;
    const uint32_t *pairs; /* other ends that are on this host */
    size_t pair_count;

    bool timers_known;     /* of one of them at least */
    bool ages_known;       /* of all of them */
    bool ages_from_looks;  /* of some only because two looks show them: what passed in between is not known */
    uint64_t confirmed_ms; /* two looks, so far apart, show the same; 0: there was only one */
    uint64_t oldest_ms, youngest_ms, median_ms;
    uint64_t unread_bytes; /* the FINs not counted */
    uint64_t with_unread;  /* connections that have such bytes */
    uint64_t unread_most;  /* bytes in the longest receive queue */
    uint64_t unsent_bytes; /* queued to be sent, the FINs not counted */
    uint8_t retransmits_least, retransmits_most;
    uint64_t silent_least_ms, silent_most_ms; /* since anything came from the peer */
    uint64_t zero_windows;                    /* connections whose peer offers no window */
    uint64_t in_vain;                         /* on which the same segment is sent again and again */
    uint64_t heard;                           /* of them, the peer has been heard meanwhile */
    uint64_t shared;                          /* connections that several processes hold */
    uint64_t keepalives;                      /* connections whose keepalive timer runs */
    uint64_t unanswered;                      /* whose peer may be waiting for an answer: close_wait_is_unanswered() */
    bool answers_known;                       /* of all of them */
};

/* --- context.c -------------------------------------------------------------------------------------------------- */

void context_init(struct context *context, const struct snapshot *snapshot);
void context_deinit(struct context *context);

/* The listening socket that the connection came in through, or NULL. */
const struct conn *context_listener(const struct context *context, const struct conn *conn);
/* Whether the connection was opened by the other side. Without a listener the ephemeral port range decides. */
bool context_is_incoming(const struct context *context, const struct conn *conn);
/* Whether nothing tells that but which port is lower: both are ephemeral ones, or neither. */
bool context_guesses_direction(const struct context *context, const struct conn *conn);
/* The same segment was sent again so often that it is not lost by chance. */
bool context_is_sent_in_vain(const struct conn *conn);
/*
 * Whether the peer's kernel has been heard while we kept sending the same segment again: then it is there, but does not
 * take it. Where the peer has closed its sending side, nothing but answers to that segment can come: its receive buffer
 * is full. Else it may have sent of its own accord, and what we send may be lost on the way.
 */
bool context_hears_peer(const struct context *context, const struct conn *conn);
/* Has been in its state for as long as the limit; true where the age is unknown: then the confidence tells. */
bool context_is_settled(const struct context *context, const struct conn *conn, const struct limits *limits);

/* --- policy.c --------------------------------------------------------------------------------------------------- */

/* The limits of all rules, as the policy (or NULL) wants them; in the arena. */
const struct limits *limits_make(const struct policy *policy, struct arena *arena);
/* The service of the policy that the connection, or the process, belongs to: 1 + its index; 0: none. */
unsigned context_service(const struct context *context, const struct conn *conn);
unsigned context_process_service(const struct context *context, const struct process *process);
const struct limits *context_limits(const struct context *context, unsigned service, const struct rule *rule);
/*
 * For each connection 1 + the index of the ignore that takes it in, with the cause it has; 0: none. In the arena; NULL
 * where nothing is ignored. Notes which ignores are over.
 */
const uint8_t *ignores_make(const struct context *context, struct diagnosis *diagnosis);
/* Sets aside what is ignored, and holds the severity of all to what they may have. */
void policy_judge(const struct context *context, const uint8_t *ignores, struct finding *finding);

/* --- queues.c --------------------------------------------------------------------------------------------------- */

void queues_init(struct queues *queues, const struct listeners *listeners);
void queues_deinit(struct queues *queues);
/* The accept queue holds more than its backlog: the kernel drops what comes. */
bool listener_is_full(const struct conn *listener);
/* The same; false for NULL. */
bool queue_is_full(const struct queue *queue);
/* Full, or what waits in it was given up by the peers: its listener's process is at fault. False for NULL. */
bool queue_is_stalled(const struct queue *queue);
/* What waits at the listener, or NULL where nothing does. */
const struct queue *context_queue(const struct context *context, const struct conn *listener);
/*
 * The listener of this host that keeps the connection from getting on: its own, where it waits to be accepted or for its
 * handshake to end; that at its other end, where what it sends is dropped at a full queue. NULL where there is none.
 */
const struct conn *context_stalled_listener(const struct context *context, const struct conn *conn);
/* Connections that the listener has dropped since the earlier reading; 0 where that is not known. */
uint32_t queue_drops_since(const struct context *context, const struct conn *listener);

/* --- confirm.c -------------------------------------------------------------------------------------------------- */

/* The earlier look, where one has to confirm this one; zeroed where there is none. */
struct confirm {
    struct context earlier;
    bool *selected; /* what the context refers to: nothing selected, no cause known */
    uint8_t *causes;
};

/* Returns 0 or -ENOMEM; release with confirm_deinit() in any case. */
int confirm_init(struct confirm *confirm, const struct context *context);
void confirm_deinit(struct confirm *confirm);
/*
 * Whether the connection had this cause (an index into rules) in the earlier look already, but perhaps for its age, and
 * has not moved since; true where there is no such look.
 */
bool confirm_holds(
    const struct confirm *confirm, const struct snapshot *snapshot, const struct conn *conn, uint8_t cause);

/* --- pair.c ----------------------------------------------------------------------------------------------------- */

/* The states, as STATE_BIT()s, in which the other end of a connection in this one can be. */
uint32_t pair_opposites(enum conn_state state);

/* Finds the other end of each stuck connection where it is on this host. Returns 0 or -ENOMEM. */
int pair_find(const struct snapshot *snapshot, struct stuck *stuck, size_t count);

/* Other ends of the group may have been seen, at another host, without being known as such. */
bool pair_is_hidden(const struct context *context, const struct group *group);

/* --- group.c ---------------------------------------------------------------------------------------------------- */

/* Folds them, those that are ignored apart; groups and their arrays live in the arena. Returns 0 or -ENOMEM. */
int group_fold(const struct context *context, const uint8_t *ignores, struct stuck *stuck, size_t count,
    struct arena *arena, struct group **ret_groups, size_t *ret_count);

/*
 * Connections that this host opened, with so little unread that they may belong to a pool that nobody uses now: what a
 * server says of its own accord (TLS session tickets, a greeting, its goodbye) waits there until the next use.
 */
bool group_may_be_pool(const struct group *group);

/* --- finding.c -------------------------------------------------------------------------------------------------- */

/* The finding of a group: all that does not depend on the rule, then the rule's words. */
void finding_make(
    const struct context *context, const struct group *group, struct arena *arena, struct finding *ret_finding);

/* Owner, processes and peers of the connections that stand in it (conns, conn_count). */
void finding_fill_from_conns(const struct context *context, struct arena *arena, struct finding *finding);

/* So many that they cannot all be passing, although how old they are is not known. */
bool finding_is_critical_by_number(const struct group *group, const struct limits *limits);

/* A new finding of the rule with its id and fault, severity info, confidence certain; the pointer holds until the next. */
struct finding *finding_list_add(struct finding_list *list, const struct rule *rule);

/* --- notes.c ---------------------------------------------------------------------------------------------------- */

/* Why what looks alarming is not, and what was not judged. */
void notes_make(const struct context *context, struct diagnosis *diagnosis, const bool *selected);

/* Lowers the confidence to likely where the oldest is younger than that and no second look has confirmed it. */
void finding_judge_age(const struct group *group, uint64_t certain_ms, struct finding *finding);

/* --- words.c: what several rules say -------------------------------------------------------------------------- */

/* These return text in the arena. */
const char *words_count(struct arena *arena, uint64_t number); /* "1,204" */
const char *words_conns(struct arena *arena, uint64_t number); /* "1,204 connections", "1 connection" */
const char *words_duration(struct arena *arena, uint64_t ms);  /* "4 h 12 min" */
const char *words_bytes(struct arena *arena, uint64_t bytes);
const char *words_address(struct arena *arena, const struct ip *address);
const char *words_end(struct arena *arena, const struct ip *address, uint16_t port); /* "10.0.0.9:5432" */
const char *words_process(struct arena *arena, const struct process *process); /* "nginx (pid 812)", "a process" */
/* The same for who owns the finding, where copies of one program share it out: "nginx (pid 812 and 3 more)" */
const char *words_owner(struct arena *arena, const struct finding *finding);
/* Of its processes the one that cannot act now, the owner first; or NULL. */
const struct process *words_obstructed(struct arena *arena, const struct finding *finding);
/* Evidence where nobody was found to hold the connections although somebody must. */
void words_unseen(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);
/* Evidence where several processes hold the listener: a master and its workers, a service manager and its service. */
void words_listener_holders(
    struct arena *arena, const struct snapshot *snapshot, const struct conn *listener, struct lines *evidence);
/* The same, but not at the beginning of a sentence: "the process", where it is not known which. */
const char *words_process_within(struct arena *arena, const struct process *process);
/* "the peer has", "the peers have" */
const char *words_peers_have(const struct group *group);
/* "on port 9100", "to 10.0.0.9:5432", "on 800 local ports" */
const char *words_service(struct arena *arena, const struct context *context, const struct group *group);
/* "port", "ports" */
const char *words_ports(const struct group *group);
/* "for 14 s to 4 h 12 min": empty where the ages are unknown */
const char *words_ages(struct arena *arena, const struct group *group);
/* Why the process cannot act on its sockets now ("is stopped (state T)"), or NULL where nothing shows that. */
const char *words_obstacle(struct arena *arena, const struct process *process);

/*
 * The same for whom a listener's connections wait: of several processes that hold it (a master and its workers) one that
 * can act is enough, and then it is NULL.
 */
const char *words_listener_obstacle(
    struct arena *arena, const struct snapshot *snapshot, const struct conn *listener, const struct process *process);

/* Whether it was looked at, so that "it runs" can be said of it: most captures show a name and a number, and no state. */
bool words_is_state_known(const struct process *process);
/* Stopped, frozen, held by a debugger, ended or stuck in the kernel: nothing that comes to it makes it act. */
bool words_is_halted(const struct process *process);
/* What lets a stopped or frozen process go on; false where it is neither. */
bool words_fix_continue(struct arena *arena, const struct process *process, struct fixes *fixes);
/* "systemctl restart X", else "kill PID": what ends the process properly; where nobody is known, how to find out who. */
void words_fix_restart(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* Where its threads hang; nothing where nobody is known. */
void words_fix_threads(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* What tells those that stay from those that pass: a second look, or a second capture. */
const char *words_look_again(const struct snapshot *snapshot);
/* Evidence that any finding about descriptors wants: open ones against the limit. */
void words_descriptors(struct arena *arena, const struct process *process, struct lines *evidence);
/* "this host", or the name of the one where the first process that holds other ends is. */
const char *words_reader_where(struct arena *arena, const struct finding *finding);
/* To look at that process; false where none was seen. */
bool words_fix_reader(struct arena *arena, const struct context *context, struct finding *finding);
/* The other ends that were seen too: their hosts, states and processes, as evidence. In words_ends.c. */
void words_pairs(struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);

/* --- by_state_words.c: where a source shows the states and little more ----------------------------------------------- */

#define DECLARE_WORDS(name)                                                                                            \
    void name##_word(                                                                                                  \
        const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)

DECLARE_WORDS(by_state_sent_fin);
DECLARE_WORDS(by_state_syn_sent);
DECLARE_WORDS(by_state_syn_received);
DECLARE_WORDS(by_state_fin_wait_2);

/* --- the rules, by state family ------------------------------------------------------------------------------- */

#define DECLARE_RULE(name)                                                                                             \
    bool name##_applies(const struct context *context, const struct conn *conn, const struct limits *limits);          \
    void name##_word(                                                                                                  \
        const struct context *context, const struct group *group, struct arena *arena, struct finding *finding)

#define DECLARE_ASSESSMENT(name)                                                                                       \
    void name##_assess(                                                                                                \
        const struct context *context, const struct rule *rule, struct arena *arena, struct finding_list *list)

/*
 * close_wait.c, with its words in close_wait_words.c. Whether the peer, alive, offers no window to a connection that
 * has data to send.
 */
bool close_wait_is_blocked_by_window(const struct context *context, const struct conn *conn);
/*
 * Whether the peer has asked for something and never got a byte. A FIN does not tell whether it has closed, or only shut
 * down its sending side (RFC 9293 section 3.6.1) to wait for an answer that the process here is at work on. `other` is its end,
 * where that is seen, or NULL.
 */
bool close_wait_is_unanswered(const struct context *context, const struct conn *conn, const struct conn *other);
DECLARE_RULE(close_wait_not_accepted);
DECLARE_RULE(close_wait_blocked_writer);
DECLARE_RULE(close_wait_inherited);
DECLARE_RULE(close_wait_unread);
DECLARE_RULE(close_wait_leak);
/* close_wait_held.c */
DECLARE_RULE(close_wait_held);

/*
 * sent_fin.c, sent_fin_words.c: FIN_WAIT_1, CLOSING and LAST_ACK. Whether the peer, alive, offers no window to what
 * stands before our FIN.
 */
bool sent_fin_is_zero_window(const struct context *context, const struct conn *conn);
DECLARE_RULE(sent_fin_zero_window);
DECLARE_RULE(sent_fin_unanswered);
DECLARE_RULE(sent_fin_either);

/* fin_wait_2.c, fin_wait_2_words.c */
DECLARE_RULE(fin_wait_2_held);
DECLARE_RULE(fin_wait_2_orphaned);

/* time_wait.c, time_wait_words.c */
struct time_wait_overflow {
    uint32_t netns;
    int64_t used, limit; /* entries; limit 0: unknown */
    int64_t skipped;     /* since the namespace was made */
    int64_t rise;        /* of them, in the last rise_ms */
    uint64_t rise_ms;
    bool rise_known;
};
DECLARE_RULE(time_wait_churn);
DECLARE_ASSESSMENT(time_wait_overflow);
void time_wait_overflow_word(const struct time_wait_overflow *facts, struct arena *arena, struct finding *finding);

/* port_exhaustion.c, port_exhaustion_words.c, with ports.h */
DECLARE_ASSESSMENT(port_exhaustion);

/* orphans.c, orphans_words.c */
struct orphan_limit {
    int64_t orphans, limit;
    int64_t aborted;      /* connections reset for it in the last rise_ms */
    int64_t aborted_ever; /* or for want of memory */
    uint64_t rise_ms;
    uint64_t by_state[STATE_COUNT]; /* of those that could be seen */
};
DECLARE_ASSESSMENT(orphan_limit);
void orphan_limit_word(const struct orphan_limit *facts, struct arena *arena, struct finding *finding);

/* opening.c, opening_words.c: SYN_SENT and SYN_RECEIVED */
DECLARE_RULE(syn_sent_unanswered);
DECLARE_RULE(syn_recv_flood);
DECLARE_ASSESSMENT(syn_recv_flood);
DECLARE_RULE(syn_recv_unanswered);
/* By how much cookies and dropped requests have risen since the earlier reading; false where that is not known. */
bool syn_recv_flood_rise(const struct context *context, uint32_t netns, int64_t *ret_rise, uint64_t *ret_ms);

/* listen.c, listen_words.c */
DECLARE_RULE(accept_queue_overflow);
DECLARE_ASSESSMENT(accept_queue_overflow);
/* What else a full queue keeps waiting: evidence for whatever finding is made of it. NULL: nothing. */
void queue_evidence(struct arena *arena, const struct queue *queue, struct finding *finding);

/* established.c, established_words.c */
DECLARE_RULE(established_unanswered);
DECLARE_RULE(established_zero_window);
DECLARE_RULE(established_unread);
DECLARE_RULE(established_idle);

/* descriptors.c, tcp_memory.c */
DECLARE_ASSESSMENT(descriptor_exhaustion);
DECLARE_ASSESSMENT(tcp_memory_pressure);
