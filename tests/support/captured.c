#include "captured.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h> // NOLINT(llvm-include-order)

#include "source/capture/capture.h"
#include "source/capture/format.h"
#include "source/capture/input/open.h"

const char *captured(struct snapshot *snapshot, const char *text, size_t length)
{
    const struct capture_options options = { .path = "-" };
    struct input input;
    struct error err = { 0 };
    snapshot_init(snapshot);
    input_open_bytes(&input, text, length);
    int result = capture_read_input(&options, &input, snapshot, &err);
    if (result < 0 && snapshot->source == NULL)
        fail_msg("%s", err.message);
    if (result < 0)
        snapshot_add_gap(snapshot, "refused", err.message, "");
    input_close(&input);
    return snapshot->source;
}

static void describe_evidence(const struct conn *conn, struct buf *out)
{
    static const char *const timers[] = { "none", "on", "keepalive", "timewait", "persist", "ato" };
    if (conn_has(conn, CONN_QUEUES))
        buf_printf(out, " rq=%" PRIu32 " sq=%" PRIu32, conn->recv_q_bytes, conn->send_q_bytes);
    if (conn_has(conn, CONN_BACKLOG))
        buf_str(out, " backlog");
    if (conn_has(conn, CONN_TIMER))
        buf_printf(
            out, " timer=%s/%" PRIu32 "/%u/%u", timers[conn->timer], conn->timer_ms, conn->retransmits, conn->probes);
    if (conn_has(conn, CONN_SHOWN_AGE))
        buf_printf(out, " %s=%" PRIu32, conn->shown_is_life ? "life" : "age", conn->shown_age_ms);
    if (conn_has(conn, CONN_INODE))
        buf_printf(out, " ino=%" PRIu32, conn->inode);
    if (conn_has(conn, CONN_UID))
        buf_printf(out, " uid=%" PRIu32, conn->uid);
    if (conn_has(conn, CONN_COOKIE))
        buf_printf(out, " sk=%" PRIx64, conn->cookie);
    if (conn_has(conn, CONN_SHUTDOWN))
        buf_printf(out, " shut=%u", conn->shutdown);
    if (conn_has(conn, CONN_SKMEM))
        buf_printf(out, " mem=%" PRIu32 "/%" PRIu32 "/%" PRIu32, conn->skmem_rmem_bytes, conn->skmem_wmem_bytes,
            conn->skmem_drops);
    if (conn_has(conn, CONN_TCP_INFO))
        buf_printf(out,
            " rto=%" PRIu32 " rtt=%" PRIu32 "/%" PRIu32 " ago=%" PRIu32 "/%" PRIu32 "/%" PRIu32 " unacked=%" PRIu32,
            conn->rto_ms, conn->rtt_us, conn->rttvar_us, conn->last_data_sent_ms, conn->last_data_recv_ms,
            conn->last_ack_recv_ms, conn->unacked);
    if (conn_has(conn, CONN_SND_WND))
        buf_printf(out, " wnd=%" PRIu32, conn->snd_wnd_bytes);
}

static void describe_conn(const struct snapshot *snapshot, const struct conn *conn, struct buf *out)
{
    buf_printf(out, "%s ", state_name((enum conn_state)conn->state));
    ip_port_format(out, &conn->local, conn->local_port);
    buf_char(out, ' ');
    ip_port_format(out, &conn->remote, conn->remote_port);
    describe_evidence(conn, out);
    for (uint32_t h = conn->holder; h != NO_INDEX; h = snapshot->holders[h].next) {
        const struct process *process = &snapshot->processes[snapshot->holders[h].process];
        buf_printf(out, " by %" PRIu32 "/%s", process->pid, process->name ? process->name : "?");
        if (snapshot->holders[h].fd != FD_UNKNOWN)
            buf_printf(out, ":%u", (unsigned)snapshot->holders[h].fd);
    }
    buf_char(out, '\n');
}

const char *captured_text(const struct snapshot *snapshot)
{
    static char text[8192];
    struct buf out = { 0 };
    for (size_t i = 0; i < snapshot->conn_count; i++)
        describe_conn(snapshot, &snapshot->conns[i], &out);
    for (size_t i = 0; i < snapshot->gap_count; i++)
        buf_printf(&out, "gap %s\n", snapshot->gaps[i].id);
    snprintf(text, sizeof text, "%s", buf_text(&out));
    buf_deinit(&out);
    return text;
}

void captured_check(const struct captured_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct snapshot snapshot;
        const char *source = captured(&snapshot, cases[i].text, strlen(cases[i].text));
        if (strcmp(source, cases[i].source) != 0)
            fail_msg("%s\nexpected %s, found %s", cases[i].text, cases[i].source, source);
        const char *found = captured_text(&snapshot);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s\nexpected:\n%sfound:\n%s", cases[i].text, cases[i].expected, found);
        snapshot_deinit(&snapshot);
    }
}
