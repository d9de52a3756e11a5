/*
 * The table of connection tracking in Linux: conntrack -L, and /proc/net/nf_conntrack, which has the family first:
 *
 *   ipv4 2 tcp 6 66 SYN_SENT src=192.0.2.9 dst=203.0.113.7 sport=56904 dport=443 [UNREPLIED] src=203.0.113.7 …
 *
 * Its states are those of the tracker, which sees the packets of both directions, not those of a socket
 * (net/netfilter/nf_conntrack_proto_tcp.c). Some have the same meaning for the host that opened the connection:
 * SYN_SENT (nobody has answered), SYN_RECV, and ESTABLISHED (both have agreed).
 *
 * After the first FIN the entry ends by itself within two minutes, whatever the sockets do. TIME_WAIT lasts 120 s, and
 * CLOSE_WAIT does not mean that a program does not close. Such entries are counted, but do not become connections.
 */
#include "source/capture/formats/conntrack.h"

enum { WORDS_MIN = 8, WORDS_MAX = 16 };

/* Returns the value of a word such as "src=192.0.2.9". False if the word has another name. */
static bool value_of(const struct token *word, const char *name, struct token *ret_value)
{
    size_t length = strlen(name);
    if (!token_starts(word, name))
        return false;
    *ret_value = (struct token){ word->text + length, word->length - length };
    return true;
}

struct tuple {
    struct token source, destination, source_port, destination_port;
};

/* Reads the first four: the direction of the host that opened the connection. */
static bool find_tuple(const struct token *words, unsigned count, struct tuple *ret_tuple)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count && found < 4; i++) {
        found += value_of(&words[i], "src=", &ret_tuple->source) ||
            value_of(&words[i], "dst=", &ret_tuple->destination) ||
            value_of(&words[i], "sport=", &ret_tuple->source_port) ||
            value_of(&words[i], "dport=", &ret_tuple->destination_port);
    }
    return found == 4 && ret_tuple->source.length > 0 && ret_tuple->destination_port.length > 0;
}

/* The position of the protocol. The family and its number may be before it. WORDS_MAX if there is none. */
static unsigned find_protocol(const struct token *words, unsigned count)
{
    static const char *const protocols[] = { "tcp", "udp", "icmp", "icmpv6", "unknown", "sctp", "dccp", "gre",
        "udplite" };
    unsigned at = count > 2 && (token_is(&words[0], "ipv4") || token_is(&words[0], "ipv6")) ? 2 : 0;
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (token_is(&words[at], protocols[i]))
            return at;
    }
    return WORDS_MAX;
}

static bool parse_end(
    const struct token *address, const struct token *port, struct ip *ret_ip, uint16_t *ret_port, bool *ret_ipv6)
{
    uint64_t number;
    enum endpoint_result result = address_parse(address->text, address->length, ret_ip, ret_ipv6);
    if (result != END_OK || !token_number(port, UINT16_MAX, &number))
        return false;
    *ret_port = (uint16_t)number;
    return true;
}

enum line_kind conntrack_row(struct capture *capture, const struct line *line)
{
    static const char *const ended[] = { "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2" };
    struct token words[WORDS_MAX];
    struct tuple tuple = { 0 };
    struct conntrack *state = capture->state;
    uint64_t number;
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    unsigned at = count >= WORDS_MIN ? find_protocol(words, count) : WORDS_MAX;
    if (at == WORDS_MAX || at + 4 >= count || !token_number(&words[at + 1], UINT8_MAX, &number) ||
        !token_number(&words[at + 2], UINT32_MAX, &number))
        return LINE_OTHER;
    if (!find_tuple(words, count, &tuple))
        return token_is(&words[at], "tcp") ? LINE_MALFORMED : LINE_FOREIGN;
    if (!token_is(&words[at], "tcp"))
        return LINE_FOREIGN;
    const struct token *word = &words[at + 3];
    struct conn *conn = capture_draft(capture);
    bool far_ipv6;
    if (!parse_end(&tuple.source, &tuple.source_port, &conn->local, &conn->local_port, &conn->ipv6) ||
        !parse_end(&tuple.destination, &tuple.destination_port, &conn->remote, &conn->remote_port, &far_ipv6))
        return LINE_MALFORMED;
    for (size_t i = 0; i < sizeof ended / sizeof *ended; i++) {
        if (token_is(word, ended[i])) {
            state->ended++;
            return LINE_ROW; /* a row of this format, but not a connection */
        }
    }
    conn->state = (uint8_t)capture_state(capture, word, conn);
    if (conn->state == STATE_UNKNOWN)
        return LINE_MALFORMED;
    capture_add(capture);
    return LINE_ROW;
}

void conntrack_finish(struct capture *capture)
{
    const struct conntrack *state = capture->state;
    struct buf text = { 0 };
    buf_str(&text, "these are states of the connection tracking, and not of the sockets: ");
    if (state->ended > 0) {
        text_count(&text, state->ended);
        buf_str(&text,
            " entries of connections that have ended or are ending (FIN_WAIT to TIME_WAIT, CLOSE) were left out: "
            "the tracker drops each within two minutes, whatever the programs do; ");
    }
    buf_str(&text, "only SYN_SENT and SYN_RECV tell of a fault, and who listens, and who holds a socket, is not in it");
    snapshot_note_gap(capture->snapshot, GAP_TRACKED_STATES, buf_text(&text), NULL);
    buf_deinit(&text);
}
