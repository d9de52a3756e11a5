/* Fills the connections of all formats: endpoints and holders. */
#include "model/holders.h"
#include <stdio.h>
#include <stdlib.h>

#include "source/capture/input/charset.h"
#include "source/capture/format.h"

void capture_deinit(struct capture *capture)
{
    pids_deinit(&capture->pids);
    state_words_deinit(&capture->state_words);
    repeats_deinit(&capture->repeats);
    leftovers_deinit(&capture->leftovers);
    buf_deinit(&capture->joined);
    free(capture->numbers.links);
}

struct conn *capture_draft(struct capture *capture)
{
    struct conn *conn = snapshot_add_conn(capture->snapshot);
    capture->cut_before = capture->cut + capture->alike;
    if (conn != NULL) {
        capture->snapshot->conn_count--; /* the place is reserved; capture_add() counts it */
        return conn;
    }
    capture->out_of_memory = true;
    capture->nowhere = (struct conn){ .holder = NO_INDEX };
    return &capture->nowhere;
}

void capture_add(struct capture *capture)
{
    if (capture->out_of_memory)
        return;
    capture->snapshot->conn_count++;
    if (!capture->format->row_for_descriptor)
        repeats_add(&capture->repeats, capture->snapshot, capture->cut + capture->alike > capture->cut_before);
}

void capture_drop_owners(struct capture *capture)
{
    struct snapshot *snapshot = capture->snapshot;
    struct conn *conn = capture_last_conn(capture);
    if (conn == NULL)
        return;
    holders_drop(snapshot, conn);
    conn->holder = NO_INDEX;
}

void capture_take_back(struct capture *capture)
{
    if (capture->out_of_memory) /* then it was not added */
        return;
    capture_drop_owners(capture);
    capture->snapshot->conn_count--;
}

enum conn_state capture_state(struct capture *capture, const struct token *word, const struct conn *conn)
{
    if (word->length == 0 || (word->text[0] >= '0' && word->text[0] <= '9'))
        return STATE_UNKNOWN;
    enum conn_state state = state_words_find(&capture->state_words, word->text, word->length);
    if (state == STATE_UNKNOWN && capture->state_name_count > 0)
        state = state_by_names(capture->state_names, capture->state_name_count, word->text, word->length);
    bool may_be_cut = state == STATE_CLOSED && conn->remote_port != 0 && word->length == strlen("CLOSE");
    return may_be_cut ? STATE_UNKNOWN : state;
}

struct conn *capture_last_conn(const struct capture *capture)
{
    const struct snapshot *snapshot = capture->snapshot;
    return snapshot->conn_count > 0 ? &snapshot->conns[snapshot->conn_count - 1] : NULL;
}

/* "*" has no family. It gets the family of the other endpoint, or that of an IPv6 socket that accepts both. */
static void settle_family(struct end *end, const struct end *other)
{
    static const uint8_t any[16];
    bool ipv6 = other->any ? end->ipv6 : other->ipv6;
    if (!end->any || !ipv6)
        return;
    end->ipv6 = true;
    end->address = ip_from_v6(any);
}

/* Counts the words in the place of addresses and ports, and stores the first such row. */
static void count_words(struct capture *capture, const struct token *local, const struct token *remote,
    const struct end *near, const struct end *far)
{
    struct word_ends *words = &capture->word_ends;
    words->local += ip_is_word(&near->address);
    words->remote += ip_is_word(&far->address);
    words->redacted += ip_is_redacted(&near->address) || ip_is_redacted(&far->address);
    words->services += near->service || far->service;
    words->ports += near->no_port || far->no_port;
    if (words->rows++ > 0)
        return;
    snprintf(words->first, sizeof words->first, "%.*s, %.*s", (int)local->length, local->text, (int)remote->length,
        remote->text);
}

/* True if the same text may stand for different endpoints. */
static bool is_alike(const struct end *end)
{
    return end->no_port || ip_is_redacted(&end->address);
}

enum line_kind capture_ends(
    struct capture *capture, const struct token *local, const struct token *remote, char separator, struct conn *conn)
{
    struct end near, far;
    if (endpoint_parse_plain(local->text, local->length, separator, &conn->local, &conn->local_port) &&
        endpoint_parse_plain(remote->text, remote->length, separator, &conn->remote, &conn->remote_port))
        return LINE_ROW;
    enum endpoint_result first = endpoint_parse(local->text, local->length, separator, &near);
    if (first == END_BAD)
        return LINE_MALFORMED;
    enum endpoint_result second = endpoint_parse(remote->text, remote->length, separator, &far);
    if (second == END_BAD)
        return LINE_MALFORMED;
    if (first == END_NAMED || second == END_NAMED)
        count_words(capture, local, remote, &near, &far);
    capture->cut += first == END_CUT || second == END_CUT;
    capture->alike += is_alike(&near) || is_alike(&far);
    near.ipv6 |= near.any && conn->ipv6;
    far.ipv6 |= far.any && conn->ipv6;
    settle_family(&near, &far);
    settle_family(&far, &near);
    conn->local = near.address;
    conn->local_port = near.port;
    conn->remote = far.address;
    conn->remote_port = far.port;
    conn->ipv6 |= near.ipv6 || far.ipv6;
    return LINE_ROW;
}

/* Converts the name to UTF-8 if necessary, with the help of `buffer`. */
static struct token decoded(const struct capture *capture, const char *name, size_t length, struct buf *buffer)
{
    if (capture->charset == NULL || charset_is_ascii(name, length))
        return (struct token){ name, length };
    charset_decode(capture->charset, name, length, buffer);
    return (struct token){ buf_text(buffer), buffer->length };
}

uint32_t capture_process(struct capture *capture, uint32_t pid, const char *name, size_t length)
{
    struct buf buffer = { 0 };
    struct token word = decoded(capture, name, length, &buffer);
    uint32_t process = pids_find(&capture->pids, capture->snapshot, pid, word.text, word.length);
    buf_deinit(&buffer);
    return process;
}

void capture_name(struct capture *capture, uint32_t pid, const char *name, size_t length)
{
    struct buf buffer = { 0 };
    struct token word = decoded(capture, name, length, &buffer);
    pids_name(&capture->pids, capture->snapshot, pid, word.text, word.length);
    buf_deinit(&buffer);
}

void capture_hold(
    struct capture *capture, struct conn *conn, uint32_t pid, const char *name, size_t length, uint32_t fd)
{
    pids_hold(capture->snapshot, conn, capture_process(capture, pid, name, length), fd);
}
