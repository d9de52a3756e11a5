#include "sick_host.h"

#include "fixture.h"

static const char sick_host_fixture[] =
    "source linux-sock-diag elapsed_us=12300\n"
    "netns host own\n"
    "netns \"web\\e[5m\"\n"
    "process 812 \"e\\e[31mvil\\n\\xff\\xe2\\x80\\xaecod\" user=\"l\\x9bp\" uid=7 unit=spool.service "
    "container=4f0c1ab2cd3e"
    " fds=1267/4096 state=T threads=4 netns=host"
    " command=\"/usr/sbin/spoolsvc -f \\e]0;owned\\x07 "
    "--a-very-long-option=/var/lib/spool/queue/with/a/deep/path,/and/one"
    "/more/that/does/not/end/anywhere/near/the/width/of/a/terminal/at/all/by/any/stretch/of/the/imagination Grüße\"\n"
    "wait 812 S channel=futex_wait_queue call=futex threads=3\n"
    "wait 812 D call=read fd=7 target=\"a pipe\\n\"\n"
    "process 813 worker fds=9/none state=S netns=host\n"
    "process 900 client fds=40/1024 state=S netns=host\n"
    "conn LISTEN *:9100 netns=host recv_q=0 send_q=128 holders=812:3\n"
    "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:50122 x1204 netns=host recv_q=0 send_q=0 last_ack_recv=15120000..840000"
    " holders=812:17,813:17\n"
    "conn LAST_ACK [2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:9100 [2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:40001 x2 recv_q=1"
    " send_q=1 timer=retransmit timer_ms=14s retransmits=5 rto=6400 rtt=20000 rttvar=5000 netns=host\n"
    "conn ESTABLISHED 10.0.0.5:22 10.1.2.3:60000 x9210 netns=host recv_q=0 send_q=0\n"
    "gap owners-hidden text=\"The processes of other users are hidden: 12 sockets have no owner here\""
    " remedy=\"run as root, or with CAP_SYS_PTRACE\"\n";

static uint32_t *indexes(struct sick_host *host, enum conn_state state, uint64_t *ret_count)
{
    const struct snapshot *snapshot = &host->snapshot;
    uint32_t *conns = arena_alloc(&host->diagnosis.arena, snapshot->conn_count * sizeof *conns);
    *ret_count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (snapshot->conns[i].state == state)
            conns[(*ret_count)++] = (uint32_t)i;
    }
    return conns;
}

static struct process_count *process_counts(struct sick_host *host, uint32_t first, uint32_t second, uint64_t count)
{
    struct process_count *items = arena_alloc(&host->diagnosis.arena, 2 * sizeof *items);
    items[0] = (struct process_count){ snapshot_process_by_pid(&host->snapshot, first), count };
    items[1] = (struct process_count){ snapshot_process_by_pid(&host->snapshot, second), count };
    return items;
}

static void leak(struct sick_host *host, struct finding *finding)
{
    struct diagnosis *diagnosis = &host->diagnosis;
    struct arena *arena = &diagnosis->arena;
    const struct snapshot *snapshot = &host->snapshot;
    finding->conns = indexes(host, STATE_CLOSE_WAIT, &finding->count);
    struct peer_count *peers = arena_alloc(arena, 2 * sizeof *peers);
    peers[0] = (struct peer_count){ snapshot->conns[finding->conns[0]].remote, 1200 };
    peers[1] = (struct peer_count){ snapshot->conns[finding->conns[finding->count - 1]].remote, 4 };
    *finding = (struct finding){ .id = "close-wait-leak",
        .list_options = "--cause close-wait-leak",
        .lists_cause = true,
        .action = "close when peers do",
        .severity = SEVERITY_CRITICAL,
        .confidence = CONFIDENCE_CERTAIN,
        .fault = FAULT_LOCAL_APPLICATION,
        .title = arena_printf(
            arena, "%s has not closed 1,204 connections that its peers ended", SICK_HOST_HOSTILE_NAME),
        .why = "The peers sent their FIN, the process read the end of the stream and kept the descriptors. Nothing in "
               "the kernel ends CLOSE_WAIT: RFC 9293 § 3.6.",
        .count = finding->count,
        .conns = finding->conns,
        .owner = snapshot_process_by_pid(snapshot, 812),
        .processes = process_counts(host, 812, 813, 1204),
        .process_count = 2,
        .counterparts = process_counts(host, 900, 813, 3),
        .counterpart_count = 1,
        .local = { .known = true, .address = snapshot->conns[finding->conns[0]].local, .port = 9100 },
        .netns = &snapshot->netns[1],
        .peers = peers,
        .peer_count = 2,
        .distinct_peers = 340,
        .age_known = true,
        .age_at_least = true,
        .oldest_ms = 15120000,
        .median_ms = 840000 };
    lines_add(&finding->evidence, arena, "Recv-Q is 0 on all 1,204: the end of the stream was consumed");
    lines_add(
        &finding->evidence, arena, "all 1,204 descriptors are still open in pid 812 (%s)", SICK_HOST_HOSTILE_NAME);
    lines_add(&finding->ruled_out, arena, "Not the network: the FIN arrived and was acknowledged");
    lines_add(&finding->will_not_help, arena, "net.ipv4.tcp_fin_timeout: it concerns FIN_WAIT_2");
    fixes_add(&finding->fix_now, arena, "Restart the unit; its connections end with the process",
        "systemctl restart spool.service --and-an-argument-that-makes-this-command-longer-than-any-line-should-be");
    fixes_add(&finding->fix_now, arena, "Or do nothing until tonight", NULL);
    fixes_add(&finding->fix_for_good, arena, "Close the socket on every path", NULL);
}

