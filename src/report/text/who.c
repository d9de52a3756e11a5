/* The block of processes: the process and its place on the host, the service, the other ends. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "model/host.h"
#include "report/text/parts.h"

enum { NAMES_SHOWN = 4, WAITS_SHOWN = 4, PEERS_SHOWN = 5, NAME_COLUMNS = 40, COMMAND_LINES = 2 };

/* Starts a row of the block. Its value begins at VALUE_COLUMN and continues there. */
static void row(struct flow *flow, const char *name)
{
    if (flow->column > BODY_COLUMN) /* the first row is beside the block's label */
        flow_line(flow);
    flow_column(flow, BODY_COLUMN);
    flow_text(flow, STYLE_DIM, name);
    flow_column(flow, VALUE_COLUMN);
    flow->indent = VALUE_COLUMN;
}

static void value_row(struct flow *flow, const char *name, const char *value, size_t lines)
{
    if (value == NULL || *value == '\0')
        return;
    row(flow, name);
    flow_value(flow, STYLE_PLAIN, value, (flow->width - VALUE_COLUMN) * lines);
}

/* "spoolsvc (pid 812)" */
static void process_name(struct flow *flow, enum style style, const struct process *process)
{
    if (process->name == NULL)
        flow_printf(flow, style, "pid\xc2\xa0%" PRIu32, process->pid);
    else
        flow_value(flow, style, process->name, NAME_COLUMNS);
    if (process->name != NULL && process->pid != 0)
        flow_printf(flow, STYLE_PLAIN, " (pid\xc2\xa0%" PRIu32 ")", process->pid);
    if (process->host != NULL) {
        flow_text(flow, STYLE_PLAIN, " on ");
        flow_value(flow, STYLE_PLAIN, process->host->name, NAME_COLUMNS);
    }
}

static void owner_row(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding)
{
    row(flow, "process");
    if (finding->owner == NULL) {
        const struct conn *conn = finding->conn_count ? &diagnosis->snapshot->conns[finding->conns[0]] : NULL;
        bool held = conn != NULL && (!conn_has(conn, CONN_INODE) || conn->inode != 0);
        bool is_capture = diagnosis->snapshot->origin != NULL;
        flow_text(flow, STYLE_PLAIN,
            diagnosis->snapshot->counts_only ? "not in this capture"
                : conn == NULL               ? "none: this is about the host as a whole"
                : !held                      ? "none: only the kernel still holds them"
                : is_capture                 ? "not in this capture"
                                             : "not visible from here");
        return;
    }
    process_name(flow, STYLE_BOLD, finding->owner);
    if (finding->owner->user != NULL) {
        flow_text(flow, STYLE_PLAIN, ", user ");
        flow_value(flow, STYLE_PLAIN, finding->owner->user, NAME_COLUMNS);
    }
    if (finding->owner_inferred)
        flow_printf(flow, STYLE_PLAIN, "; inferred: it does not hold them, it listens on their local port%s",
            finding->local.ports > 0 ? "s" : "");
}

static void descriptors_row(struct flow *flow, const struct process *process)
{
    if (process->fds_open == 0)
        return;
    row(flow, "descriptors");
    flow_count(flow, STYLE_PLAIN, process->fds_open);
    if (process->fds_limit == UINT32_MAX) {
        flow_text(flow, STYLE_PLAIN, " open, no limit");
    } else if (process->fds_limit != 0) {
        flow_text(flow, STYLE_PLAIN, " open of ");
        flow_count(flow, STYLE_PLAIN, process->fds_limit);
        flow_printf(
            flow, STYLE_PLAIN, " (%" PRIu64 "\xc2\xa0%%)", (uint64_t)process->fds_open * 100 / process->fds_limit);
    } else {
        flow_text(flow, STYLE_PLAIN, " open");
    }
    if (process->fds_sockets != 0) {
        flow_text(flow, STYLE_PLAIN, ", ");
        flow_count(flow, STYLE_PLAIN, process->fds_sockets);
        flow_text(flow, STYLE_PLAIN, process->fds_sockets == 1 ? " of them a socket" : " of them sockets");
    }
}

/* Writes the state of a process only if the process cannot act in it. */
static void state_row(struct flow *flow, const struct process *process)
{
    static const struct {
        char state;
        const char *words;
    } states[] = {
        { 'T', "stopped (T): it does nothing until somebody continues it" },
        { 't', "stopped by a debugger (t): it does nothing until the debugger lets it" },
        { 'D', "uninterruptible sleep (D): it waits inside the kernel, mostly for a disk or a network file system" },
        { 'Z', "zombie (Z): it has ended, its parent has not collected it" },
        { PROCESS_ENDED, "ended (X)" },
        { PROCESS_UNLISTED, "ended (x): not in the list of processes" },
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (states[i].state != process->state)
            continue;
        row(flow, "state");
        flow_text(flow, STYLE_BOLD, states[i].words);
    }
}

static const char *thread_verb(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'D':
        return "uninterruptible";
    case 'T':
        return "stopped";
    case 't':
        return "stopped by a debugger";
    case 'Z':
        return "ended";
    default:
        return "waiting";
    }
}

