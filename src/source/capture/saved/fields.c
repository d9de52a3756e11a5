#include "source/capture/saved/fields.h"

#include "model/snapshot.h"

/* The key, offset and size of a member of the struct that the table describes. */
#define MEMBER(of, name) .offset = offsetof(struct of, name), .size = sizeof(((struct of *)NULL)->name)

#define FIELD(of, record_kind, name)                                                                                   \
    {                                                                                                                  \
        .key = #name, .kind = (record_kind), MEMBER(of, name)                                                          \
    }
#define NEEDED(of, record_kind, name)                                                                                  \
    {                                                                                                                  \
        .key = #name, .kind = (record_kind), .needed = true, MEMBER(of, name)                                          \
    }
#define LOGGED(name, message)                                                                                          \
    {                                                                                                                  \
        .key = (name), .kind = RECORD_NUMBER, MEMBER(snapshot, logged[message])                                        \
    }

static const struct record_field snapshot_fields[] = {
    { .key = "host", .kind = RECORD_TEXT, MEMBER(snapshot, host_name) },
    FIELD(snapshot, RECORD_TEXT, os),
    FIELD(snapshot, RECORD_TEXT, kernel),
    FIELD(snapshot, RECORD_TEXT, source),
    FIELD(snapshot, RECORD_TEXT, origin),
    FIELD(snapshot, RECORD_NUMBER, taken_at_ms),
    FIELD(snapshot, RECORD_NUMBER, elapsed_us),
    FIELD(snapshot, RECORD_NUMBER, page_bytes),
    FIELD(snapshot, RECORD_BOOL, confirms),
    FIELD(snapshot, RECORD_BOOL, counts_only),
    FIELD(snapshot, RECORD_BOOL, redacted),
    LOGGED("log_port_reused", LOG_PORT_REUSED),
    LOGGED("log_ports_used_up", LOG_PORTS_USED_UP),
    LOGGED("log_syn_flooding", LOG_SYN_FLOODING),
    LOGGED("log_too_many_orphans", LOG_TOO_MANY_ORPHANS),
    LOGGED("log_no_tcp_memory", LOG_NO_TCP_MEMORY),
    LOGGED("log_time_wait_full", LOG_TIME_WAIT_FULL),
    LOGGED("log_queue_overflow", LOG_QUEUE_OVERFLOW),
    LOGGED("log_tracking_full", LOG_TRACKING_FULL),
    { 0 },
};
const struct record saved_snapshot = { snapshot_fields, 0, 0 };

static const struct record_field netns_fields[] = {
    NEEDED(netns, RECORD_TEXT, name),
    FIELD(netns, RECORD_NUMBER, inode),
    FIELD(netns, RECORD_NUMBER, pid),
    FIELD(netns, RECORD_BOOL, is_own),
    { 0 },
};
const struct record saved_netns = { netns_fields, 0, 0 };

static const struct record_field values_fields[] = {
    FIELD(net_values, RECORD_NUMBER, counters_at_ms),
    { 0 },
};
const struct record saved_values = { values_fields, 0, 0 };

static const struct record_field cgroup_fields[] = {
    FIELD(cgroup, RECORD_NUMBER, id),
    NEEDED(cgroup, RECORD_TEXT, path),
    FIELD(cgroup, RECORD_TEXT, unit),
    FIELD(cgroup, RECORD_BOOL, user_unit),
    FIELD(cgroup, RECORD_TEXT, container),
    { 0 },
};
const struct record saved_cgroup = { cgroup_fields, 0, 0 };

static const struct record_field process_fields[] = {
    FIELD(process, RECORD_NUMBER, pid),
    FIELD(process, RECORD_NUMBER, parent_pid),
    FIELD(process, RECORD_TEXT, name),
    FIELD(process, RECORD_TEXT, command),
    FIELD(process, RECORD_TEXT, user),
    FIELD(process, RECORD_NUMBER, uid),
    FIELD(process, RECORD_TEXT, unit),
    FIELD(process, RECORD_BOOL, user_unit),
    FIELD(process, RECORD_TEXT, container),
    FIELD(process, RECORD_INDEX, cgroup),
    FIELD(process, RECORD_INDEX, netns),
    FIELD(process, RECORD_NUMBER, fds_open),
    FIELD(process, RECORD_LIMIT, fds_limit),
    FIELD(process, RECORD_LIMIT, fds_hard),
    FIELD(process, RECORD_NUMBER, fds_sockets),
    FIELD(process, RECORD_NUMBER, tcp_sockets),
    FIELD(process, RECORD_NUMBER, running_ms),
    FIELD(process, RECORD_LETTER, state),
    FIELD(process, RECORD_NUMBER, tracer_pid),
    FIELD(process, RECORD_TEXT, tracer),
    FIELD(process, RECORD_NUMBER, threads),
    { 0 },
};
const struct record saved_process = { process_fields, 0, 0 };

static const struct record_field wait_fields[] = {
    FIELD(wait_place, RECORD_LETTER, state),
    FIELD(wait_place, RECORD_TEXT, channel),
    FIELD(wait_place, RECORD_TEXT, call),
    FIELD(wait_place, RECORD_TEXT, target),
    FIELD(wait_place, RECORD_FD, fd),
    FIELD(wait_place, RECORD_NUMBER, threads),
    { 0 },
};
const struct record saved_wait = { wait_fields, 0, 0 };

