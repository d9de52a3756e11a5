/*
 * Work whose instructions are counted: the same snapshot everywhere, and one step of a look at it.
 *
 *   work STEP CONNECTIONS
 *
 * Only what happens in measured() counts (callgrind's --toggle-collect): see budget.py.
 */
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "query/group_by.h"
#include "report/list.h"
#include "report/report.h"
#include "source/capture/capture.h"
#include "source/capture/format.h"
#include "source/linux/inet_diag.h"
#include "base/hash.h"
#include "source/linux/owners.h"
#include "source/linux/duplicates.h"
#include "source/capture/input/open.h"

struct work {
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    size_t connections;
    struct buf text; /* of a capture */
    FILE *out;
};

/* --- the steps -------------------------------------------------------------------------------------------------- */

/* A message as the kernel sends it for an ESTABLISHED socket: 280 bytes of tcp_info, memory, shutdown, cgroup. */
static size_t make_message(unsigned char *bytes)
{
    static const struct {
        uint16_t type, length;
    } attributes[] = {
        { INET_DIAG_SHUTDOWN, 1 },
        { INET_DIAG_SKMEMINFO, 36 },
        { INET_DIAG_CGROUP_ID, 8 },
        { INET_DIAG_INFO, 280 },
    };
    struct inet_diag_msg message = { .idiag_family = AF_INET, .idiag_state = 1, .idiag_inode = 4711 };
    memcpy(bytes, &message, sizeof message);
    size_t at = sizeof message;
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        const struct nlattr attribute = { .nla_len = (uint16_t)(NLA_HDRLEN + attributes[i].length),
            .nla_type = attributes[i].type };
        memcpy(bytes + at, &attribute, sizeof attribute);
        at += NLA_ALIGN(attribute.nla_len);
    }
    return at;
}

static void parse(struct work *work)
{
    static unsigned char bytes[1024];
    size_t length = make_message(bytes);
    for (size_t i = 0; i < work->connections; i++) {
        struct conn conn;
        bytes[4]++; /* no two alike */
        if (inet_diag_parse(bytes, length, &conn) < 0)
            abort();
    }
}

static void join(struct work *work)
{
    (void)owners_join(&work->snapshot);
    duplicates_drop(&work->snapshot, 0);
}

static void diagnose_all(struct work *work)
{
    diagnose(&work->snapshot, NULL, NULL, &work->diagnosis);
}

static void text(struct work *work)
{
    const struct report_options options = { .tool_version = "0", .style = { .width = 80, .utf8 = true } };
    report_text(&work->diagnosis, &options, work->out);
}

static void json(struct work *work)
{
    const struct report_options options = { .tool_version = "0" };
    report_json(&work->diagnosis, &options, work->out);
}

static void list(struct work *work)
{
    const struct list_options options = { .tool_version = "0" };
    list_text(&work->diagnosis, NULL, &options, work->out);
}

static void rows(struct work *work)
{
    const struct list_options options = { .tool_version = "0" };
    list_json(&work->diagnosis, NULL, &options, work->out);
}

static void count(struct work *work)
{
    struct key_use keys[2];
    if (!key_find("state", &keys[0]) || !key_find("process", &keys[1]))
        abort();
    const struct group_options options = { .keys = keys, .key_count = 2, .v4_prefix = 24, .v6_prefix = 64 };
    struct groups groups;
    groups_init(&groups, &work->diagnosis, NULL, &options);
    groups_deinit(&groups);
}

static void read_text(struct work *work)
{
    const struct capture_options options = { .path = "-" };
    struct input input;
    struct error err;
    snapshot_init(&work->snapshot);
    input_open_bytes(&input, buf_text(&work->text), work->text.length);
    if (capture_read_input(&options, &input, &work->snapshot, &err) < 0 ||
        work->snapshot.conn_count != work->connections)
        abort();
    input_close(&input);
}

/* --- what they work on ------------------------------------------------------------------------------------------ */

/* A busy server: most connections live, some are half closed, a process leaks. */
static void fill(struct work *work)
{
    static const char format[] =
        "process 812 spoolsvc user=lp uid=7 unit=spool.service fds=1267/1000000 state=S running=2d command=spoolsvc\n"
        "process 970 java user=app uid=9 fds=900/1000000 state=S running=9d command=\"java -jar shop.jar\"\n"
        "wait 812 S channel=ep_poll call=epoll_wait threads=1\n"
        "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n"
        "conn ESTABLISHED 10.0.0.5:9100 10.1.2.3:1024 x%zu recv_q=0 send_q=0 timer=none last_ack_recv=3s "
        "last_data_sent=2s last_data_recv=2s holders=812:10\n"
        "conn ESTABLISHED 10.0.0.5:20000 10.9.9.9:5432 x%zu vary=local_port recv_q=0 send_q=0 timer=keepalive "
        "timer_ms=90000 last_ack_recv=9s last_data_sent=8s last_data_recv=8s holders=970:10\n"
        "conn CLOSE_WAIT 10.0.0.5:9100 10.7.2.3:1024 x%zu recv_q=0 send_q=0 timer=none last_ack_recv=4h..14m "
        "last_data_sent=5h last_data_recv=5h holders=812:400000\n"
        "conn LAST_ACK 10.0.0.5:9100 10.8.2.3:1024 x%zu inode=0 recv_q=0 send_q=1 timer=retransmit timer_ms=9000 "
        "retransmits=6 rto=12800 rtt=300 rttvar=150 unacked=1 last_ack_recv=40s last_data_sent=41s\n"
        "conn TIME_WAIT 10.0.0.5:9100 10.6.2.3:1024 x%zu inode=0 timer=time_wait timer_ms=100..59000\n";
    char fixture[sizeof format + 200];
    size_t tenth = work->connections / 10;
    snprintf(fixture, sizeof fixture, format, 5 * tenth, 2 * tenth, tenth, tenth, tenth);
    fixture_must(&work->snapshot, fixture);
}

