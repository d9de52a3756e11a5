#include "cmd/check/stuck_since.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "model/age.h"

static const char format_line[] = "tcpwhy.stuck/1\n", boot_word[] = "boot ";

void stuck_since_deinit(struct stuck_since *since)
{
    free(since->items);
    *since = (struct stuck_since){ 0 };
}

static void add(struct stuck_since *since, uint64_t key, uint64_t since_ms)
{
    if (since->count == since->capacity) {
        since->capacity = since->capacity > 0 ? since->capacity * 2 : 64;
        since->items = xrealloc_array(since->items, since->capacity, sizeof *since->items);
    }
    since->items[since->count++] = (struct stuck_entry){ .key = key, .since_ms = since_ms };
}

/* --- the file --------------------------------------------------------------------------------------------------- */

static bool skip(const char **at, const char *end, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(end - *at) < length || memcmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static int digit_of(char letter)
{
    return letter >= '0' && letter <= '9' ? letter - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Reads digits of this base in lower case. False if there are none, or if the number is too large. */
static bool read_number(const char **at, const char *end, unsigned base, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *begin = *at;
    for (; *at < end; (*at)++) {
        int digit = digit_of(**at);
        if (digit < 0 || digit >= (int)base)
            break;
        if (number > (UINT64_MAX - (unsigned)digit) / base)
            return false;
        number = number * base + (unsigned)digit;
    }
    *ret_number = number;
    return *at > begin;
}

static int parse_entries(const char *at, const char *end, struct stuck_since *since)
{
    enum { HEX = 16, DECIMAL = 10 };
    while (at < end) {
        uint64_t key, since_ms;
        if (since->count == STUCK_MAX || !read_number(&at, end, HEX, &key) || !skip(&at, end, " ") ||
            !read_number(&at, end, DECIMAL, &since_ms) || !skip(&at, end, "\n"))
            return -EBADMSG;
        add(since, key, since_ms);
    }
    return 0;
}

int stuck_since_parse(const char *text, size_t length, const char *boot, struct stuck_since *ret_since)
{
    *ret_since = (struct stuck_since){ 0 };
    const char *at = text, *end = text + length;
    if (length > STUCK_TEXT_MAX || !skip(&at, end, format_line) || !skip(&at, end, boot_word))
        return -EBADMSG;
    if (!skip(&at, end, boot) || !skip(&at, end, "\n"))
        return -ESTALE;
    int result = parse_entries(at, end, ret_since);
    if (result < 0)
        stuck_since_deinit(ret_since);
    return result;
}

void stuck_since_format(const struct stuck_since *since, const char *boot, struct buf *out)
{
    buf_printf(out, "%s%s%s\n", format_line, boot_word, boot);
    for (size_t i = 0; i < since->count; i++)
        buf_printf(out, "%" PRIx64 " %" PRIu64 "\n", since->items[i].key, since->items[i].since_ms);
}

/* --- connections ------------------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    return hash_mix(hash ^ word) + word;
}

/*
 * A hash of the connection, its state, and values that change when data moves, as previous_stayed() compares them.
 * Unlike the hashes of tables it is the same in every run of the program.
 */
static uint64_t key_of(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct netns *netns = snapshot_netns(snapshot, conn);
    uint64_t hash = mix(conn->state, netns != NULL ? netns->inode : 0);
    if (conn_has(conn, CONN_COOKIE) && conn->cookie != 0) {
        hash = mix(hash, conn->cookie);
    } else {
        uint64_t words[4];
        memcpy(words, conn->local.bytes, sizeof conn->local.bytes);
        memcpy(words + 2, conn->remote.bytes, sizeof conn->remote.bytes);
        hash = mix(hash, (uint64_t)conn->local_port << 16 | conn->remote_port);
        for (unsigned i = 0; i < 4; i++)
            hash = mix(hash, words[i]);
        hash = mix(hash, conn_has(conn, CONN_INODE) ? conn->inode : 0);
    }
    if (conn_has(conn, CONN_QUEUES))
        hash = mix(hash, (uint64_t)conn->recv_q_bytes << 32 | conn->send_q_bytes);
    if (conn_has(conn, CONN_BYTES))
        hash = mix(mix(hash, conn->bytes_received), conn->bytes_acked);
    return hash;
}

bool stuck_since_is_useful(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if (conn_age_may_shrink(snapshot, &snapshot->conns[i]))
            return true;
    }
    return false;
}

static uint64_t since_of(const struct stuck_since *since, const struct hash_index *index, uint64_t key)
{
    uint64_t earliest = UINT64_MAX;
    struct hash_walk walk = hash_index_walk(index, hash_number(key));
    for (uint32_t i = hash_walk_next(index, &walk); i != HASH_NONE; i = hash_walk_next(index, &walk)) {
        if (since->items[i].key == key && since->items[i].since_ms < earliest)
            earliest = since->items[i].since_ms;
    }
    return earliest;
}

void stuck_since_recall(const struct stuck_since *since, uint64_t now_ms, struct snapshot *snapshot)
{
    if (since->count == 0)
        return;
    struct hash_index index;
    hash_index_init(&index, since->count);
    for (size_t i = 0; i < since->count; i++)
        hash_index_add(&index, hash_number(since->items[i].key), (uint32_t)i);
    snapshot->stayed_ms = arena_alloc(&snapshot->arena, snapshot->conn_count * sizeof *snapshot->stayed_ms);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        snapshot->stayed_ms[i] = 0;
        if (!conn_age_may_shrink(snapshot, conn))
            continue;
        uint64_t since_ms = since_of(since, &index, key_of(snapshot, conn));
        uint64_t stayed_ms = since_ms < now_ms ? now_ms - since_ms : 0;
        snapshot->stayed_ms[i] = stayed_ms < UINT32_MAX ? (uint32_t)stayed_ms : UINT32_MAX;
    }
    hash_index_deinit(&index);
}

static int earliest_first(const void *a, const void *b)
{
    const struct stuck_entry *one = a, *other = b;
    if (one->since_ms != other->since_ms)
        return one->since_ms < other->since_ms ? -1 : 1;
    return one->key < other->key ? -1 : one->key > other->key;
}

void stuck_since_collect(struct stuck_since *since, uint64_t now_ms, const struct diagnosis *diagnosis)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    since->count = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        if (diagnosis->causes[i] == 0 || !conn_age_may_shrink(snapshot, conn))
            continue;
        struct age age = conn_age(snapshot, conn);
        uint64_t known_ms = age.kind != AGE_UNKNOWN ? age.ms : 0;
        add(since, key_of(snapshot, conn), known_ms < now_ms ? now_ms - known_ms : 0);
    }
    if (since->count > 1) /* without any there is no array */
        qsort(since->items, since->count, sizeof *since->items, earliest_first);
    if (since->count > STUCK_MAX)
        since->count = STUCK_MAX;
}
