/* The "conn" line of a fixture. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "fixture_private.h"

enum field_kind { FIELD_NUMBER, FIELD_MILLISECONDS, FIELD_MICROSECONDS, FIELD_TIMER, FIELD_SHUTDOWN, FIELD_ID };

struct field {
    const char *name; /* as in struct conn; the unit at the end may be omitted */
    uint16_t offset;
    uint8_t size;
    uint8_t kind;     /* enum field_kind; FIELD_ID counts up over the repetition */
    uint16_t present; /* the presence bits that this key sets */
};

#define FIELD(name, kind, present)                                                                                     \
    {                                                                                                                  \
#name, offsetof(struct conn, name), sizeof(((struct conn *)NULL)->name), kind, present                         \
    }
#define INFO_FIELD(name, kind) FIELD(name, kind, CONN_TCP_INFO)

static const struct field fields[] = {
    FIELD(recv_q_bytes, FIELD_NUMBER, CONN_QUEUES),
    FIELD(send_q_bytes, FIELD_NUMBER, CONN_QUEUES),
    FIELD(timer, FIELD_TIMER, CONN_TIMER),
    FIELD(timer_ms, FIELD_MILLISECONDS, CONN_TIMER),
    FIELD(retransmits, FIELD_NUMBER, CONN_TIMER),
    FIELD(uid, FIELD_NUMBER, CONN_UID),
    FIELD(inode, FIELD_ID, CONN_INODE),
    FIELD(cookie, FIELD_ID, CONN_COOKIE),
    FIELD(cgroup_id, FIELD_NUMBER, CONN_CGROUP),
    FIELD(shutdown, FIELD_SHUTDOWN, CONN_SHUTDOWN),
    INFO_FIELD(probes, FIELD_NUMBER),
    INFO_FIELD(backoff, FIELD_NUMBER),
    FIELD(rto_ms, FIELD_MILLISECONDS, CONN_TCP_INFO | CONN_RTO),
    INFO_FIELD(rtt_us, FIELD_MICROSECONDS),
    INFO_FIELD(rttvar_us, FIELD_MICROSECONDS),
    INFO_FIELD(unacked, FIELD_NUMBER),
    FIELD(notsent_bytes, FIELD_NUMBER, CONN_TCP_INFO | CONN_BYTES),
    FIELD(snd_wnd_bytes, FIELD_NUMBER, CONN_TCP_INFO | CONN_SND_WND),
    INFO_FIELD(last_data_sent_ms, FIELD_MILLISECONDS),
    INFO_FIELD(last_data_recv_ms, FIELD_MILLISECONDS),
    INFO_FIELD(last_ack_recv_ms, FIELD_MILLISECONDS),
    INFO_FIELD(total_retrans, FIELD_NUMBER),
    FIELD(total_rto_time_ms, FIELD_MILLISECONDS, CONN_TCP_INFO | CONN_RTO_TIME),
    FIELD(rto_recoveries, FIELD_NUMBER, CONN_TCP_INFO | CONN_RTO_TIME),
    FIELD(rwnd_limited_ms, FIELD_MILLISECONDS, CONN_TCP_INFO | CONN_BYTES),
    FIELD(bytes_received, FIELD_NUMBER, CONN_TCP_INFO | CONN_BYTES),
    FIELD(bytes_acked, FIELD_NUMBER, CONN_TCP_INFO | CONN_BYTES),
    FIELD(skmem_rmem_bytes, FIELD_NUMBER, CONN_SKMEM),
    FIELD(skmem_wmem_bytes, FIELD_NUMBER, CONN_SKMEM),
    FIELD(skmem_drops, FIELD_NUMBER, CONN_SKMEM),
    FIELD(shown_age_ms, FIELD_MILLISECONDS, CONN_SHOWN_AGE),
    FIELD(shown_is_life, FIELD_NUMBER, CONN_SHOWN_AGE),
};

enum { FIELD_COUNT = sizeof fields / sizeof *fields, HOLDERS_MAX = 16 };