static const struct record_field holder_fields[] = {
    NEEDED(saved_holder, RECORD_NUMBER, process),
    FIELD(saved_holder, RECORD_FD, fd),
    FIELD(saved_holder, RECORD_BOOL, close_on_exec),
    { 0 },
};
const struct record saved_holder = { holder_fields, 0, 0 };

static const struct record_field total_fields[] = {
    NEEDED(total, RECORD_NUMBER, count),
    { .key = "state", .kind = RECORD_STATE, .needed = true, MEMBER(total, state) },
    FIELD(total, RECORD_INDEX, process),
    FIELD(total, RECORD_TEXT, key),
    { 0 },
};
const struct record saved_total = { total_fields, 0, 0 };

static const struct record_field gap_fields[] = {
    NEEDED(gap, RECORD_TEXT, id),
    NEEDED(gap, RECORD_TEXT, text),
    FIELD(gap, RECORD_TEXT, remedy),
    { 0 },
};
const struct record saved_gap = { gap_fields, 0, 0 };

/* --- connections ------------------------------------------------------------------------------------------------ */

static const char *const timer_names[] = {
    [TIMER_NONE] = "none",
    [TIMER_RETRANSMIT] = "retransmit",
    [TIMER_KEEPALIVE] = "keepalive",
    [TIMER_TIME_WAIT] = "time-wait",
    [TIMER_PERSIST] = "persist",
    [TIMER_DELAYED_ACK] = "delayed-ack",
    [TIMER_DELAYED_ACK + 1] = NULL,
};
static const char *const shutdown_names[] = { "none", "receive", "send", "both", NULL };

/*
 * A number that is known if these presence bits are set. All fields of a bit are known together, so a new field needs a
 * new bit.
 */
#define KNOWN(name, bits)                                                                                              \
    {                                                                                                                  \
        .key = #name, .kind = RECORD_NUMBER, .present = (bits), MEMBER(conn, name)                                     \
    }

static const struct record_field conn_fields[] = {
    NEEDED(conn, RECORD_STATE, state),
    NEEDED(conn, RECORD_ADDRESS, local),
    FIELD(conn, RECORD_NUMBER, local_port),
    NEEDED(conn, RECORD_ADDRESS, remote),
    FIELD(conn, RECORD_NUMBER, remote_port),
    FIELD(conn, RECORD_BOOL, ipv6),
    FIELD(conn, RECORD_NUMBER, netns),
    KNOWN(recv_q_bytes, CONN_QUEUES),
    KNOWN(send_q_bytes, CONN_QUEUES),
    { .key = "send_q_is_backlog", .kind = RECORD_FLAG, .present = CONN_BACKLOG },
    { .key = "timer", .kind = RECORD_NAME, .present = CONN_TIMER, .names = timer_names, MEMBER(conn, timer) },
    KNOWN(timer_ms, CONN_TIMER),
    KNOWN(retransmits, CONN_TIMER),
    KNOWN(uid, CONN_UID),
    KNOWN(inode, CONN_INODE),
    KNOWN(cookie, CONN_COOKIE),
    KNOWN(cgroup_id, CONN_CGROUP),
    { .key = "shutdown",
        .kind = RECORD_NAME,
        .present = CONN_SHUTDOWN,
        .names = shutdown_names,
        MEMBER(conn, shutdown) },
    KNOWN(rto_ms, CONN_RTO),
    KNOWN(rtt_us, CONN_TCP_INFO),
    KNOWN(rttvar_us, CONN_TCP_INFO),
    KNOWN(probes, CONN_TCP_INFO),
    KNOWN(backoff, CONN_TCP_INFO),
    KNOWN(unacked, CONN_TCP_INFO),
    KNOWN(last_data_sent_ms, CONN_TCP_INFO),
    KNOWN(last_data_recv_ms, CONN_TCP_INFO),
    KNOWN(last_ack_recv_ms, CONN_TCP_INFO),
    KNOWN(total_retrans, CONN_TCP_INFO),
    KNOWN(snd_wnd_bytes, CONN_SND_WND),
    KNOWN(total_rto_time_ms, CONN_RTO_TIME),
    KNOWN(rto_recoveries, CONN_RTO_TIME),
    KNOWN(notsent_bytes, CONN_BYTES),
    KNOWN(rwnd_limited_ms, CONN_BYTES),
    KNOWN(bytes_received, CONN_BYTES),
    KNOWN(bytes_acked, CONN_BYTES),
    KNOWN(skmem_rmem_bytes, CONN_SKMEM),
    KNOWN(skmem_wmem_bytes, CONN_SKMEM),
    KNOWN(skmem_drops, CONN_SKMEM),
    KNOWN(shown_age_ms, CONN_SHOWN_AGE),
    KNOWN(shown_is_life, CONN_SHOWN_AGE),
    { 0 },
};
_Static_assert(sizeof conn_fields / sizeof *conn_fields <= RECORD_FIELDS_MAX, "a bit for each");
const struct record saved_conn = { conn_fields, offsetof(struct conn, present),
    sizeof(((struct conn *)NULL)->present) };
