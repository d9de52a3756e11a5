/* Who: the process, its place on the host, the service and the other ends. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "model/host.h"
#include "report/text/parts.h"

enum { NAMES_SHOWN = 4, WAITS_SHOWN = 4, PEERS_SHOWN = 5, NAME_COLUMNS = 40, COMMAND_LINES = 2 };

/* A row of the block: its name, and the sheet at VALUE_COLUMN. */
static void row(struct sheet *sheet, const char *name)
{
    if (sheet->column > BODY_COLUMN) /* the first row stands beside the block's label */
        sheet_line(sheet);
    sheet_column(sheet, BODY_COLUMN);
    sheet_text(sheet, INK_DIM, name);
    sheet_column(sheet, VALUE_COLUMN);
    sheet->indent = VALUE_COLUMN;
}

static void value_row(struct sheet *sheet, const char *name, const char *value, size_t lines)
{
    if (value == NULL || *value == '\0')
        return;
    row(sheet, name);
    sheet_value(sheet, INK_PLAIN, value, (sheet->width - VALUE_COLUMN) * lines);
}

/* "spoolsvc (pid 812)" */
static void process_name(struct sheet *sheet, enum ink ink, const struct process *process)
{
    if (process->name == NULL)
        sheet_printf(sheet, ink, "pid\xc2\xa0%" PRIu32, process->pid);
    else
        sheet_value(sheet, ink, process->name, NAME_COLUMNS);
    if (process->name != NULL && process->pid != 0)
        sheet_printf(sheet, INK_PLAIN, " (pid\xc2\xa0%" PRIu32 ")", process->pid);
    if (process->host != NULL) {
        sheet_text(sheet, INK_PLAIN, " on ");
        sheet_value(sheet, INK_PLAIN, process->host->name, NAME_COLUMNS);
    }
}

static void owner_row(struct sheet *sheet, const struct diagnosis *diagnosis, const struct finding *finding)
{
    row(sheet, "process");
    if (finding->owner == NULL) {
        const struct conn *conn = finding->conn_count ? &diagnosis->snapshot->conns[finding->conns[0]] : NULL;
        bool held = conn != NULL && (!conn_has(conn, CONN_INODE) || conn->inode != 0);
        bool is_capture = diagnosis->snapshot->origin != NULL;
        sheet_text(sheet, INK_PLAIN,
            conn == NULL     ? "none: this is about the host as a whole"
                : !held      ? "none: only the kernel still holds them"
                : is_capture ? "not in this capture"
                             : "not visible from here");
        return;
    }
    process_name(sheet, INK_BOLD, finding->owner);
    if (finding->owner->user != NULL) {
        sheet_text(sheet, INK_PLAIN, ", user ");
        sheet_value(sheet, INK_PLAIN, finding->owner->user, NAME_COLUMNS);
    }
    if (finding->owner_inferred)
        sheet_printf(sheet, INK_PLAIN, "; inferred: it does not hold them, it listens on their local port%s",
            finding->local.ports > 0 ? "s" : "");
}

static void descriptors_row(struct sheet *sheet, const struct process *process)
{
    if (process->fds_open == 0)
        return;
    row(sheet, "descriptors");
    sheet_count(sheet, INK_PLAIN, process->fds_open);
    if (process->fds_limit == UINT32_MAX) {
        sheet_text(sheet, INK_PLAIN, " open, no limit");
    } else if (process->fds_limit != 0) {
        sheet_text(sheet, INK_PLAIN, " open of ");
        sheet_count(sheet, INK_PLAIN, process->fds_limit);
        sheet_printf(
            sheet, INK_PLAIN, " (%" PRIu64 "\xc2\xa0%%)", (uint64_t)process->fds_open * 100 / process->fds_limit);
    } else {
        sheet_text(sheet, INK_PLAIN, " open");
    }
    if (process->fds_sockets != 0) {
        sheet_text(sheet, INK_PLAIN, ", ");
        sheet_count(sheet, INK_PLAIN, process->fds_sockets);
        sheet_text(sheet, INK_PLAIN, process->fds_sockets == 1 ? " of them a socket" : " of them sockets");
    }
}

