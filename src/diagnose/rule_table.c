/*
 * The table of all findings, with the default limits of each. A new finding needs a rule (functions in a file of
 * rules/), a row here, and a page with its name in src/knowledge/pages.
 */
#include "diagnose/diagnose.h"
#include "diagnose/queues.h"
#include "diagnose/rule.h"
#include "diagnose/rules/by_count.h"
#include "diagnose/rules/close_wait.h"
#include "diagnose/rules/close_wait_held.h"
#include "diagnose/rules/closed_held.h"
#include "diagnose/rules/descriptors.h"
#include "diagnose/rules/established.h"
#include "diagnose/rules/fin_wait_2.h"
#include "diagnose/rules/half_open.h"
#include "diagnose/rules/listen.h"
#include "diagnose/rules/not_accepted.h"
#include "diagnose/rules/opening.h"
#include "diagnose/rules/orphans.h"
#include "diagnose/rules/owner_ended.h"
#include "diagnose/rules/port_exhaustion.h"
#include "diagnose/rules/self_connect.h"
#include "diagnose/rules/sent_fin.h"
#include "diagnose/rules/state_only.h"
#include "diagnose/rules/tcp_memory.h"
#include "diagnose/rules/time_wait.h"

#define RULE(rule_id, name) .id = (rule_id), .applies = name##_applies, .describe = name##_describe
#define HOST_RULE(rule_id, name) .id = (rule_id), .assess = name##_assess

#define EVERY_STATE (STATE_BIT(STATE_COUNT) - 1)
/* The states of connections on which a process may wait for a server: upstream.c */
#define CHAIN_STATES (STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_FIN_WAIT_2))

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/*
 * critical_without_age of the findings about CLOSE_WAIT. A correct program closes at once, so a connection is in
 * CLOSE_WAIT only for a moment. If there are so many at one time, they have been there for long; otherwise the program
 * would have to close hundreds of thousands a second. All causes have the same limit: a source that shows more causes
 * must not lower the severity.
 */
enum { NO_MOMENT = 1000 };