/* "3 waiting in recvfrom, descriptor 7: 10.0.0.9:5432 (ESTABLISHED)" */
static void wait_place(struct flow *flow, const struct wait_place *place)
{
    flow_count(flow, STYLE_PLAIN, place->threads);
    flow_printf(flow, STYLE_PLAIN, " %s", thread_verb(place->state));
    if (place->call != NULL || place->channel != NULL) {
        flow_text(flow, STYLE_PLAIN, " in ");
        flow_value(flow, STYLE_PLAIN, place->call ? place->call : place->channel, NAME_COLUMNS);
    }
    if (place->fd >= 0)
        flow_printf(flow, STYLE_PLAIN, ", descriptor\xc2\xa0%d", place->fd);
    if (place->target != NULL) {
        flow_text(flow, STYLE_PLAIN, ": ");
        flow_value(flow, STYLE_PLAIN, place->target, flow->width);
    }
}

static void waits_row(struct flow *flow, const struct process *process)
{
    size_t shown = process->wait_count < WAITS_SHOWN ? process->wait_count : WAITS_SHOWN;
    uint64_t hidden = 0;
    for (size_t i = shown; i < process->wait_count; i++)
        hidden += process->waits[i].threads;
    for (size_t i = 0; i < shown; i++) {
        if (i == 0)
            row(flow, process->threads == 1 ? "thread" : "threads");
        else
            row(flow, "");
        wait_place(flow, &process->waits[i]);
    }
    if (hidden > 0) {
        row(flow, "");
        flow_count(flow, STYLE_DIM, hidden);
        flow_text(flow, STYLE_DIM, " elsewhere");
    }
}

/* "10.0.0.5:9100", "*:9100", "10.0.0.5", "10.0.0.5, 800 ports" */
static void endpoint(struct buf *out, const struct endpoint *end)
{
    bool has_port = !end->any_port && end->port != 0;
    if (end->any_address && has_port)
        buf_printf(out, "*:%u", end->port);
    else if (end->any_address)
        buf_str(out, end->ports > 0 ? "several addresses" : "any address");
    else if (has_port)
        ip_port_format(out, &end->address, end->port);
    else
        ip_format(out, &end->address);
    if (end->any_port && end->ports > 0) {
        buf_str(out, ", ");
        text_count(out, end->ports);
        buf_str(out, " ports");
    }
}

static void service_rows(struct flow *flow, const struct finding *finding)
{
    struct buf text = { 0 };
    if (finding->remote.known) {
        endpoint(&text, &finding->remote);
        value_row(flow, "goes to", buf_text(&text), 2);
        buf_clear(&text);
    }
    if (finding->local.known) {
        endpoint(&text, &finding->local);
        const char *name = finding->remote.known ? "from" : finding->local.ports > 0 ? "local end" : "service";
        value_row(flow, name, buf_text(&text), 2);
    }
    buf_deinit(&text);
    if (finding->netns != NULL && finding->netns->name != NULL && strcmp(finding->netns->name, "host") != 0)
        value_row(flow, "namespace", finding->netns->name, 2);
}

/* "spoolsvc (pid 812): 1,204, worker (pid 813): 1,204 and 2 more" */
static void process_counts(struct flow *flow, const char *name, const struct process_count *items, size_t count)
{
    if (count == 0)
        return;
    row(flow, name);
    size_t shown = count < NAMES_SHOWN ? count : NAMES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        if (i > 0)
            flow_text(flow, STYLE_PLAIN, ", ");
        process_name(flow, STYLE_PLAIN, items[i].process);
        flow_text(flow, STYLE_PLAIN, ":\xc2\xa0");
        flow_count(flow, STYLE_PLAIN, items[i].count);
    }
    if (count > shown) {
        flow_text(flow, STYLE_DIM, " and ");
        flow_count(flow, STYLE_DIM, count - shown);
        flow_text(flow, STYLE_DIM, " more");
    }
}

/* "10.1.2.3 (12), 10.1.2.4 (3) and 40 more addresses" */
static void peers_row(struct flow *flow, const struct finding *finding)
{
    if (finding->peer_count == 0)
        return;
    row(flow, finding->distinct_peers == 1 ? "peer" : "peers");
    size_t shown = finding->peer_count < PEERS_SHOWN ? finding->peer_count : PEERS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        struct buf text = { 0 };
        if (i > 0)
            flow_text(flow, STYLE_PLAIN, ", ");
        ip_format(&text, &finding->peers[i].address);
        buf_str(&text, "\xc2\xa0(");
        text_count(&text, finding->peers[i].count);
        buf_char(&text, ')');
        flow_text(flow, STYLE_PLAIN, buf_text(&text));
        buf_deinit(&text);
    }
    if (finding->distinct_peers > shown) {
        uint64_t rest = finding->distinct_peers - shown;
        flow_text(flow, STYLE_DIM, " and ");
        flow_count(flow, STYLE_DIM, rest);
        flow_text(flow, STYLE_DIM, rest == 1 ? " more address" : " more addresses");
    }
}

void text_who(struct flow *flow, const struct diagnosis *diagnosis, const struct finding *finding, bool is_short)
{
    const struct process *owner = finding->owner;
    flow_line(flow);
    text_label(flow, "Who");
    owner_row(flow, diagnosis, finding);
    if (owner != NULL) {
        value_row(flow, "unit", owner->unit, 2);
        value_row(flow, "container", owner->container, 2);
        value_row(flow, "command", owner->command, COMMAND_LINES);
        if (!is_short)
            descriptors_row(flow, owner);
        state_row(flow, owner);
        if (!is_short)
            waits_row(flow, owner);
    }
    service_rows(flow, finding);
    if (finding->process_count > 1 && !is_short)
        process_counts(flow, "held by", finding->processes, finding->process_count);
    process_counts(flow, "other ends", finding->counterparts, finding->counterpart_count);
    peers_row(flow, finding);
    flow_fresh_line(flow);
}
