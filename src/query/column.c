#include "query/column.h"

#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "model/age.h"
#include "model/holders.h"
#include "model/host.h"

static const struct conn *conn_at(const struct field_source *source, uint32_t conn_index)
{
    return &source->snapshot->conns[conn_index];
}

static const struct process *owner_of(const struct field_source *source, uint32_t conn_index)
{
    return snapshot_owner(source->snapshot, conn_at(source, conn_index));
}

static const struct cgroup *cgroup_of(struct field_source *source, uint32_t conn_index)
{
    const struct conn *conn = conn_at(source, conn_index);
    if (!conn_has(conn, CONN_CGROUP))
        return NULL;
    const struct host *host = hosts_of_conn(source->snapshot, conn);
    const struct cgroup *last = source->last_cgroup;
    if (last == NULL || last->id != conn->cgroup_id || last->host != host)
        source->last_cgroup = snapshot_cgroup_by_id(source->snapshot, host, conn->cgroup_id);
    return source->last_cgroup;
}

/* --- getters -------------------------------------------------------------------------------------------------- */

#define GETTER(name)                                                                                                   \
    static struct value name(                                                                                          \
        const struct field *field __attribute__((unused)), struct field_source *source, uint32_t conn_index)

/* Reads a member of struct conn. The tcp_info of a listener has other meanings, so it is unknown here. */
static struct value get_member(const struct field *field, struct field_source *source, uint32_t conn_index)
{
    const struct conn *conn = conn_at(source, conn_index);
    if (!conn_has(conn, field->present))
        return value_unknown();
    if ((field->present & CONN_TCP_INFO) != 0 && conn_is_listener(conn))
        return value_unknown();
    const unsigned char *at = (const unsigned char *)conn + field->offset;
    uint64_t number = 0;
    switch (field->size) {
    case sizeof(uint8_t):
        number = *at;
        break;
    case sizeof(uint32_t): {
        uint32_t word;
        memcpy(&word, at, sizeof word);
        number = word;
        break;
    }
    default:
        memcpy(&number, at, sizeof number);
    }
    return (struct value){ .kind = field->kind, .number = number };
}

/* For a listener, send_q is the backlog. Not every source shows it. */
GETTER(get_send_q)
{
    const struct conn *conn = conn_at(source, conn_index);
    if (conn_is_listener(conn) && !conn_has(conn, CONN_BACKLOG))
        return value_unknown();
    return get_member(field, source, conn_index);
}

/*
 * Time since something was last sent or received. In SYN_SENT the kernel has not set it yet, and shows its own clock.
 */
static struct value get_last(const struct field *field, struct field_source *source, uint32_t conn_index)
{
    if (conn_at(source, conn_index)->state == STATE_SYN_SENT)
        return value_unknown();
    return get_member(field, source, conn_index);
}

/* A measured time. 0 means that it is not measured yet. */
static struct value get_measured(const struct field *field, struct field_source *source, uint32_t conn_index)
{
    struct value value = get_member(field, source, conn_index);
    return value.number != 0 ? value : value_unknown();
}

GETTER(get_state)
{
    const struct conn *conn = conn_at(source, conn_index);
    struct value value = value_text(state_name(conn->state));
    value.number = conn->state;
    return value;
}

GETTER(get_local)
{
    const struct conn *conn = conn_at(source, conn_index);
    return value_endpoint(&conn->local, conn->local_port);
}

GETTER(get_remote)
{
    const struct conn *conn = conn_at(source, conn_index);
    return value_endpoint(&conn->remote, conn->remote_port);
}

GETTER(get_age)
{
    struct age age = conn_age(source->snapshot, conn_at(source, conn_index));
    return age.kind == AGE_UNKNOWN ? value_unknown() : value_ms(age.ms);
}

GETTER(get_age_kind)
{
    static const char *const names[] = { NULL, "at-least", "exact" };
    return value_text(names[conn_age(source->snapshot, conn_at(source, conn_index)).kind]);
}

GETTER(get_cause)
{
    return value_text(diagnosis_cause(source->diagnosis, conn_index));
}

GETTER(get_netns)
{
    const struct netns *netns = snapshot_netns(source->snapshot, conn_at(source, conn_index));
    return value_text(netns != NULL ? netns->name : NULL);
}

GETTER(get_host)
{
    const struct host *host = hosts_of_conn(source->snapshot, conn_at(source, conn_index));
    return value_text(host != NULL ? host->name : source->snapshot->host_name);
}

