#include "source/capture/other_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/conn_hash.h"
#include "model/holders.h"
#include "source/capture/formats/tasks.h"
#include "source/capture/input/open.h"

/* --- a connection in two tables ----------------------------------------------------------------------------------- */

#define TAKE(field) conn->field = other->field

/* Copies the fields that only the other row has. */
static void fill_in(struct conn *conn, const struct conn *other)
{
    uint16_t added = (uint16_t)(other->present & ~conn->present);
    if ((added & CONN_QUEUES) == 0)
        added &= (uint16_t)~CONN_BACKLOG; /* it tells the meaning of the queues */
    if ((added & CONN_QUEUES) != 0)
        TAKE(recv_q_bytes), TAKE(send_q_bytes);
    if ((added & CONN_TIMER) != 0)
        TAKE(timer), TAKE(timer_ms), TAKE(retransmits);
    if ((added & CONN_UID) != 0)
        TAKE(uid);
    if ((added & CONN_INODE) != 0)
        TAKE(inode);
    if ((added & CONN_COOKIE) != 0)
        TAKE(cookie);
    if ((added & CONN_SHUTDOWN) != 0)
        TAKE(shutdown);
    if ((added & CONN_TCP_INFO) != 0) {
        TAKE(probes), TAKE(backoff), TAKE(rtt_us), TAKE(rttvar_us), TAKE(unacked), TAKE(total_retrans);
        TAKE(last_data_sent_ms), TAKE(last_data_recv_ms), TAKE(last_ack_recv_ms);
    }
    if ((added & CONN_SND_WND) != 0)
        TAKE(snd_wnd_bytes);
    if ((added & CONN_RTO) != 0)
        TAKE(rto_ms);
    if ((added & CONN_RTO_TIME) != 0)
        TAKE(total_rto_time_ms), TAKE(rto_recoveries);
    if ((added & CONN_SKMEM) != 0)
        TAKE(skmem_rmem_bytes), TAKE(skmem_wmem_bytes), TAKE(skmem_drops);
    if ((added & CONN_BYTES) != 0)
        TAKE(notsent_bytes), TAKE(rwnd_limited_ms), TAKE(bytes_received), TAKE(bytes_acked);
    if ((added & CONN_SHOWN_AGE) != 0)
        TAKE(shown_age_ms), TAKE(shown_is_life);
    added &= (uint16_t)~CONN_CGROUP; /* the other text's control groups are not in this snapshot */
    conn->present |= added;
}

static bool are_one(const struct conn *one, const struct conn *other)
{
    bool same_inode = !conn_has(one, CONN_INODE) || !conn_has(other, CONN_INODE) || one->inode == other->inode;
    /* not the names of unknown services */
    bool has_ports = conn_is_listener(one) || (one->local_port != 0 && one->remote_port != 0);
    return has_ports && one->state == other->state && one->ipv6 == other->ipv6 &&
        one->local_port == other->local_port && one->remote_port == other->remote_port &&
        ip_is_same(&one->local, &other->local) && ip_is_same(&one->remote, &other->remote) && same_inode;
}

/* The connection of the capture that this row is about. NULL if there is none, or if several are possible. */
static struct conn *find(const struct snapshot *snapshot, const struct hash_index *table, const struct conn *wanted)
{
    struct hash_walk walk = hash_index_walk(table, conn_hash_ends(wanted));
    struct conn *found = NULL;
    uint32_t index;
    while ((index = hash_walk_next(table, &walk)) != HASH_NONE) {
        if (!are_one(&snapshot->conns[index], wanted))
            continue;
        if (found != NULL)
            return NULL;
        found = &snapshot->conns[index];
    }
    return found;
}

/* Adds the holders, if the capture does not know any. */
static void add_holders(
    struct capture *capture, struct conn *conn, const struct snapshot *from, const struct conn *other)
{
    if (conn->holder != NO_INDEX || conn_is_unheld(conn))
        return;
    for (const struct holder *h = holders_first(from, other); h != NULL; h = holders_next(from, h)) {
        const struct process *process = holders_process(from, h);
        const char *name = process->name != NULL ? process->name : "";
        capture_hold(capture, conn, process->pid, name, strlen(name), h->fd);
    }
}