const struct rule rules[] = {
    { .id = "normal" },
    {
        /* Before all others: the connection is its own peer, so other rules would blame it for its own state. */
        RULE("self-connect", self_connect),
        .action = "move its port",
        .states = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_CLOSING),
        .holds_moving = true,
        .one_port = true,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .warning_count = 1 },
    },
    {
        RULE("owner-ended", owner_ended),
        .action = "end the child",
        .states = STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT),
        .holds_moving = true,
        .one_port = true,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .warning_count = 1,
            .critical_count = 100,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("close-wait-not-accepted", close_wait_not_accepted),
        .action = "see why it hangs",
        .states = STATE_BIT(STATE_CLOSE_WAIT),
        .looks_at = STATE_BIT(STATE_LISTEN),
        .tells_by = CHAIN_STATES,
        .one_port = true,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = 5 * SECOND,
            .warning_count = 5,
            .warning_age_ms = MINUTE,
            .critical_count = 100,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("close-wait-blocked-writer", close_wait_blocked_writer),
        .action = "see why peers hang",
        .states = STATE_BIT(STATE_CLOSE_WAIT),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .settle_ms = 5 * SECOND,
            .warning_count = 20,
            .critical_count = 500,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("close-wait-inherited", close_wait_inherited),
        .action = "close inherited ones",
        .states = STATE_BIT(STATE_CLOSE_WAIT),
        .looks_at = STATE_BIT(STATE_LISTEN),
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = 5 * SECOND,
            .warning_count = 10,
            .critical_count = 100,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("close-wait-unread", close_wait_unread),
        .action = "see where it hangs",
        .states = STATE_BIT(STATE_CLOSE_WAIT),
        .tells_by = CHAIN_STATES,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = 5 * SECOND,
            .warning_count = 10,
            .critical_count = 100,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("close-wait-leak", close_wait_leak),
        .action = "close when peers do",
        .states = STATE_BIT(STATE_CLOSE_WAIT),
        .tells_by = CHAIN_STATES,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = 5 * SECOND,
            .warning_count = 10,
            .critical_count = 100,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("close-wait-held", close_wait_held),
        .action = "close when peers do",
        .judge_count = by_count_close_wait,
        .states = STATE_BIT(STATE_CLOSE_WAIT),
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = 5 * SECOND,
            .warning_count = 10,
            .critical_count = 100,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("closed-held", closed_held),
        .action = "close after errors",
        .states = STATE_BIT(STATE_CLOSED),
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .min_without_age = 10,
            .settle_ms = 5 * SECOND,
            .warning_count = 10,
            .critical_count = 100,
            .critical_age_ms = MINUTE,
            .critical_without_age = NO_MOMENT },
    },
    {
        RULE("last-ack-zero-window", sent_fin_zero_window),
        .action = "see why peers hang",
        .states = STATE_BIT(STATE_LAST_ACK),
        .fault = FAULT_PEER_APPLICATION,
        .limits = { .settle_ms = 5 * SECOND, .warning_count = 100, .critical_count = 5000, .critical_age_ms = MINUTE },
    },
    {
        RULE("last-ack-unanswered", sent_fin_unanswered),
        .action = "check peers, path",
        .judge_count = by_count_sent_fin,
        .states = STATE_BIT(STATE_LAST_ACK),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .min_without_age = 50,
            .settle_ms = 5 * SECOND,
            .warning_count = 100,
            .critical_count = 5000,
            .critical_age_ms = MINUTE },
    },
    {
        RULE("fin-wait-1-zero-window", sent_fin_zero_window),
        .action = "see why peers hang",
        .states = STATE_BIT(STATE_FIN_WAIT_1),
        .fault = FAULT_PEER_APPLICATION,
        .limits = { .settle_ms = 5 * SECOND, .warning_count = 100, .critical_count = 5000, .critical_age_ms = MINUTE },
    },
    {
        RULE("fin-wait-1-unanswered", sent_fin_unanswered),
        .action = "check peers, path",
        .judge_count = by_count_sent_fin,
        .states = STATE_BIT(STATE_FIN_WAIT_1),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .min_without_age = 50,
            .settle_ms = 5 * SECOND,
            .warning_count = 100,
            .critical_count = 5000,
            .critical_age_ms = MINUTE },
    },
    {
        RULE("closing-unanswered", sent_fin_either),
        .action = "check peers, path",
        .judge_count = by_count_sent_fin,
        .states = STATE_BIT(STATE_CLOSING),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .min_without_age = 50,
            .settle_ms = 5 * SECOND,
            .warning_count = 100,
            .critical_count = 5000,
            .critical_age_ms = MINUTE },
    },
    {
        RULE("half-open", half_open), /* before those that see one end only */
        .states = STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_FIN_WAIT_2),
        .fault = FAULT_PEER_OR_PATH,
        .action = "drop them; keepalive",
        .limits = { .warning_count = 1 },
    },
    {
        RULE("fin-wait-2-held", fin_wait_2_held),
        .action = "make peers close",
        .states = STATE_BIT(STATE_FIN_WAIT_2),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .settle_ms = 20 * SECOND,
            .warning_count = 50,
            .critical_count = 1000,
            .critical_age_ms = 10 * MINUTE },
    },
    {
        RULE("fin-wait-2-orphaned", fin_wait_2_orphaned),
        .action = "make peers close",
        .judge_count = by_count_fin_wait_2,
        .states = STATE_BIT(STATE_FIN_WAIT_2),
        .fault = FAULT_PEER_APPLICATION,
        .answers_few = true,
        .limits = { .min_count = 100, .settle_ms = 20 * SECOND, .warning_count = 5000 },
    },
    {
        RULE("time-wait-churn", time_wait_churn),
        .action = "nothing or reuse",
        .judge_count = by_count_time_wait,
        .states = STATE_BIT(STATE_TIME_WAIT),
        .one_port = true,
        .fault = FAULT_NONE,
        .limits = { .min_count = 1000 },
    },
    {
        HOST_RULE("time-wait-overflow", time_wait_overflow),
        .action = "raise the limit",
        .looks_at = STATE_BIT(STATE_TIME_WAIT),
        .fault = FAULT_HOST_SETTINGS,
    },
    {
        HOST_RULE("port-exhaustion", port_exhaustion),
        .action = "reuse connections",
        .judge_count = by_count_bound,
        .looks_at = EVERY_STATE,
        .fault = FAULT_HOST_SETTINGS,
        .limits = { .warning_percent = 80, .critical_percent = 95 },
    },
    {
        HOST_RULE("orphan-limit", orphan_limit),
        .action = "check peers, path",
        .looks_at = EVERY_STATE,
        .fault = FAULT_HOST_SETTINGS,
        .limits = { .warning_percent = 25, .critical_percent = 50 },
    },
    {
        RULE("syn-sent-unanswered", syn_sent_unanswered),
        .action = "check server, path",
        .judge_count = by_count_syn_sent,
        .states = STATE_BIT(STATE_SYN_SENT),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .min_without_age = 20,
            .settle_ms = 2 * SECOND,
            .warning_count = 5,
            .critical_count = 200,
            .critical_age_ms = 15 * SECOND },
    },
    {
        RULE("syn-recv-flood", syn_recv_flood),
        .action = "have SYN cookies on",
        .assess = syn_recv_flood_assess,
        .states = STATE_BIT(STATE_SYN_RECEIVED),
        .looks_at = STATE_BIT(STATE_LISTEN) | STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT),
        .one_port = true,
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .min_count = 16, .warning_count = 16 },
    },
    {
        RULE("syn-recv-unanswered", syn_recv_unanswered),
        .action = "check the way back",
        .judge_count = by_count_syn_received,
        .states = STATE_BIT(STATE_SYN_RECEIVED),
        .looks_at = STATE_BIT(STATE_LISTEN),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .min_without_age = 50, .settle_ms = SECOND, .warning_count = 20 },
    },
    {
        RULE("accept-queue-overflow", accept_queue_overflow),
        .action = "accept faster",
        .assess = accept_queue_overflow_assess,
        .states = STATE_BIT(STATE_LISTEN),
        .looks_at = STATE_BIT(STATE_SYN_RECEIVED) | STATE_BIT(STATE_SYN_SENT) | STATE_BIT(STATE_ESTABLISHED) |
            STATE_BIT(STATE_CLOSE_WAIT),
        .tells_by = CHAIN_STATES,
        .one_port = true,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = SECOND, .warning_count = 1, .critical_age_ms = 10 * SECOND },
    },
    {
        RULE("established-not-accepted", established_not_accepted),
        .action = "see why it hangs",
        .states = STATE_BIT(STATE_ESTABLISHED),
        .looks_at = STATE_BIT(STATE_LISTEN),
        .tells_by = CHAIN_STATES,
        .one_port = true,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = 30 * SECOND,
            .warning_count = 5,
            .warning_age_ms = MINUTE,
            .critical_count = 100,
            .critical_age_ms = MINUTE },
    },
    {
        RULE("established-unanswered", established_unanswered),
        .action = "check peers, path",
        .states = STATE_BIT(STATE_ESTABLISHED),
        .fault = FAULT_PEER_OR_PATH,
        .limits = { .settle_ms = 5 * SECOND, .warning_count = 10, .critical_count = 500, .critical_age_ms = MINUTE },
    },
    {
        RULE("established-zero-window", established_zero_window),
        .action = "see why peers hang",
        .states = STATE_BIT(STATE_ESTABLISHED),
        .fault = FAULT_PEER_APPLICATION,
        .limits = { .settle_ms = 30 * SECOND,
            .warning_count = 10,
            .critical_count = 500,
            .critical_age_ms = 5 * MINUTE },
    },
    {
        RULE("established-unread", established_unread),
        .action = "see where it hangs",
        .states = STATE_BIT(STATE_ESTABLISHED),
        .tells_by = CHAIN_STATES,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .settle_ms = 30 * SECOND,
            .warning_count = 10,
            .critical_count = 100,
            .critical_age_ms = 2 * MINUTE },
    },
    {
        RULE("established-idle", established_idle),
        .action = "nothing or keepalive",
        .states = STATE_BIT(STATE_ESTABLISHED),
        .fault = FAULT_NONE,
        .limits = { .min_count = 20, .settle_ms = 2 * HOUR },
    },
    {
        HOST_RULE("descriptor-exhaustion", descriptor_exhaustion),
        .action = "close or raise limit",
        .looks_at = EVERY_STATE,
        .fault = FAULT_LOCAL_APPLICATION,
        .limits = { .warning_percent = 80, .critical_percent = 95 },
    },
    {
        HOST_RULE("tcp-memory-pressure", tcp_memory_pressure), .action = "see who fills them", .looks_at = EVERY_STATE,
        .fault = FAULT_HOST_SETTINGS,
        .limits = { .critical_percent = 90 }, /* the warning begins at the kernel's own limit for pressure */
    },
};

const unsigned rule_count = sizeof rules / sizeof *rules;

const char *diagnose_finding_id(unsigned index)
{
    return index + 1 < rule_count ? rules[index + 1].id : NULL;
}

const struct limits *diagnose_finding_limits(unsigned index)
{
    return &rules[index + 1].limits;
}

uint32_t diagnose_finding_settable(unsigned index)
{
    const struct rule *rule = &rules[index + 1];
    uint32_t settable = 0;
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        bool has_default = limit_value(&rule->limits, i) != 0;
        bool is_counted = limit_infos[i].offset == offsetof(struct limits, warning_count) ||
            limit_infos[i].offset == offsetof(struct limits, warning_age_ms) ||
            limit_infos[i].offset == offsetof(struct limits, critical_count) ||
            limit_infos[i].offset == offsetof(struct limits, critical_age_ms) ||
            limit_infos[i].offset == offsetof(struct limits, min_count);
        /* A rule with assess() uses only the limits that its row has. */
        if (has_default || limit_infos[i].kind == LIMIT_SEVERITY || (is_counted && rule->assess == NULL))
            settable |= 1U << i;
    }
    return settable;
}
