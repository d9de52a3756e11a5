#include "source/capture/formats/powershell.h"

#include <strings.h>

#include "source/capture/formats/moments.h"

enum property property_find(const char *name, size_t length)
{
#define NAME(name, property)                                                                                           \
    {                                                                                                                  \
        name, sizeof(name) - 1, property                                                                               \
    }
    static const struct {
        const char *name;
        size_t length;
        enum property property;
    } names[] = {
        NAME("LocalAddress", PROPERTY_LOCAL_ADDRESS),
        NAME("LocalPort", PROPERTY_LOCAL_PORT),
        NAME("RemoteAddress", PROPERTY_REMOTE_ADDRESS),
        NAME("RemotePort", PROPERTY_REMOTE_PORT),
        NAME("State", PROPERTY_STATE),
        NAME("OwningProcess", PROPERTY_PID),
        NAME("PID", PROPERTY_PID),
        NAME("ProcessId", PROPERTY_PID),
        NAME("CreationTime", PROPERTY_CREATED),
        NAME("Created", PROPERTY_CREATED),
        NAME("Age", PROPERTY_LIFE),
        NAME("Duration", PROPERTY_LIFE),
        NAME("LifeTime", PROPERTY_LIFE),
        NAME("Uptime", PROPERTY_LIFE),
        NAME("Process", PROPERTY_PROCESS),
        NAME("ProcessName", PROPERTY_PROCESS),
        NAME("Name", PROPERTY_PROCESS),
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].length != length)
            continue;
        if (memcmp(names[i].name, name, length) == 0 || strncasecmp(names[i].name, name, length) == 0)
            return names[i].property;
    }
#undef NAME
    return PROPERTY_NONE;
}

bool properties_are_of_conn(unsigned properties)
{
    enum { ENOUGH = 3, ENDS_ENOUGH = 2 };
    unsigned ends = 1U << PROPERTY_LOCAL_ADDRESS | 1U << PROPERTY_LOCAL_PORT | 1U << PROPERTY_REMOTE_ADDRESS |
        1U << PROPERTY_REMOTE_PORT;
    properties &= ~(1U << PROPERTY_NONE | 1U << PROPERTY_CREATED | 1U << PROPERTY_LIFE);
    return __builtin_popcount(properties) >= ENOUGH && __builtin_popcount(properties & ends) >= ENDS_ENOUGH;
}

static bool has_all(const struct token *values)
{
    return values[PROPERTY_LOCAL_ADDRESS].text != NULL && values[PROPERTY_LOCAL_PORT].text != NULL &&
        values[PROPERTY_REMOTE_ADDRESS].text != NULL && values[PROPERTY_REMOTE_PORT].text != NULL &&
        values[PROPERTY_STATE].text != NULL;
}

static bool read_port(const struct token *word, uint16_t *ret_port)
{
    uint64_t number;
    if (!token_number(word, UINT16_MAX, &number))
        return false;
    *ret_port = (uint16_t)number;
    return true;
}

const struct token any_address = { "*", 1 };

/* Reads both endpoints. Without a local address, the family is that of the remote one. */
static bool read_ends(struct capture *capture, const struct token *values, struct conn *conn)
{
    static const uint8_t any[16];
    const struct token *local = &values[PROPERTY_LOCAL_ADDRESS], *remote = &values[PROPERTY_REMOTE_ADDRESS];
    enum endpoint_result near = END_OK, far;
    bool remote_v6;
    far = address_parse(remote->text, remote->length, &conn->remote, &remote_v6);
    if (local->text == any_address.text) {
        conn->ipv6 = remote_v6;
        conn->local = remote_v6 ? ip_from_v6(any) : ip_from_v4(any);
    } else {
        near = address_parse(local->text, local->length, &conn->local, &conn->ipv6);
    }
    if ((near != END_OK && near != END_CUT) || (far != END_OK && far != END_CUT) ||
        !read_port(&values[PROPERTY_LOCAL_PORT], &conn->local_port) ||
        !read_port(&values[PROPERTY_REMOTE_PORT], &conn->remote_port))
        return false;
    capture->cut += (near == END_CUT) + (far == END_CUT);
    return true;
}

/*
 * Windows shows no other times. CreationTime is an age only when all is read and the moment of the capture is known
 * (moments_settle()). Until then it is kept here without its presence bit.
 */
static void read_life(const struct token *values, struct conn *conn)
{
    enum { SECOND_MS = 1000 };
    const struct token *life = &values[PROPERTY_LIFE], *created = &values[PROPERTY_CREATED];
    uint32_t last;
    if (life->text != NULL && duration_parse(life->text, life->length, SECOND_MS, &conn->shown_age_ms)) {
        conn->shown_is_life = true;
        conn->present |= CONN_SHOWN_AGE;
    } else if (created->text != NULL && moment_parse(created->text, created->length, &conn->shown_age_ms, &last)) {
        conn->shown_is_life = true;
    }
}

enum line_kind conn_record_add(struct capture *capture, const struct conn_record *record)
{
    const struct token *values = record->values;
    if (!has_all(values))
        return LINE_MALFORMED;
    struct conn *conn = capture_draft(capture);
    const struct token *state = &values[PROPERTY_STATE];
    conn->state = (uint8_t)state_words_find(&capture->state_words, state->text, state->length);
    if (conn->state == STATE_UNKNOWN || !read_ends(capture, values, conn))
        return LINE_MALFORMED;
    read_life(values, conn);
    capture_add(capture);
    const struct token *name = &values[PROPERTY_PROCESS];
    uint64_t pid = 0;
    bool has_pid = values[PROPERTY_PID].text != NULL && token_number(&values[PROPERTY_PID], UINT32_MAX, &pid);
    if (pid != 0 || (!has_pid && name->text != NULL && name->length > 0))
        capture_hold(capture, conn, (uint32_t)pid, name->text ? name->text : "", name->length, FD_UNKNOWN);
    return LINE_ROW;
}

static bool is_of_address(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') || c == ':' || c == '.';
}

bool word_is_address(const struct token *word)
{
    struct ip ip;
    bool ipv6;
    if (word->text == NULL || word->text == any_address.text)
        return false;
    if (address_parse(word->text, word->length, &ip, &ipv6) == END_OK)
        return true;
    size_t digits = 0;
    while (digits < word->length && is_of_address(word->text[digits]))
        digits++;
    struct token rest = { word->text + digits, word->length - digits };
    bool dots = rest.length == 0 && word->length > 3 && memcmp(word->text + word->length - 3, "...", 3) == 0;
    return digits > 1 && (dots || token_is(&rest, "…"));
}

bool conn_record_is_incomplete(struct capture *capture, const struct conn_record *record)
{
    const struct token *values = record->values, *state = &values[PROPERTY_STATE];
    if (word_is_address(&values[PROPERTY_LOCAL_ADDRESS]) || word_is_address(&values[PROPERTY_REMOTE_ADDRESS]))
        return true;
    bool is_word = state->length > 2 && (state->text[0] < '0' || state->text[0] > '9');
    return is_word && state_words_find(&capture->state_words, state->text, state->length) != STATE_UNKNOWN;
}

void stored_record_set(struct stored_record *stored, enum property property, const char *text, size_t length)
{
    length = length < VALUE_MAX ? length : VALUE_MAX;
    memcpy(stored->text[property], text, length);
    stored->text[property][length] = '\0';
    stored->record.values[property] = (struct token){ stored->text[property], length };
}