enum vary { VARY_PEER_PORT, VARY_PEER_ADDRESS, VARY_LOCAL_PORT, VARY_PORTS, VARY_HOSTS, VARY_NONE };
static const char *const vary_names[] = { "peer_port", "peer_address", "local_port", "ports", "hosts", "none" };

/* A line that stands for `count` connections. */
struct conn_line {
    struct conn first;
    uint64_t count;
    enum vary vary;
    struct range {
        bool named, unknown;
        uint64_t first, last;
    } ranges[FIELD_COUNT];
    struct {
        uint32_t process, fd;
        bool close_on_exec;
    } holders[HOLDERS_MAX];
    size_t holder_count;
};

/* "10.0.0.5:80", "[::1]:80", "*:80"; "*" for a port is 0. */
static int parse_endpoint(struct loader *loader, char *text, struct ip *ret_ip, uint16_t *ret_port, bool *ret_v6)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL)
        return loader_fail(loader, "not an address with a port: %s", text);
    *colon = '\0';
    struct ip_net net;
    bool any = strcmp(text, "*") == 0;
    if (ip_net_parse(any ? "0.0.0.0" : text, &net) < 0 || net.prefix != 128 || (*text == '[') == ip_is_v4(&net.address))
        return loader_fail(loader, "not an address: %s", text);
    uint64_t port = 0;
    if (strcmp(colon + 1, "*") != 0) {
        int r = loader_number(loader, colon + 1, UINT16_MAX, &port);
        if (r < 0)
            return r;
    }
    *ret_ip = net.address;
    *ret_port = (uint16_t)port;
    *ret_v6 = *text == '[';
    return 0;
}

static int parse_named(
    struct loader *loader, const char *text, const char *const *names, size_t count, uint64_t *ret_number)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_number = i;
            return 0;
        }
    }
    return loader_fail(loader, "no value is called so: %s", text);
}

static int parse_value(struct loader *loader, const struct field *field, const char *text, uint64_t *ret_number)
{
    static const char *const timers[] = { "none", "retransmit", "keepalive", "time_wait", "persist", "delayed_ack" };
    static const char *const shutdowns[] = { "none", "receive", "send", "both" };
    if (field->kind == FIELD_TIMER)
        return parse_named(loader, text, timers, sizeof timers / sizeof *timers, ret_number);
    if (field->kind == FIELD_SHUTDOWN)
        return parse_named(loader, text, shutdowns, sizeof shutdowns / sizeof *shutdowns, ret_number);
    uint64_t max = field->size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * field->size)) - 1;
    bool has_unit = text[strspn(text, "0123456789")] != '\0';
    if (!has_unit || (field->kind != FIELD_MILLISECONDS && field->kind != FIELD_MICROSECONDS))
        return loader_number(loader, text, max, ret_number);
    uint64_t scale = field->kind == FIELD_MICROSECONDS ? 1000 : 1;
    if (text_parse_duration(text, ret_number) < 0 || *ret_number > max / scale)
        return loader_fail(loader, "not a time that fits: %s", text);
    *ret_number *= scale;
    return 0;
}

/* "17", "17..0", "?" */
static int parse_range(struct loader *loader, const struct field *field, char *text, struct range *range)
{
    range->named = true;
    if (strcmp(text, "?") == 0) {
        range->unknown = true;
        return 0;
    }
    char *dots = strstr(text, "..");
    if (dots != NULL)
        *dots = '\0';
    int r = parse_value(loader, field, text, &range->first);
    range->last = range->first;
    if (r == 0 && dots != NULL)
        r = parse_value(loader, field, dots + 2, &range->last);
    return r;
}

static bool field_is_called(const struct field *field, const char *key)
{
    static const char *const units[] = { "", "_bytes", "_ms", "_us", "_id" };
    size_t length = strlen(key);
    if (strncmp(field->name, key, length) != 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(field->name + length, units[i]) == 0)
            return true;
    }
    return false;
}

