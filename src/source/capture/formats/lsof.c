/*
 * lsof -nP -iTCP prints a row for each descriptor. A socket of several processes has several rows:
 *
 *   python3 27660 root    3u  IPv4 39944918      0t0  TCP 127.0.0.1:58269 (LISTEN)
 *   nginx     812 www    12u  IPv6 0x5a2c1d43      0t0  TCP [::1]:80->[::1]:50122 (CLOSE_WAIT QR=0 QS=0)
 *
 * DEVICE is the inode on Linux, and an address in the kernel on BSD and macOS. -T adds the queues.
 */
#include "source/capture/formats/lsof.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "model/holders.h"
#include "source/text/scan.h"

enum { WORDS_MAX = 24, BEFORE_TCP = 7 };

/* Identifies the socket of a row. */
struct seen {
    uint64_t device;      /* 0: unknown */
    uint32_t last_holder; /* the last holder of its connection; NO_INDEX: none */
};

/* "39944918", or "0x5a2c1d43" of BSD and macOS; 0 for anything else. */
static uint64_t read_device(struct capture *capture, const struct token *word)
{
    uint64_t device;
    if (token_number(word, UINT32_MAX, &device)) {
        capture->os = "linux";
        return device;
    }
    if (word->length < 3 || word->text[0] != '0' || word->text[1] != 'x')
        return 0;
    capture->os = capture->os != NULL ? capture->os : "macos";
    return strtoull(word->text + 2, NULL, 16);
}

/* The state and the queues: "(CLOSE_WAIT", "QR=0", "QS=0)". */
static void read_state(struct capture *capture, const struct token *words, unsigned count, struct conn *conn)
{
    unsigned queues = 0;
    for (unsigned i = 0; i < count; i++) {
        struct token word = words[i];
        if (word.length > 0 && word.text[0] == '(')
            word = (struct token){ word.text + 1, word.length - 1 };
        if (word.length > 0 && word.text[word.length - 1] == ')')
            word.length--;
        struct token value = { word.text + 3, word.length > 3 ? word.length - 3 : 0 };
        uint64_t number;
        if (token_starts(&word, "QR=") && token_number(&value, UINT32_MAX, &number)) {
            conn->recv_q_bytes = (uint32_t)number;
            queues++;
        } else if (token_starts(&word, "QS=") && token_number(&value, UINT32_MAX, &number)) {
            conn->send_q_bytes = (uint32_t)number;
            queues++;
        } else if (i == 0) {
            conn->state = (uint8_t)state_words_find(&capture->state_words, word.text, word.length);
        }
    }
    if (queues == 2)
        conn->present |= CONN_QUEUES;
}

static enum line_kind read_ends(struct capture *capture, const struct token *word, struct conn *conn)
{
    static const struct token nowhere = { "*:*", 3 };
    const char *tip = memchr(word->text, '>', word->length); /* of "->" */
    if (tip == NULL || tip == word->text || tip[-1] != '-')
        return capture_ends(capture, word, &nowhere, ':', conn);
    struct token local = { word->text, (size_t)(tip - word->text) - 1 };
    struct token remote = { tip + 1, word->length - local.length - 2 };
    return capture_ends(capture, &local, &remote, ':', conn);
}

/* The number of a descriptor: "27u". FD_UNKNOWN for "cwd" or "txt". */
static uint32_t read_fd(const struct token *word)
{
    uint32_t fd = 0;
    size_t at = 0;
    for (; at < word->length && word->text[at] >= '0' && word->text[at] <= '9' && at < 7; at++)
        fd = fd * 10 + (uint32_t)(word->text[at] - '0');
    return at > 0 ? fd : FD_UNKNOWN;
}

static bool is_heading(const struct token *words, unsigned count)
{
    return count >= 3 && token_is(&words[0], "COMMAND") && token_is(&words[1], "PID");
}

static void remember(struct capture *capture, uint64_t device, uint32_t holder)
{
    struct lsof *lsof = capture->state;
    if (capture->out_of_memory)
        return;
    lsof->count = capture->snapshot->conn_count - 1; /* an earlier connection may have been removed */
    xvec_grow((void **)&lsof->seen, lsof->count, &lsof->capacity, sizeof *lsof->seen);
    lsof->seen[lsof->count++] = (struct seen){ .device = device, .last_holder = holder };
}

/*
 * Decodes "Google\\x20Chrome". lsof writes so what a name must not contain (safestrprt()). The result is shorter, so it
 * is written in place.
 */