/*
 * Adds listeners of the other table, on ports where the capture has none: it may have been filtered. Other connections
 * are not added, because they come and go between two commands. Their order does not matter, so they are added last.
 */
static uint64_t add_listeners(struct capture *capture, const struct snapshot *from)
{
    struct snapshot *snapshot = capture->snapshot;
    bool *has = xcalloc(UINT16_MAX + 1, sizeof *has);
    uint64_t added = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        has[snapshot->conns[i].local_port] |= conn_is_listener(&snapshot->conns[i]);
    for (size_t i = 0; i < from->conn_count; i++) {
        const struct conn *other = &from->conns[i];
        if (!conn_is_listener(other) || has[other->local_port])
            continue;
        struct conn *conn = capture_draft(capture);
        *conn = *other;
        conn->present &= (uint16_t)~CONN_CGROUP;
        conn->holder = NO_INDEX;
        capture_add(capture);
        add_holders(capture, conn, from, other);
        added++;
    }
    free(has);
    return added;
}

static uint64_t join(struct capture *capture, const struct snapshot *from)
{
    struct snapshot *snapshot = capture->snapshot;
    struct hash_index table;
    uint64_t joined = 0;
    hash_index_init(&table, snapshot->conn_count);
    for (size_t i = 0; i < snapshot->conn_count; i++)
        hash_index_add(&table, conn_hash_ends(&snapshot->conns[i]), (uint32_t)i);
    for (size_t i = 0; i < from->conn_count; i++) {
        struct conn *conn = find(snapshot, &table, &from->conns[i]);
        if (conn == NULL)
            continue;
        joined++;
        fill_in(conn, &from->conns[i]);
        add_holders(capture, conn, from, &from->conns[i]);
        capture->present |= conn->present;
    }
    hash_index_deinit(&table);
    if (joined > 0)
        joined += add_listeners(capture, from);
    for (size_t i = 0; joined > 0 && i < from->process_count; i++) {
        const struct process *process = &from->processes[i];
        if (process->pid != 0 && process->name != NULL)
            capture_name(capture, process->pid, process->name, strlen(process->name));
    }
    return joined;
}

/* --- lines that are left ------------------------------------------------------------------------------------------ */

/* Finds the first line that is still not understood; the report shows it. */
static void find_first_malformed(struct capture *capture, const struct leftovers *left)
{
    struct first_line *first = &capture->first_malformed;
    for (size_t i = 0; i < left->count; i++) {
        const struct leftover *line = &left->lines[i];
        if (line->kind != LINE_PART && line->kind != LINE_MALFORMED)
            continue;
        const char *text = buf_text(&left->text) + line->start;
        size_t length = strcspn(text, "\n");
        first->number = line->number;
        length = length < sizeof first->text - 1 ? length : sizeof first->text - 1;
        memcpy(first->text, text, length);
        first->text[length] = '\0';
        return;
    }
    *first = (struct first_line){ 0 };
}

