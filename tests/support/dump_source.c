/*
 * What a source says, member by member and in its own units, for tests that compare sources.
 *
 *   dump_source bpf|netlink|proc|auto [self]
 *
 * A JSON document on stdout. Members that the source does not know (model/conn.h: `present`) are left out.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "source/source.h"

#define MEMBER(condition, name)                                                                                        \
    {                                                                                                                  \
        condition, #name, offsetof(struct conn, name), sizeof(((struct conn *)0)->name)                                \
    }

static const struct {
    unsigned present; /* enum conn_field; 0: always known */
    const char *name;
    size_t offset, size;
} members[] = {
    MEMBER(0, local_port),
    MEMBER(0, remote_port),
    MEMBER(0, ipv6),
    MEMBER(0, present),
    MEMBER(CONN_QUEUES, recv_q_bytes),
    MEMBER(CONN_QUEUES, send_q_bytes),
    MEMBER(CONN_TIMER, timer),
    MEMBER(CONN_TIMER, timer_ms),
    MEMBER(CONN_TIMER, retransmits),
    MEMBER(CONN_UID, uid),
    MEMBER(CONN_INODE, inode),
    MEMBER(CONN_COOKIE, cookie),
    MEMBER(CONN_CGROUP, cgroup_id),
    MEMBER(CONN_SHUTDOWN, shutdown),
    MEMBER(CONN_RTO, rto_ms),
    MEMBER(CONN_TCP_INFO, probes),
    MEMBER(CONN_TCP_INFO, backoff),
    MEMBER(CONN_TCP_INFO, rtt_us),
    MEMBER(CONN_TCP_INFO, rttvar_us),
    MEMBER(CONN_TCP_INFO, unacked),
    MEMBER(CONN_TCP_INFO, last_data_sent_ms),
    MEMBER(CONN_TCP_INFO, last_data_recv_ms),
    MEMBER(CONN_TCP_INFO, last_ack_recv_ms),
    MEMBER(CONN_TCP_INFO, total_retrans),
    MEMBER(CONN_BYTES, notsent_bytes),
    MEMBER(CONN_BYTES, rwnd_limited_ms),
    MEMBER(CONN_BYTES, bytes_received),
    MEMBER(CONN_BYTES, bytes_acked),
    MEMBER(CONN_SND_WND, snd_wnd_bytes),
    MEMBER(CONN_RTO_TIME, total_rto_time_ms),
    MEMBER(CONN_RTO_TIME, rto_recoveries),
    MEMBER(CONN_SKMEM, skmem_rmem_bytes),
    MEMBER(CONN_SKMEM, skmem_wmem_bytes),
    MEMBER(CONN_SKMEM, skmem_drops),
    MEMBER(CONN_SHOWN_AGE, shown_age_ms),
    MEMBER(CONN_SHOWN_AGE, shown_is_life),
};

static uint64_t number_at(const struct conn *conn, size_t offset, size_t size)
{
    const unsigned char *at = (const unsigned char *)conn + offset;
    uint64_t u64 = 0;
    uint32_t u32 = 0;
    uint16_t u16 = 0;
    switch (size) {
    case sizeof u64:
        memcpy(&u64, at, sizeof u64);
        return u64;
    case sizeof u32:
        memcpy(&u32, at, sizeof u32);
        return u32;
    case sizeof u16:
        memcpy(&u16, at, sizeof u16);
        return u16;
    default:
        return *at;
    }
}

static void write_address(struct json *json, const char *key, const struct ip *ip)
{
    struct buf text = { 0 };
    ip_format(&text, ip);
    json_member_string(json, key, buf_text(&text));
    buf_deinit(&text);
}

static void write_holders(struct json *json, const struct snapshot *snapshot, const struct conn *conn)
{
    json_key(json, "holders");
    json_array(json);
    for (uint32_t i = conn->holder; i != NO_INDEX; i = snapshot->holders[i].next) {
        json_object(json);
        json_member_uint(json, "pid", snapshot->processes[snapshot->holders[i].process].pid);
        json_member_uint(json, "fd", snapshot->holders[i].fd);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_conn(struct json *json, const struct snapshot *snapshot, const struct conn *conn)
{
    json_object(json);
    json_member_string(json, "state", state_name(conn->state));
    write_address(json, "local", &conn->local);
    write_address(json, "remote", &conn->remote);
    json_member_string(json, "netns", snapshot_netns(snapshot, conn)->name);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (conn_has(conn, members[i].present))
            json_member_uint(json, members[i].name, number_at(conn, members[i].offset, members[i].size));
    }
    write_holders(json, snapshot, conn);
    json_object_end(json);
}

static void write_process(struct json *json, const struct snapshot *snapshot, const struct process *process)
{
    json_object(json);
    json_member_uint(json, "pid", process->pid);
    json_member_string(json, "name", process->name);
    json_member_string(json, "netns", process->netns == NO_INDEX ? NULL : snapshot->netns[process->netns].name);
    json_member_uint(json, "fds_open", process->fds_open);
    json_member_uint(json, "fds_sockets", process->fds_sockets);
    json_member_uint(json, "tcp_sockets", process->tcp_sockets);
    json_object_end(json);
}

static void write_snapshot(struct json *json, const struct snapshot *snapshot)
{
    json_object(json);
    json_member_string(json, "source", snapshot->source);
    json_key(json, "netns");
    json_array(json);
    for (size_t i = 0; i < snapshot->netns_count; i++)
        json_string(json, snapshot->netns[i].name);
    json_array_end(json);
    json_key(json, "gaps");
    json_array(json);
    for (size_t i = 0; i < snapshot->gap_count; i++)
        json_string(json, snapshot->gaps[i].id);
    json_array_end(json);
    json_key(json, "connections");
    json_array(json);
    for (size_t i = 0; i < snapshot->conn_count; i++)
        write_conn(json, snapshot, &snapshot->conns[i]);
    json_array_end(json);
    json_key(json, "processes");
    json_array(json);
    for (size_t i = 0; i < snapshot->process_count; i++)
        write_process(json, snapshot, &snapshot->processes[i]);
    json_array_end(json);
    json_object_end(json);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum source_kind kind;
    } kinds[] = { { "auto", SOURCE_AUTO }, { "bpf", SOURCE_BPF }, { "netlink", SOURCE_NETLINK },
        { "proc", SOURCE_PROC } };
    struct source_options options = { .own_netns_only = argc > 2 && strcmp(argv[2], "self") == 0 };
    size_t kind = 0;
    while (argc > 1 && kind < sizeof kinds / sizeof *kinds && strcmp(argv[1], kinds[kind].name) != 0)
        kind++;
    if (argc < 2 || kind == sizeof kinds / sizeof *kinds) {
        fputs("usage: dump_source bpf|netlink|proc|auto [self]\n", stderr);
        return 1;
    }
    options.kind = kinds[kind].kind;

    struct snapshot snapshot;
    struct error err = { 0 };
    snapshot_init(&snapshot);
    if (source_read(&options, &snapshot, &err) < 0) {
        fprintf(stderr, "dump_source: %s: %s\n", err.subject, err.message);
        return 1;
    }
    struct json json;
    json_begin(&json, stdout, true);
    write_snapshot(&json, &snapshot);
    int result = json_end(&json);
    snapshot_deinit(&snapshot);
    return result < 0;
}