static int parse_holders(struct loader *loader, struct conn_line *line, char *text)
{
    for (char *rest, *item = strtok_r(text, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(item, ':');
        if (colon == NULL || line->holder_count == HOLDERS_MAX)
            return loader_fail(loader, "holders are PID:FD, at most %d", HOLDERS_MAX);
        *colon = '\0';
        char *mark = strchr(colon + 1, 'e');
        if (mark != NULL && mark[1] == '\0')
            *mark = '\0';
        line->holders[line->holder_count].close_on_exec = mark != NULL;
        uint64_t fd = 0;
        uint32_t process;
        int r = loader_process(loader, item, &process);
        if (r == 0)
            r = loader_number(loader, colon + 1, INT32_MAX, &fd);
        if (r < 0)
            return r;
        line->holders[line->holder_count].process = process;
        line->holders[line->holder_count++].fd = (uint32_t)fd;
    }
    return 0;
}

static int parse_member(struct loader *loader, struct conn_line *line, const char *key, char *value)
{
    if (strcmp(key, "ipv6") == 0 && value == NULL) {
        line->first.ipv6 = true;
        return 0;
    }
    if (value == NULL)
        return loader_fail(loader, "not understood: %s", key);
    if (strcmp(key, "holders") == 0)
        return parse_holders(loader, line, value);
    uint64_t number = 0;
    if (strcmp(key, "vary") == 0) {
        int r = parse_named(loader, value, vary_names, sizeof vary_names / sizeof *vary_names, &number);
        line->vary = (enum vary)number;
        return r;
    }
    if (strcmp(key, "netns") == 0) {
        uint32_t netns = 0;
        int r = loader_netns(loader, value, &netns);
        line->first.netns = netns;
        return r;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (field_is_called(&fields[i], key))
            return parse_range(loader, &fields[i], value, &line->ranges[i]);
    }
    return loader_fail(loader, "conn has no %s", key);
}

static void set_field(struct conn *conn, const struct field *field, uint64_t value)
{
    unsigned char *place = (unsigned char *)conn + field->offset;
    if (field->size == 1)
        *place = (unsigned char)value;
    else if (field->size == 4)
        memcpy(place, &(uint32_t){ (uint32_t)value }, 4);
    else
        memcpy(place, &value, 8);
    conn->present |= field->present;
}

/* Value number `i` of `count` values that are spread evenly over the range. */
static uint64_t spread(const struct range *range, uint64_t i, uint64_t count)
{
    if (count < 2 || range->first == range->last)
        return range->first;
    uint64_t width = range->first < range->last ? range->last - range->first : range->first - range->last;
    uint64_t step = (uint64_t)((long double)width * (long double)i / (long double)(count - 1) + 0.5L);
    return range->first < range->last ? range->first + step : range->first - step;
}

static void next_address(struct ip *ip, uint64_t steps)
{
    for (int i = 15; i >= 0 && steps > 0; i--) {
        steps += ip->bytes[i];
        ip->bytes[i] = (uint8_t)steps;
        steps >>= 8;
    }
}

static void vary_ends(struct conn *conn, enum vary vary, uint64_t i)
{
    if (vary == VARY_LOCAL_PORT || (vary == VARY_PEER_PORT && conn->remote_port == 0)) {
        conn->local_port = (uint16_t)(conn->local_port + i);
    } else if (vary == VARY_PEER_ADDRESS) {
        next_address(&conn->remote, i);
    } else if (vary == VARY_PEER_PORT) {
        uint64_t span = (uint64_t)UINT16_MAX + 1 - conn->remote_port;
        next_address(&conn->remote, i / span);
        conn->remote_port = (uint16_t)(conn->remote_port + i % span);
    } else if (vary == VARY_PORTS) {
        conn->local_port = (uint16_t)(conn->local_port + i);
        conn->remote_port = (uint16_t)(conn->remote_port + i);
    } else if (vary == VARY_HOSTS) {
        conn->local_port = (uint16_t)(conn->local_port + i);
        next_address(&conn->remote, i);
    }
}

/* Links the holders of one connection in the order of the line. */
static int add_holders(struct loader *loader, const struct conn_line *line, uint64_t i, struct conn *conn)
{
    struct snapshot *snapshot = loader->snapshot;
    uint32_t next = NO_INDEX;
    for (size_t h = line->holder_count; h-- > 0;) {
        struct holder *holder = snapshot_add_holder(snapshot);
        if (holder == NULL)
            return -ENOMEM;
        *holder = (struct holder){ .inode = conn->inode,
            .process = line->holders[h].process,
            .fd = (uint32_t)(line->holders[h].fd + i) & INT32_MAX,
            .close_on_exec = line->holders[h].close_on_exec,
            .next = next };
        next = (uint32_t)snapshot->holder_count - 1;
        struct process *process = &snapshot->processes[holder->process];
        process->tcp_sockets++;
        if (process->fds_sockets < process->tcp_sockets)
            process->fds_sockets = process->tcp_sockets;
    }
    conn->holder = next;
    return 0;
}

static int add_conn(struct loader *loader, const struct conn_line *line, uint64_t i)
{
    struct conn conn = line->first;
    conn.inode = line->holder_count > 0 ? loader->next_inode++ : 0;
    conn.cookie = loader->next_cookie++;
    conn.present = CONN_INODE | CONN_COOKIE;
    if (line->holder_count > 0) {
        conn.uid = loader->snapshot->processes[line->holders[0].process].uid;
        conn.present |= CONN_UID;
    }
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const struct range *range = &line->ranges[f];
        if (range->unknown) {
            set_field(&conn, &fields[f], 0);
            conn.present &= (uint16_t)~fields[f].present;
        } else if (range->named) {
            bool counts_up = fields[f].kind == FIELD_ID && range->first != 0;
            set_field(&conn, &fields[f], counts_up ? range->first + i : spread(range, i, line->count));
        }
    }
    if (conn_is_listener(&conn) && conn_has(&conn, CONN_QUEUES))
        conn.present |= CONN_BACKLOG;
    vary_ends(&conn, line->vary, i);
    int r = add_holders(loader, line, i, &conn);
    struct conn *added = r < 0 ? NULL : snapshot_add_conn(loader->snapshot);
    if (added == NULL)
        return -ENOMEM;
    *added = conn;
    return 0;
}

