#include "source/capture/other_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_index.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/conn_hash.h"
#include "model/holders.h"
#include "source/capture/fill_in.h"
#include "source/capture/formats/tasks.h"
#include "source/capture/input/open.h"

/* --- a connection in two tables ----------------------------------------------------------------------------------- */

/* True for the same address. A name and an address may be the same too, where the other end tells. */
static bool may_be_same(const struct ip *one, const struct ip *other)
{
    bool is_name = ip_is_word(one) != ip_is_word(other) && !ip_is_redacted(one) && !ip_is_redacted(other);
    return is_name || ip_is_same(one, other);
}

/* A name has no family. */
static bool are_of_one_family(const struct conn *one, const struct conn *other)
{
    bool has_name = ip_is_word(&one->local) || ip_is_word(&one->remote) || ip_is_word(&other->local) ||
        ip_is_word(&other->remote);
    return has_name || one->ipv6 == other->ipv6;
}

static bool are_one(const struct conn *one, const struct conn *other)
{
    bool same_inode = !conn_has(one, CONN_INODE) || !conn_has(other, CONN_INODE) || one->inode == other->inode;
    /* not the names of unknown services */
    bool has_ports = conn_is_listener(one) || (one->local_port != 0 && one->remote_port != 0);
    return has_ports && one->state == other->state && are_of_one_family(one, other) &&
        one->local_port == other->local_port && one->remote_port == other->remote_port &&
        may_be_same(&one->local, &other->local) && may_be_same(&one->remote, &other->remote) && same_inode;
}

/* Of what is the same in both rows, whether an end is a name or an address. */
static uint64_t hash_ports(const struct conn *conn)
{
    return hash_number((uint64_t)conn->local_port << 16 | conn->remote_port);
}

/* The connections of the capture, by their ends, and by their ports only. */
struct row_index {
    struct hash_index by_ends, by_ports;
};

/*
 * The connection of the capture that this row is about. NULL if there is none, or if several are possible. Where an end
 * is a name, only the ports can be looked up.
 */
static struct conn *find(const struct snapshot *snapshot, const struct row_index *rows, const struct conn *wanted)
{
    enum { WALK_MOST = 64 };
    const struct hash_index *tables[] = { &rows->by_ends, &rows->by_ports };
    const uint64_t hashes[] = { conn_hash_ends(wanted), hash_ports(wanted) };
    struct conn *found = NULL;
    for (int i = 0; i < 2 && found == NULL; i++) {
        struct hash_walk walk = hash_index_walk(tables[i], hashes[i]);
        uint32_t index;
        for (unsigned steps = 0; (index = hash_walk_next(tables[i], &walk)) != HASH_NONE; steps++) {
            if (i > 0 && steps == WALK_MOST)
                return NULL;
            const struct conn *row = &snapshot->conns[index];
            bool has_hash = (i == 0 ? conn_hash_ends(row) : hash_ports(row)) == hashes[i];
            if (!has_hash || !are_one(row, wanted)) /* a walk passes others too, and a name may be any address */
                continue;
            if (found != NULL)
                return NULL;
            found = &snapshot->conns[index];
        }
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

static bool has_names(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (ip_is_word(&snapshot->conns[i].local) || ip_is_word(&snapshot->conns[i].remote))
            return true;
    }
    return false;
}

static void index_rows(const struct snapshot *snapshot, bool by_ports, struct row_index *ret_rows)
{
    hash_index_init(&ret_rows->by_ends, snapshot->conn_count);
    hash_index_init(&ret_rows->by_ports, by_ports ? snapshot->conn_count : 0);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        hash_index_add(&ret_rows->by_ends, conn_hash_ends(&snapshot->conns[i]), (uint32_t)i);
        if (by_ports)
            hash_index_add(&ret_rows->by_ports, hash_ports(&snapshot->conns[i]), (uint32_t)i);
    }
}

static uint64_t join(struct capture *capture, const struct snapshot *from)
{
    struct snapshot *snapshot = capture->snapshot;
    struct row_index rows;
    uint64_t joined = 0;
    index_rows(snapshot, has_names(snapshot) || has_names(from), &rows);
    for (size_t i = 0; i < from->conn_count; i++) {
        struct conn *conn = find(snapshot, &rows, &from->conns[i]);
        if (conn == NULL)
            continue;
        joined++;
        conn_fill_in(conn, &from->conns[i]);
        add_holders(capture, conn, from, &from->conns[i]);
        capture->present |= conn->present;
    }
    hash_index_deinit(&rows.by_ends);
    hash_index_deinit(&rows.by_ports);
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