GETTER(get_pid)
{
    const struct process *owner = owner_of(source, conn_index);
    return owner != NULL && owner->pid != 0 ? value_number(owner->pid) : value_unknown(); /* 0: only a name is known */
}

GETTER(get_process)
{
    const struct process *owner = owner_of(source, conn_index);
    return value_text(owner != NULL ? owner->name : NULL);
}

GETTER(get_fd)
{
    const struct conn *conn = conn_at(source, conn_index);
    const struct holder *holder = holders_first(source->snapshot, conn);
    return holder != NULL && holder->fd != FD_UNKNOWN ? value_number(holder->fd) : value_unknown();
}

GETTER(get_holders)
{
    return value_number(holders_count_processes(source->snapshot, conn_at(source, conn_index)));
}

GETTER(get_held_by)
{
    uint32_t holder = conn_at(source, conn_index)->holder;
    return holder != NO_INDEX ? (struct value){ .kind = VALUE_HOLDERS, .number = holder } : value_unknown();
}

GETTER(get_user)
{
    const struct process *owner = owner_of(source, conn_index);
    return value_text(owner != NULL ? owner->user : NULL);
}

/* The unit of the process that holds it. If none does: of the cgroup in which the connection was created. */
GETTER(get_unit)
{
    const struct process *owner = owner_of(source, conn_index);
    if (owner != NULL)
        return value_text(owner->unit);
    const struct cgroup *cgroup = cgroup_of(source, conn_index);
    return value_text(cgroup != NULL ? cgroup->unit : NULL);
}

GETTER(get_container)
{
    const struct process *owner = owner_of(source, conn_index);
    if (owner != NULL)
        return value_text(owner->container);
    const struct cgroup *cgroup = cgroup_of(source, conn_index);
    return value_text(cgroup != NULL ? cgroup->container : NULL);
}

GETTER(get_cgroup)
{
    const struct cgroup *cgroup = cgroup_of(source, conn_index);
    return value_text(cgroup != NULL ? cgroup->path : NULL);
}

GETTER(get_timer)
{
    static const char *const names[] = {
        [TIMER_NONE] = "none",
        [TIMER_RETRANSMIT] = "retransmit",
        [TIMER_KEEPALIVE] = "keepalive",
        [TIMER_TIME_WAIT] = "time-wait",
        [TIMER_PERSIST] = "persist",
        [TIMER_DELAYED_ACK] = "delayed-ack",
    };
    const struct conn *conn = conn_at(source, conn_index);
    bool known = conn_has(conn, CONN_TIMER) && conn->timer < sizeof names / sizeof *names;
    return value_text(known ? names[conn->timer] : NULL);
}

GETTER(get_timer_left)
{
    const struct conn *conn = conn_at(source, conn_index);
    bool running = conn_has(conn, CONN_TIMER) && conn->timer != TIMER_NONE;
    return running ? value_ms(conn->timer_ms) : value_unknown();
}

GETTER(get_give_up)
{
    uint64_t ms;
    return conn_give_up_ms(source->snapshot, conn_at(source, conn_index), &ms) ? value_ms(ms) : value_unknown();
}

GETTER(get_skmem)
{
    const struct conn *conn = conn_at(source, conn_index);
    if (!conn_has(conn, CONN_SKMEM))
        return value_unknown();
    return value_number((uint64_t)conn->skmem_rmem_bytes + conn->skmem_wmem_bytes);
}

GETTER(get_shutdown)
{
    static const char *const names[] = { "none", "receive", "send", "both" };
    const struct conn *conn = conn_at(source, conn_index);
    return value_text(conn_has(conn, CONN_SHUTDOWN) ? names[conn->shutdown & 3] : NULL);
}

/* --- additions in text output --------------------------------------------------------------------------------- */

/* "retransmit 12s (4)": the time left and the tries so far */
static void add_timer_words(struct field_source *source, uint32_t conn_index, struct buf *out)
{
    const struct conn *conn = conn_at(source, conn_index);
    if (!conn_has(conn, CONN_TIMER) || conn->timer == TIMER_NONE)
        return;
    buf_char(out, ' ');
    value_format_ms(out, conn->timer_ms);
    if (conn->retransmits > 0)
        buf_printf(out, " (%u)", conn->retransmits);
}