/* "x1204" */
static bool is_repetition(const char *word)
{
    return word[0] == 'x' && word[1] != '\0' && word[1 + strspn(word + 1, "0123456789")] == '\0';
}

static int parse_ends(struct loader *loader, struct conn *conn, size_t *ret_next)
{
    bool local_v6 = false, remote_v6 = false;
    size_t next = 3;
    int r = parse_endpoint(loader, loader->words[2], &conn->local, &conn->local_port, &local_v6);
    bool has_peer = loader->word_count > 3 && strchr(loader->words[3], '=') == NULL && strchr(loader->words[3], ':');
    if (r == 0 && has_peer)
        r = parse_endpoint(loader, loader->words[next++], &conn->remote, &conn->remote_port, &remote_v6);
    else if (!local_v6)
        conn->remote = ip_from_v4((const uint8_t[4]){ 0, 0, 0, 0 });
    conn->ipv6 = local_v6 || remote_v6;
    *ret_next = next;
    return r;
}

int loader_conn_line(struct loader *loader)
{
    if (loader->word_count < 3)
        return loader_fail(loader, "conn wants a state and an address");
    struct conn_line line = {
        .first = { .holder = NO_INDEX, .netns = loader->netns, .state = (uint8_t)state_parse(loader->words[1]) },
        .count = 1
    };
    if (line.first.state == STATE_UNKNOWN)
        return loader_fail(loader, "not a state: %s", loader->words[1]);
    size_t next = 0;
    int r = parse_ends(loader, &line.first, &next);
    for (; r == 0 && next < loader->word_count; next++) {
        char *word = loader->words[next], *value;
        if (is_repetition(word)) {
            r = loader_number(loader, word + 1, 1000000, &line.count);
            continue;
        }
        const char *key = loader_key(word, &value);
        r = parse_member(loader, &line, key, value);
    }
    for (uint64_t i = 0; r == 0 && i < line.count; i++)
        r = add_conn(loader, &line, i);
    return r;
}