/* Removes the lines that were read, and reduces the counts. */
static void drop_read(struct capture *capture)
{
    struct leftovers left = { 0 }, *all = &capture->leftovers;
    bool was_first = false;
    for (size_t i = 0; i < all->count; i++) {
        const struct leftover *kept = &all->lines[i];
        char *text = all->text.data + kept->start;
        const struct line line = { .text = text, .length = strcspn(text, "\n"), .number = kept->number };
        if (!kept->is_read) {
            leftovers_keep(&left, &line, kept->kind, kept->is_blank);
            continue;
        }
        was_first |= kept->number == capture->first_malformed.number;
        capture->kinds[kept->kind] -= !kept->is_blank;
    }
    leftovers_deinit(all);
    *all = left;
    if (was_first)
        find_first_malformed(capture, all);
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

/* Reports "ss -tanp: 40 rows of the same connections", or why rows were not used. */
static void report_table(struct capture *capture, const struct format *format, uint64_t rows, uint64_t joined)
{
    struct buf text = { 0 };
    if (joined > 0) {
        buf_printf(&text, "%s%s: ", buf_text(&capture->joined), format->title);
        text_count(&text, joined);
        buf_str(&text, joined == 1 ? " row of the same" : " rows of the same");
        buf_clear(&capture->joined);
        buf_printf(&capture->joined, "%s, ", buf_text(&text));
        buf_clear(&text);
    }
    if (joined < rows) {
        buf_str(&text, "the text also holds ");
        text_count(&text, rows);
        buf_printf(&text, " row%s of %s: ", rows == 1 ? "" : "s", format->title);
        if (joined == 0) {
            buf_str(&text,
                "none is of a connection that is read here, and they were left out: another host, or another moment");
        } else {
            text_count(&text, rows - joined);
            buf_printf(&text, " of them %s of no connection that is read here, and left out",
                rows - joined == 1 ? "is" : "are");
        }
        snapshot_note_gap(capture->snapshot, GAP_ANOTHER_FORMAT, buf_text(&text), NULL);
    }
    buf_deinit(&text);
}

/* Reads the lines that are left in this format. Returns 0 or a negative errno. */
static int read_table(struct capture *capture, const struct format *format)
{
    struct snapshot snapshot;
    struct input input;
    struct error err;
    snapshot_init(&snapshot);
    input_open_bytes(&input, buf_text(&capture->leftovers.text), capture->leftovers.text.length);
    struct capture table = { .snapshot = &snapshot,
        .format = format,
        .input = &input,
        .os = format->os,
        .charset = capture->charset,
        .repairs = true,
        .only_recognises = true, /* the numbers beside the rows were read before */
        .left_by = &capture->leftovers };
    int result = format->parse(format, &table, &err);
    if (result == 0) {
        repeats_keep_best(&table.repeats, &snapshot, input.ends_in_line);
        uint64_t rows = snapshot.conn_count;
        uint64_t joined = join(capture, &snapshot);
        capture->os = capture->os != NULL ? capture->os : table.os;
        if (capture->other_format == format)
            capture->other_format = NULL; /* it is reported by now */
        report_table(capture, format, rows, joined);
    }
    capture_deinit(&table);
    input_close(&input);
    snapshot_deinit(&snapshot);
    return result;
}

/* The format of a table among these lines. NULL if there is none, or if it is the format of the capture. */
static const struct format *find_format(const struct capture *capture)
{
    enum { LOOKED_AT = 512 * 1024, ROWS_LEAST = 2 };
    const struct leftovers *left = &capture->leftovers;
    size_t length = left->text.length < LOOKED_AT ? left->text.length : LOOKED_AT;
    const struct format *best = NULL;
    unsigned most = ROWS_LEAST * ROW_WEIGHT - 1;
    for (const struct format *format = formats; format->id != NULL && length > 0; format++) {
        if (format->parse != rows_parse || format->is_counts)
            continue;
        unsigned score = format->recognise(format, buf_text(&left->text), length, false);
        if (score > most) {
            best = format;
            most = score;
        }
    }
    return best != capture->format ? best : NULL;
}

/* Reads a list of processes from the same text. */
static int read_tasks(struct capture *capture)
{
    const struct snapshot *snapshot = capture->snapshot;
    const struct leftovers *left = &capture->leftovers;
    size_t named = 0;
    while (named < snapshot->process_count && snapshot->processes[named].name != NULL)
        named++;
    if (named == snapshot->process_count || left->count == 0)
        return 0;
    struct input input;
    input_open_bytes(&input, buf_text(&left->text), left->text.length);
    int64_t read = tasks_parse(&input, capture);
    input_close(&input);
    return read < 0 ? (int)read : 0;
}

int other_tables_read(struct capture *capture)
{
    enum { TABLES_MOST = 4 };
    int result = 0;
    for (int tables = 0; tables < TABLES_MOST && result == 0; tables++) {
        const struct format *format = find_format(capture);
        if (format == NULL)
            break;
        result = read_table(capture, format);
        drop_read(capture);
    }
    if (result == 0)
        result = read_tasks(capture);
    return capture->out_of_memory ? -ENOMEM : result;
}
