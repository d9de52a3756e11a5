/*
 * lsof -nP -iTCP, a row for each descriptor, so that a socket which several processes hold comes several times:
 *
 *   python3 27660 root    3u  IPv4 39944918      0t0  TCP 127.0.0.1:58269 (LISTEN)
 *   nginx     812 www    12u  IPv6 0x5a2c1d43      0t0  TCP [::1]:80->[::1]:50122 (CLOSE_WAIT QR=0 QS=0)
 *
 * DEVICE is the inode on Linux, and an address in the kernel on BSD and macOS. -T adds the queues.
 */
#include "source/capture/lsof.h"

#include <stdlib.h>

#include "base/memory.h"

enum { WORDS_MOST = 24, BEFORE_TCP = 7, SLOTS_FIRST = 1024 };

struct seen {
    uint64_t device; /* 0: free */
    uint32_t conn;
};

static struct seen *slot_of(const struct lsof *lsof, uint64_t device)
{
    /* Inodes follow one another, addresses in a kernel stand some hundred bytes apart: neighbours stay together. */
    size_t slot = (device + (device >> 6)) & (lsof->slot_count - 1);
    while (lsof->slots[slot].device != 0 && lsof->slots[slot].device != device)
        slot = (slot + 1) & (lsof->slot_count - 1);
    return &lsof->slots[slot];
}

static struct seen *find_seen(struct lsof *lsof, uint64_t device)
{
    if ((lsof->used + 1) * 2 > lsof->slot_count) {
        struct lsof grown = { .slot_count = lsof->slot_count ? lsof->slot_count * 2 : SLOTS_FIRST, .used = lsof->used };
        grown.slots = xcalloc(grown.slot_count, sizeof *grown.slots);
        for (size_t i = 0; i < lsof->slot_count; i++) {
            if (lsof->slots[i].device != 0)
                *slot_of(&grown, lsof->slots[i].device) = lsof->slots[i];
        }
        free(lsof->slots);
        *lsof = grown;
    }
    return slot_of(lsof, device);
}

/* "39944918", "0x5a2c1d43" (BSD, macOS); 0 where it is neither. */
static uint64_t read_device(struct capture *capture, const struct word *word)
{
    uint64_t device;
    if (word_number(word, UINT32_MAX, &device)) {
        capture->os = "linux";
        return device;
    }
    if (word->length < 3 || word->text[0] != '0' || word->text[1] != 'x')
        return 0;
    capture->os = capture->os != NULL ? capture->os : "macos";
    return strtoull(word->text + 2, NULL, 16);
}

/* "(CLOSE_WAIT", "QR=0", "QS=0)" */
static void read_state(struct capture *capture, const struct word *words, unsigned count, struct conn *conn)
{
    unsigned queues = 0;
    for (unsigned i = 0; i < count; i++) {
        struct word word = words[i];
        if (word.length > 0 && word.text[0] == '(')
            word = (struct word){ word.text + 1, word.length - 1 };
        if (word.length > 0 && word.text[word.length - 1] == ')')
            word.length--;
        struct word value = { word.text + 3, word.length > 3 ? word.length - 3 : 0 };
        uint64_t number;
        if (word_starts(&word, "QR=") && word_number(&value, UINT32_MAX, &number)) {
            conn->recv_q_bytes = (uint32_t)number;
            queues++;
        } else if (word_starts(&word, "QS=") && word_number(&value, UINT32_MAX, &number)) {
            conn->send_q_bytes = (uint32_t)number;
            queues++;
        } else if (i == 0) {
            conn->state = (uint8_t)state_words_find(&capture->state_words, word.text, word.length);
        }
    }
    if (queues == 2)
        conn->present |= CONN_QUEUES;
}

static enum line_kind read_ends(struct capture *capture, const struct word *word, struct conn *conn)
{
    static const struct word nowhere = { "*:*", 3 };
    const char *arrow = memmem(word->text, word->length, "->", 2);
    if (arrow == NULL)
        return capture_ends(capture, word, &nowhere, ':', conn);
    struct word local = { word->text, (size_t)(arrow - word->text) };
    struct word remote = { arrow + 2, word->length - local.length - 2 };
    return capture_ends(capture, &local, &remote, ':', conn);
}

/* "27u", "cwd", "txt" */
static uint32_t read_fd(const struct word *word)
{
    uint32_t fd = 0;
    size_t at = 0;
    for (; at < word->length && word->text[at] >= '0' && word->text[at] <= '9' && at < 7; at++)
        fd = fd * 10 + (uint32_t)(word->text[at] - '0');
    return at > 0 ? fd : FD_UNKNOWN;
}

static bool is_heading(const struct word *words, unsigned count)
{
    return count >= 3 && word_is(&words[0], "COMMAND") && word_is(&words[1], "PID");
}

enum line_kind lsof_row(struct capture *capture, const struct line *line)
{
    struct lsof *lsof = capture->state;
    struct word words[WORDS_MOST];
    unsigned count = words_split(line->text, words, WORDS_MOST, NULL), at = BEFORE_TCP;
    uint64_t pid;
    if (count < 3 || !word_number(&words[1], UINT32_MAX, &pid))
        return is_heading(words, count) ? LINE_HEADING : LINE_OTHER;
    while (at < count && !word_is(&words[at], "TCP"))
        at++;
    if (at + 1 >= count) {
        bool other = count > BEFORE_TCP && (words[4].text[0] >= 'A' || count > BEFORE_TCP + 1);
        return other ? LINE_FOREIGN : LINE_OTHER; /* a file, a pipe, UDP */
    }
    const struct word *type = &words[at - 3];
    struct conn conn = { .ipv6 = word_is(type, "IPv6") };
    if (!conn.ipv6 && !word_is(type, "IPv4"))
        return LINE_MALFORMED;
    enum line_kind kind = read_ends(capture, &words[at + 1], &conn);
    if (kind != LINE_ROW)
        return kind;
    read_state(capture, words + at + 2, count - at - 2, &conn);
    if (conn.state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    uint64_t device = read_device(capture, &words[at - 2]);
    if (device != 0 && capture->os != NULL && strcmp(capture->os, "linux") == 0) {
        conn.inode = (uint32_t)device;
        conn.present |= CONN_INODE;
    }
    struct seen *seen = device != 0 ? find_seen(lsof, device) : NULL;
    struct conn *held;
    if (seen != NULL && seen->device == device) {
        held = &capture->snapshot->conns[seen->conn];
    } else {
        held = capture_add(capture, &conn);
        if (seen != NULL && held != NULL) {
            *seen = (struct seen){ .device = device, .conn = (uint32_t)capture->snapshot->conn_count - 1 };
            lsof->used++;
        }
    }
    if (held != NULL && pid != 0)
        capture_hold(capture, held, (uint32_t)pid, words[0].text, words[0].length, read_fd(&words[at - 4]));
    return LINE_ROW;
}

void lsof_finish(struct capture *capture)
{
    struct lsof *lsof = capture->state;
    free(lsof->slots);
    *lsof = (struct lsof){ 0 };
}