/* Only states in which a process cannot act are worth a row. */
static void state_row(struct sheet *sheet, const struct process *process)
{
    static const struct {
        char state;
        const char *words;
    } states[] = {
        { 'T', "stopped (T): it does nothing until somebody continues it" },
        { 't', "stopped by a debugger (t): it does nothing until the debugger lets it" },
        { 'D', "uninterruptible sleep (D): it waits inside the kernel, mostly for a disk or a network file system" },
        { 'Z', "zombie (Z): it has ended, its parent has not collected it" },
        { 'X', "ended (X)" },
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (states[i].state != process->state)
            continue;
        row(sheet, "state");
        sheet_text(sheet, INK_BOLD, states[i].words);
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
static void wait_place(struct sheet *sheet, const struct wait_place *place)
{
    sheet_count(sheet, INK_PLAIN, place->threads);
    sheet_printf(sheet, INK_PLAIN, " %s", thread_verb(place->state));
    if (place->call != NULL || place->channel != NULL) {
        sheet_text(sheet, INK_PLAIN, " in ");
        sheet_value(sheet, INK_PLAIN, place->call ? place->call : place->channel, NAME_COLUMNS);
    }
    if (place->fd >= 0)
        sheet_printf(sheet, INK_PLAIN, ", descriptor\xc2\xa0%d", place->fd);
    if (place->target != NULL) {
        sheet_text(sheet, INK_PLAIN, ": ");
        sheet_value(sheet, INK_PLAIN, place->target, sheet->width);
    }
}

static void waits_row(struct sheet *sheet, const struct process *process)
{
    size_t shown = process->wait_count < WAITS_SHOWN ? process->wait_count : WAITS_SHOWN;
    uint64_t hidden = 0;
    for (size_t i = shown; i < process->wait_count; i++)
        hidden += process->waits[i].threads;
    for (size_t i = 0; i < shown; i++) {
        if (i == 0)
            row(sheet, process->threads == 1 ? "thread" : "threads");
        else
            row(sheet, "");
        wait_place(sheet, &process->waits[i]);
    }
    if (hidden > 0) {
        row(sheet, "");
        sheet_count(sheet, INK_DIM, hidden);
        sheet_text(sheet, INK_DIM, " elsewhere");
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

static void service_rows(struct sheet *sheet, const struct finding *finding)
{
    struct buf text = { 0 };
    if (finding->remote.known) {
        endpoint(&text, &finding->remote);
        value_row(sheet, "goes to", buf_text(&text), 2);
        buf_clear(&text);
    }
    if (finding->local.known) {
        endpoint(&text, &finding->local);
        const char *name = finding->remote.known ? "from" : finding->local.ports > 0 ? "local end" : "service";
        value_row(sheet, name, buf_text(&text), 2);
    }
    buf_deinit(&text);
    if (finding->netns != NULL && finding->netns->name != NULL && strcmp(finding->netns->name, "host") != 0)
        value_row(sheet, "namespace", finding->netns->name, 2);
}

/* "spoolsvc (pid 812): 1,204, worker (pid 813): 1,204 and 2 more" */
static void process_counts(struct sheet *sheet, const char *name, const struct process_count *items, size_t count)
{
    if (count == 0)
        return;
    row(sheet, name);
    size_t shown = count < NAMES_SHOWN ? count : NAMES_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        if (i > 0)
            sheet_text(sheet, INK_PLAIN, ", ");
        process_name(sheet, INK_PLAIN, items[i].process);
        sheet_text(sheet, INK_PLAIN, ":\xc2\xa0");
        sheet_count(sheet, INK_PLAIN, items[i].count);
    }
    if (count > shown) {
        sheet_text(sheet, INK_DIM, " and ");
        sheet_count(sheet, INK_DIM, count - shown);
        sheet_text(sheet, INK_DIM, " more");
    }
}

/* "10.1.2.3 (12), 10.1.2.4 (3) and 40 more addresses" */
static void peers_row(struct sheet *sheet, const struct finding *finding)
{
    if (finding->peer_count == 0)
        return;
    row(sheet, finding->distinct_peers == 1 ? "peer" : "peers");
    size_t shown = finding->peer_count < PEERS_SHOWN ? finding->peer_count : PEERS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        struct buf text = { 0 };
        if (i > 0)
            sheet_text(sheet, INK_PLAIN, ", ");
        ip_format(&text, &finding->peers[i].address);
        buf_str(&text, "\xc2\xa0(");
        text_count(&text, finding->peers[i].count);
        buf_char(&text, ')');
        sheet_text(sheet, INK_PLAIN, buf_text(&text));
        buf_deinit(&text);
    }
    if (finding->distinct_peers > shown) {
        uint64_t rest = finding->distinct_peers - shown;
        sheet_text(sheet, INK_DIM, " and ");
        sheet_count(sheet, INK_DIM, rest);
        sheet_text(sheet, INK_DIM, rest == 1 ? " more address" : " more addresses");
    }
}

void text_who(struct sheet *sheet, const struct diagnosis *diagnosis, const struct finding *finding)
{
    const struct process *owner = finding->owner;
    sheet_line(sheet);
    text_label(sheet, "Who");
    owner_row(sheet, diagnosis, finding);
    if (owner != NULL) {
        value_row(sheet, "unit", owner->unit, 2);
        value_row(sheet, "container", owner->container, 2);
        value_row(sheet, "command", owner->command, COMMAND_LINES);
        descriptors_row(sheet, owner);
        state_row(sheet, owner);
        waits_row(sheet, owner);
    }
    service_rows(sheet, finding);
    if (finding->process_count > 1)
        process_counts(sheet, "held by", finding->processes, finding->process_count);
    process_counts(sheet, "other ends", finding->counterparts, finding->counterpart_count);
    peers_row(sheet, finding);
    sheet_fresh_line(sheet);
}