/* "nginx +3": three more processes hold it */
static void add_process_words(struct field_source *source, uint32_t conn_index, struct buf *out)
{
    unsigned processes = holders_count_processes(source->snapshot, conn_at(source, conn_index));
    if (processes > 1)
        buf_printf(out, " +%u", processes - 1);
}

/* --- the table ------------------------------------------------------------------------------------------------ */

#define MEMBER(member, bits, value_kind)                                                                               \
    .offset = offsetof(struct conn, member), .size = sizeof((struct conn *)NULL)->member, .present = (bits),           \
    .kind = (value_kind)

static const struct field fields[] = {
    { .name = "state", .unit = "", .shown = true, .get = get_state, .help = "as in RFC 9293" },
    { .name = "recv_q",
        .unit = "bytes",
        .right = true,
        .shown = true,
        .get = get_member,
        MEMBER(recv_q_bytes, CONN_QUEUES, VALUE_NUMBER),
        .help = "unread, the peer's FIN counts 1; of a listener, connections not accepted yet" },
    { .name = "send_q",
        .unit = "bytes",
        .right = true,
        .shown = true,
        .get = get_send_q,
        MEMBER(send_q_bytes, CONN_QUEUES, VALUE_NUMBER),
        .help = "not acknowledged, our FIN counts 1; of a listener, its backlog" },
    { .name = "local", .unit = "", .shown = true, .get = get_local, .help = "local address and port" },
    { .name = "remote", .unit = "", .shown = true, .get = get_remote, .help = "remote address and port" },
    { .name = "age",
        .key = "age_s",
        .unit = "s",
        .right = true,
        .shown = true,
        .get = get_age,
        .help = "time in its state, at least (age_kind); if ESTABLISHED, idle time" },
    { .name = "cause", .unit = "", .shown = true, .get = get_cause, .help = "normal, or the finding it belongs to" },
    { .name = "netns", .unit = "", .get = get_netns, .help = "network namespace; shown where there are several" },
    { .name = "host", .unit = "", .get = get_host, .help = "host that it is of; shown where there are several" },
    { .name = "pid", .unit = "", .right = true, .shown = true, .get = get_pid, .help = "process that holds it" },
    { .name = "process",
        .unit = "",
        .shown = true,
        .get = get_process,
        .add_words = add_process_words,
        .help = "name of that process; +N: as many others hold it too" },
    { .name = "fd", .unit = "", .right = true, .get = get_fd, .help = "descriptor in that process" },
    { .name = "holders", .unit = "", .right = true, .get = get_holders, .help = "number of processes that hold it" },
    { .name = "held_by", .unit = "", .get = get_held_by, .help = "all of them: PID/NAME:DESCRIPTOR" },
    { .name = "user", .unit = "", .get = get_user, .help = "user of that process" },
    { .name = "uid",
        .unit = "",
        .right = true,
        .get = get_member,
        MEMBER(uid, CONN_UID, VALUE_NUMBER),
        .help = "user who made the socket" },
    { .name = "unit", .unit = "", .get = get_unit, .help = "systemd unit" },
    { .name = "container", .unit = "", .get = get_container, .help = "container" },
    { .name = "cgroup", .unit = "", .get = get_cgroup, .help = "control group that the socket was made in" },
    { .name = "age_kind", .unit = "", .get = get_age_kind, .help = "exact, or at-least: a lower bound" },
    { .name = "timer",
        .unit = "",
        .get = get_timer,
        .add_words = add_timer_words,
        .help = "timer that runs, the time it has left, (tries)" },
    { .name = "timer_left",
        .key = "timer_left_s",
        .unit = "s",
        .right = true,
        .get = get_timer_left,
        .help = "time until that timer fires" },
    { .name = "retransmits",
        .unit = "",
        .right = true,
        .get = get_member,
        MEMBER(retransmits, CONN_TIMER, VALUE_NUMBER),
        .help = "of what is unacknowledged now; zero-window probes" },
    { .name = "give_up",
        .key = "give_up_s",
        .unit = "s",
        .right = true,
        .get = get_give_up,
        .help = "time until the kernel ends it by itself" },
    { .name = "rto",
        .key = "rto_s",
        .unit = "s",
        .right = true,
        .get = get_member,
        MEMBER(rto_ms, CONN_RTO, VALUE_MS),
        .help = "retransmission timeout" },
    { .name = "rtt",
        .key = "rtt_s",
        .unit = "s",
        .right = true,
        .get = get_measured,
        MEMBER(rtt_us, CONN_TCP_INFO, VALUE_US),
        .help = "smoothed round-trip time" },
    { .name = "snd_wnd",
        .unit = "bytes",
        .right = true,
        .get = get_member,
        MEMBER(snd_wnd_bytes, CONN_TCP_INFO | CONN_SND_WND, VALUE_NUMBER),
        .help = "window that the peer offers" },
    { .name = "unacked",
        .unit = "segments",
        .right = true,
        .get = get_member,
        MEMBER(unacked, CONN_TCP_INFO, VALUE_NUMBER),
        .help = "in flight" },
    { .name = "notsent",
        .unit = "bytes",
        .right = true,
        .get = get_member,
        MEMBER(notsent_bytes, CONN_TCP_INFO | CONN_BYTES, VALUE_NUMBER),
        .help = "queued, never sent yet" },
    { .name = "last_send",
        .key = "last_send_s",
        .unit = "s",
        .right = true,
        .get = get_last,
        MEMBER(last_data_sent_ms, CONN_TCP_INFO, VALUE_MS),
        .help = "since data was sent" },
    { .name = "last_recv",
        .key = "last_recv_s",
        .unit = "s",
        .right = true,
        .get = get_last,
        MEMBER(last_data_recv_ms, CONN_TCP_INFO, VALUE_MS),
        .help = "since data was received" },
    { .name = "last_ack",
        .key = "last_ack_s",
        .unit = "s",
        .right = true,
        .get = get_last,
        MEMBER(last_ack_recv_ms, CONN_TCP_INFO, VALUE_MS),
        .help = "since the peer was last heard" },
    { .name = "total_retrans",
        .unit = "segments",
        .right = true,
        .get = get_member,
        MEMBER(total_retrans, CONN_TCP_INFO, VALUE_NUMBER),
        .help = "retransmitted in its life" },
    { .name = "received",
        .unit = "bytes",
        .right = true,
        .get = get_member,
        MEMBER(bytes_received, CONN_TCP_INFO | CONN_BYTES, VALUE_NUMBER),
        .help = "received in its life" },
    { .name = "acked",
        .unit = "bytes",
        .right = true,
        .get = get_member,
        MEMBER(bytes_acked, CONN_TCP_INFO | CONN_BYTES, VALUE_NUMBER),
        .help = "sent and acknowledged in its life" },
    { .name = "skmem", .unit = "bytes", .right = true, .get = get_skmem, .help = "memory of both queues" },
    { .name = "drops",
        .unit = "",
        .right = true,
        .get = get_member,
        MEMBER(skmem_drops, CONN_SKMEM, VALUE_NUMBER),
        .help = "packets dropped; of a listener, connections" },
    { .name = "shutdown", .unit = "", .get = get_shutdown, .help = "directions shut down: receive, send, both, none" },
    { .name = "inode",
        .unit = "",
        .right = true,
        .get = get_member,
        MEMBER(inode, CONN_INODE, VALUE_NUMBER),
        .help = "of the socket; 0: an orphan, not accepted yet, or a mini-socket" },
    { .name = "cookie",
        .unit = "",
        .right = true,
        .get = get_member,
        MEMBER(cookie, CONN_COOKIE, VALUE_NUMBER),
        .help = "the kernel's name for it, unique for its life" },
};
enum { FIELD_COUNT = sizeof fields / sizeof *fields };
_Static_assert((int)FIELD_COUNT <= (int)FIELD_MAX, "arrays of FIELD_MAX hold every field");

const struct field *field_at(size_t index)
{
    return index < FIELD_COUNT ? &fields[index] : NULL;
}

const struct field *field_find(const char *name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (text_same_word(fields[i].name, name) || (fields[i].key != NULL && text_same_word(fields[i].key, name)))
            return &fields[i];
    }
    return NULL;
}

const char *field_nearest(const char *name)
{
    struct suggestion suggestion = { .wanted = name };
    for (size_t i = 0; i < FIELD_COUNT; i++)
        suggest(&suggestion, fields[i].name);
    return suggestion.nearest;
}

const char *field_key(const struct field *field)
{
    return field->key != NULL ? field->key : field->name;
}

struct value field_value(const struct field *field, struct field_source *source, uint32_t conn_index)
{
    return field->get(field, source, conn_index);
}