static size_t unescape(char *name, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length; to++) {
        const char *digits = name + from + 2;
        uint64_t code;
        bool is_escape = length - from >= 4 && name[from] == '\\' && name[from + 1] == 'x' &&
            scan_hex(&digits, 2, &code) && digits == name + from + 4 && code != 0;
        name[to] = is_escape ? (char)code : name[from];
        from += is_escape ? 4 : 1;
    }
    return to;
}

/*
 * A TCP socket that is in no table of the kernel, so that lsof knows only its type: "protocol: TCP"; an old lsof prints
 * "can't identify protocol". Returns the number of these words; the word before them (NODE) is the inode.
 */
static unsigned words_of_unconnected(const struct token *words, unsigned count, bool *ret_ipv6)
{
    *ret_ipv6 = count > 0 && token_is(&words[count - 1], "TCPv6");
    if (count >= 2 && token_is(&words[count - 2], "protocol:") && (*ret_ipv6 || token_is(&words[count - 1], "TCP")))
        return 2;
    bool unknown = count >= 3 && token_is(&words[count - 3], "can't") && token_is(&words[count - 2], "identify") &&
        token_is(&words[count - 1], "protocol");
    return unknown ? 3 : 0;
}

static enum line_kind read_unconnected(
    struct capture *capture, const struct line *line, const struct token *words, unsigned count, uint64_t pid)
{
    enum { SOCK_AT_LEAST = 3, ROW_MIN = 5 };
    bool ipv6;
    unsigned said = words_of_unconnected(words, count, &ipv6), type = SOCK_AT_LEAST;
    uint64_t inode;
    if (said == 0 || count < said + ROW_MIN || !token_number(&words[count - said - 1], UINT32_MAX, &inode))
        return LINE_OTHER;
    while (type < count && !token_is(&words[type], "sock"))
        type++;
    if (type == count)
        return LINE_OTHER;
    struct conn *conn = capture_draft(capture);
    conn->state = STATE_CLOSED;
    conn->ipv6 = ipv6;
    conn->local = conn->remote = ip_from_v4((const uint8_t[4]){ 0 });
    conn->inode = (uint32_t)inode;
    conn->present |= CONN_INODE;
    capture->os = "linux";
    capture_add(capture);
    if (pid != 0) {
        char *name = line->text + (words[0].text - line->text);
        capture_hold(capture, conn, (uint32_t)pid, name, unescape(name, words[0].length), read_fd(&words[type - 1]));
    }
    remember(capture, inode, conn->holder);
    return LINE_ROW;
}

/* lsof -r prints "=======" between its snapshots. */
static bool is_separator(const struct line *line)
{
    return strncmp(line->text, "=======", 7) == 0;
}

/* is_certain: lsof -r printed a separator. A heading alone may also begin the output for another port or process. */
static void begin_snapshot(struct capture *capture, bool is_certain)
{
    struct lsof *lsof = capture->state;
    if (capture->snapshot->conn_count == lsof->start)
        return;
    lsof->is_certain |= is_certain;
    lsof->start_before = lsof->start;
    lsof->start = capture->snapshot->conn_count;
    lsof->snapshots++;
}

enum line_kind lsof_row(struct capture *capture, const struct line *line)
{
    if (is_separator(line)) {
        begin_snapshot(capture, true);
        return LINE_OTHER;
    }
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL), at = BEFORE_TCP;
    uint64_t pid;
    if (is_heading(words, count)) { /* as in a loop of a shell */
        begin_snapshot(capture, false);
        return LINE_HEADING;
    }
    if (count < 3 || !token_number(&words[1], UINT32_MAX, &pid))
        return LINE_OTHER;
    enum line_kind unconnected = read_unconnected(capture, line, words, count, pid);
    if (unconnected != LINE_OTHER)
        return unconnected;
    while (at < count && !token_is(&words[at], "TCP"))
        at++;
    if (at + 1 >= count) {
        bool other = count > BEFORE_TCP && (words[4].text[0] >= 'A' || count > BEFORE_TCP + 1);
        return other ? LINE_FOREIGN : LINE_OTHER; /* a file, a pipe, UDP */
    }
    const struct token *type = &words[at - 3];
    struct conn *conn = capture_draft(capture);
    conn->ipv6 = token_is(type, "IPv6");
    if (!conn->ipv6 && !token_is(type, "IPv4"))
        return LINE_MALFORMED;
    enum line_kind kind = read_ends(capture, &words[at + 1], conn);
    if (kind != LINE_ROW)
        return kind;
    read_state(capture, words + at + 2, count - at - 2, conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    uint64_t device = read_device(capture, &words[at - 2]);
    if (device != 0 && capture->os != NULL && strcmp(capture->os, "linux") == 0) {
        conn->inode = (uint32_t)device;
        conn->present |= CONN_INODE;
    }
    capture_add(capture);
    if (pid != 0) {
        char *name = line->text + (words[0].text - line->text);
        size_t length = unescape(name, words[0].length);
        capture_hold(capture, conn, (uint32_t)pid, name, length, read_fd(&words[at - 4]));
    }
    remember(capture, device, conn->holder);
    return LINE_ROW;
}