static void last_ack(struct sick_host *host, struct finding *finding)
{
    struct arena *arena = &host->diagnosis.arena;
    const struct snapshot *snapshot = &host->snapshot;
    *finding = (struct finding){ .id = "last-ack-unanswered",
        .list_options = "--cause last-ack-unanswered",
        .lists_cause = true,
        .action = "check peers, path",
        .severity = SEVERITY_WARNING,
        .confidence = CONFIDENCE_LIKELY,
        .fault = FAULT_PEER_OR_PATH,
        .title = "2 connections wait for the last ACK",
        .why = "Nobody answers.",
        .conns = indexes(host, STATE_LAST_ACK, &finding->count),
        .owner = snapshot_process_by_pid(snapshot, 813),
        .owner_inferred = true,
        .remote = { .known = true, .address = snapshot->conns[1].remote, .port = 443 },
        .local = { .known = true, .any_address = true, .any_port = true },
        .netns = &snapshot->netns[0],
        .age_known = true,
        .oldest_ms = 6500,
        .median_ms = 6100,
        .give_up_known = true,
        .first_give_up_ms = 95700,
        .last_give_up_ms = 100200 };
    finding->conns = indexes(host, STATE_LAST_ACK, &finding->count);
    lines_add(&finding->evidence, arena, "5 retransmissions without an answer");
}

static void idle(struct sick_host *host, struct finding *finding)
{
    *finding = (struct finding){ .id = "established-idle",
        .list_options = "--cause established-idle",
        .lists_cause = true,
        .action = "nothing or keepalive",
        .severity = SEVERITY_INFO,
        .confidence = CONFIDENCE_POSSIBLE,
        .fault = FAULT_NONE,
        .title = "9,210 connections are idle",
        .why = "Nothing was sent.",
        .local = { .known = true, .any_address = true, .port = 22 } };
    finding->conns = indexes(host, STATE_ESTABLISHED, &finding->count);
}

static void count_states(struct sick_host *host)
{
    struct diagnosis *diagnosis = &host->diagnosis;
    diagnosis->snapshot = &host->snapshot;
    diagnosis->selected_count = host->snapshot.conn_count;
    for (size_t i = 0; i < host->snapshot.conn_count; i++)
        diagnosis->by_state[host->snapshot.conns[i].state]++;
}

void sick_host_init(struct sick_host *host)
{
    *host = (struct sick_host){ 0 };
    fixture_must(&host->snapshot, sick_host_fixture);
    struct diagnosis *diagnosis = &host->diagnosis;
    arena_init(&diagnosis->arena);
    count_states(host);
    diagnosis->verdict = VERDICT_CRITICAL;
    diagnosis->findings = arena_alloc(&diagnosis->arena, 3 * sizeof *diagnosis->findings);
    diagnosis->finding_count = 3;
    leak(host, &diagnosis->findings[0]);
    last_ack(host, &diagnosis->findings[1]);
    idle(host, &diagnosis->findings[2]);
    for (size_t i = 0; i < diagnosis->finding_count; i++)
        diagnosis->findings[i].conn_count = diagnosis->findings[i].count;
    lines_add(&diagnosis->notes, &diagnosis->arena, "9,210 ESTABLISHED are what a busy server has");
}

void healthy_host_init(struct sick_host *host)
{
    *host = (struct sick_host){ 0 };
    fixture_must(&host->snapshot,
        "conn TIME_WAIT 10.0.0.5:80 10.1.2.3:20000 x8120 timer=time_wait timer_ms=0..60000\n"
        "conn LISTEN *:80\n");
    arena_init(&host->diagnosis.arena);
    count_states(host);
    lines_add(&host->diagnosis.notes, &host->diagnosis.arena,
        "8,120 TIME_WAIT: normal, 29 %% of the ports to the busiest destination");
}

void sick_host_deinit(struct sick_host *host)
{
    diagnosis_deinit(&host->diagnosis);
    snapshot_deinit(&host->snapshot);
}