static void fill_and_diagnose(struct work *work)
{
    fill(work);
    diagnose_all(work);
}

/* Rows of Windows netstat, of so many processes. */
static void write_netstat(struct work *work, size_t processes)
{
    static const char *const states[] = { "ESTABLISHED", "TIME_WAIT", "CLOSE_WAIT", "LAST_ACK" };
    for (size_t i = 0; i < work->connections; i++)
        buf_printf(&work->text, "  TCP    10.0.0.5:443           10.7.%zu.%zu:%-14zu %-15s %zu\r\n", i / 256, i % 256,
            1024 + i, states[i % 4], 4000 + i % processes);
}

static void write_netstat_of_few(struct work *work)
{
    write_netstat(work, 12);
}

/* Each connection stuck for itself: whatever looks for a process among all of them has long to look. */
static void read_crowd(struct work *work)
{
    write_netstat(work, work->connections);
    read_text(work);
}

static void write_ss(struct work *work)
{
    static const char *const states[] = { "ESTAB", "TIME-WAIT", "CLOSE-WAIT", "LAST-ACK" };
    for (size_t i = 0; i < work->connections; i++)
        buf_printf(&work->text,
            "%-10s 0      0      10.0.0.5:443    10.7.%zu.%zu:%zu users:((\"nginx\",pid=%zu,fd=%zu)) uid:33 ino:%zu "
            "sk:%zx\n\t skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0) cubic rto:204 rtt:0.366/0.724 mss:1448 cwnd:10 "
            "bytes_sent:1000 bytes_acked:1001 bytes_received:5231 lastsnd:9684 lastrcv:9684 lastack:9684\n",
            states[i % 4], i / 256, i % 256, 1024 + i, 4000 + i % 12, i + 10, 70000 + i, i + 1);
}

static void write_powershell_json(struct work *work)
{
    for (size_t i = 0; i < work->connections; i++)
        buf_printf(&work->text,
            "%s\r\n    {\r\n        \"LocalAddress\":  \"10.0.0.5\",\r\n        \"LocalPort\":  443,\r\n"
            "        \"RemoteAddress\":  \"10.7.%zu.%zu\",\r\n        \"RemotePort\":  %zu,\r\n"
            "        \"State\":  %zu,\r\n        \"OwningProcess\":  %zu\r\n    }",
            i > 0 ? "," : "[", i / 256, i % 256, 1024 + i, 5 + i % 4, 4000 + i % 12);
    buf_str(&work->text, "\r\n]\r\n");
}

/* `netstat -anb`: no PIDs, and names whose letters give the same sum of products with 31. */
static void write_colliding_names(struct work *work)
{
    enum { BITS = 16 };
    buf_str(&work->text, "Active Connections\r\n\r\n  Proto  Local Address          Foreign Address        State\r\n");
    for (size_t i = 0; i < work->connections; i++) {
        char name[2 * BITS + 1] = "";
        for (unsigned bit = 0; bit < BITS; bit++)
            memcpy(name + 2 * bit, i >> bit & 1 ? "Aa" : "BB", 2);
        buf_printf(
            &work->text, "  TCP    10.0.0.5:9100  10.1.%zu.%zu:50122  CLOSE_WAIT\r\n [%s]\r\n", i / 256, i % 256, name);
    }
}

static const struct step {
    const char *name;
    void (*prepare)(struct work *work);
    void (*run)(struct work *work);
} steps[] = {
    { "netlink-message", fill, parse },
    { "owners-join", fill, join },
    { "diagnose", fill, diagnose_all },
    { "diagnose-crowd", read_crowd, diagnose_all },
    { "report-text", fill_and_diagnose, text },
    { "report-json", fill_and_diagnose, json },
    { "list-text", fill_and_diagnose, list },
    { "list-json", fill_and_diagnose, rows },
    { "count", fill_and_diagnose, count },
    { "read-windows-netstat", write_netstat_of_few, read_text },
    { "read-ss", write_ss, read_text },
    { "read-powershell-json", write_powershell_json, read_text },
    { "read-colliding-names", write_colliding_names, read_text },
};

__attribute__((noinline)) void measured(const struct step *step, struct work *work);
void measured(const struct step *step, struct work *work)
{
    step->run(work);
}

int main(int argc, char **argv)
{
    hash_set_key(0x243f6a8885a308d3, 0x13198a2e03707344); /* the same order in each run */
    struct work work = { .connections = argc == 3 ? strtoul(argv[2], NULL, 10) : 0 };
    const struct step *step = NULL;
    for (size_t i = 0; argc == 3 && i < sizeof steps / sizeof *steps; i++) {
        if (strcmp(steps[i].name, argv[1]) == 0)
            step = &steps[i];
    }
    if (step == NULL || work.connections == 0) {
        fputs("usage: work STEP CONNECTIONS\n", stderr);
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            fprintf(stderr, "  %s\n", steps[i].name);
        return 1;
    }
    work.out = fopen("/dev/null", "w");
    if (work.out == NULL)
        return 1;
    step->prepare(&work);
    measured(step, &work);
    fclose(work.out);
    return 0; /* what is left goes with the process */
}