/* --- one socket, several descriptors ------------------------------------------------------------------------------ */

/* Adds a holder to a socket. The rows of a process are adjacent, so if it was the last holder, it was counted twice. */
static void merge(struct snapshot *snapshot, struct conn *conn, struct seen *seen, uint32_t holder)
{
    if (holder == NO_INDEX)
        return;
    if (seen->last_holder == NO_INDEX) {
        conn->holder = holder;
    } else {
        struct holder *last = &snapshot->holders[seen->last_holder];
        uint32_t process = snapshot->holders[holder].process;
        snapshot->processes[process].tcp_sockets -= last->process == process;
        last->next = holder;
    }
    seen->last_holder = holder;
}

/* The connection with that device, or HASH_NONE. */
static uint32_t find(const struct lsof *lsof, const struct hash_index *table, uint64_t device)
{
    struct hash_walk walk = hash_index_walk(table, hash_number(device));
    uint32_t kept;
    while ((kept = hash_walk_next(table, &walk)) != HASH_NONE) {
        if (lsof->seen[kept].device == device)
            return kept;
    }
    return HASH_NONE;
}

/* True if the last part shows at least a tenth of its sockets for the second time. */
static bool comes_again(const struct lsof *lsof, struct hash_index *table)
{
    enum { SHARE = 10 };
    size_t again = 0;
    for (size_t i = 0; i < lsof->start; i++) {
        if (lsof->seen[i].device != 0 && find(lsof, table, lsof->seen[i].device) == HASH_NONE)
            hash_index_add(table, hash_number(lsof->seen[i].device), (uint32_t)i);
    }
    for (size_t i = lsof->start; i < lsof->count; i++)
        again += lsof->seen[i].device != 0 && find(lsof, table, lsof->seen[i].device) != HASH_NONE;
    return again > 0 && again * SHARE >= lsof->count - lsof->start;
}

/* Parts that were begun only by headings, and that show other sockets each time, are one snapshot of several things. */
static void settle_snapshots(struct lsof *lsof)
{
    struct hash_index table;
    if (lsof->start == 0 || lsof->is_certain)
        return;
    hash_index_init(&table, lsof->count);
    if (!comes_again(lsof, &table)) {
        lsof->start = 0;
        lsof->snapshots = 0;
    }
    hash_index_deinit(&table);
}

static void merge_all(struct lsof *lsof, struct hash_index *table, struct snapshot *snapshot)
{
    size_t count = 0;
    for (size_t i = 0; i < lsof->start; i++)
        holders_drop(snapshot, &snapshot->conns[i]);
    for (size_t i = lsof->start; i < lsof->count; i++) {
        struct seen seen = lsof->seen[i];
        uint32_t kept = seen.device != 0 ? find(lsof, table, seen.device) : HASH_NONE;
        if (kept != HASH_NONE) {
            merge(snapshot, &snapshot->conns[kept], &lsof->seen[kept], seen.last_holder);
            continue;
        }
        if (i != count) {
            snapshot->conns[count] = snapshot->conns[i];
            lsof->seen[count] = seen;
        }
        if (seen.device != 0)
            hash_index_add(table, hash_number(seen.device), (uint32_t)count);
        count++;
    }
    snapshot->conn_count = count;
}

void lsof_finish(struct capture *capture)
{
    struct lsof *lsof = capture->state;
    struct hash_index table;
    if (lsof->snapshots > 0 && lsof->start == capture->snapshot->conn_count) { /* no rows follow */
        lsof->start = lsof->start_before;
        lsof->snapshots--;
    }
    lsof->count = capture->snapshot->conn_count;
    settle_snapshots(lsof);
    hash_index_init(&table, lsof->count);
    merge_all(lsof, &table, capture->snapshot);
    hash_index_deinit(&table);
    capture->snapshot_count = lsof->snapshots; /* without the last one */
    free(lsof->seen);
    *lsof = (struct lsof){ 0 };
}
