#include "report/json/finding.h"

#include "hosts/join.h"
#include "model/host.h"
#include "report/report.h"

void json_lines(struct json *json, const char *key, const struct lines *lines)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < lines->count; i++)
        json_string(json, lines->items[i]);
    json_array_end(json);
}

static void seconds_or_null(struct json *json, const char *key, bool known, uint64_t ms)
{
    json_key(json, key);
    if (known)
        json_seconds(json, ms);
    else
        json_null(json);
}

static void uint_or_null(struct json *json, const char *key, bool known, uint64_t number)
{
    json_key(json, key);
    if (known)
        json_uint(json, number);
    else
        json_null(json);
}

static void string_of(struct json *json, const char *key, struct buf *text)
{
    json_member_string(json, key, buf_text(text));
    buf_deinit(text);
}

static void address(struct json *json, const char *key, const struct ip *ip)
{
    struct buf text = { 0 };
    ip_format(&text, ip);
    string_of(json, key, &text);
}

static void address_and_port(struct json *json, const char *key, const struct ip *ip, uint16_t port)
{
    struct buf text = { 0 };
    ip_port_format(&text, ip, port);
    string_of(json, key, &text);
}

static void endpoint(struct json *json, const char *key, const struct endpoint *end)
{
    json_key(json, key);
    if (!end->known) {
        json_null(json);
        return;
    }
    json_object(json);
    if (end->any_address)
        json_member_string(json, "address", "*");
    else
        address(json, "address", &end->address);
    uint_or_null(json, "port", !end->any_port, end->port);
    if (end->any_port && end->ports > 0)
        json_member_uint(json, "ports", end->ports);
    json_object_end(json);
}

static void waits(struct json *json, const struct process *process)
{
    json_key(json, "waits");
    json_array(json);
    for (size_t i = 0; i < process->wait_count; i++) {
        const struct wait_place *place = &process->waits[i];
        json_object(json);
        json_member_uint(json, "threads", place->threads);
        json_member_string(json, "state", (char[]){ place->state, '\0' });
        json_member_string(json, "channel", place->channel);
        json_member_string(json, "call", place->call);
        uint_or_null(json, "fd", place->fd >= 0, place->fd >= 0 ? (uint64_t)place->fd : 0);
        json_member_string(json, "target", place->target);
        json_object_end(json);
    }
    json_array_end(json);
}

static void owner(struct json *json, const struct finding *finding)
{
    const struct process *process = finding->owner;
    json_key(json, "owner");
    if (process == NULL) {
        json_null(json);
        return;
    }
    bool limited = process_has_limit(process);
    bool state_known = process->state != '?' && process->state != '\0';
    json_object(json);
    json_member_uint(json, "pid", process->pid);
    json_member_string(json, "name", process->name);
    json_member_string(json, "user", process->user);
    json_member_string(json, "unit", process->unit);
    json_member_string(json, "container", process->container);
    uint_or_null(json, "fds_open", process->fds_open != 0, process->fds_open);
    uint_or_null(json, "fds_limit", limited, process->fds_limit);
    json_member_bool(json, "fds_unlimited", process->fds_limit == UINT32_MAX);
    json_member_bool(json, "inferred", finding->owner_inferred);
    json_member_uint(json, "parent_pid", process->parent_pid);
    json_member_uint(json, "uid", process->uid);
    json_member_string(json, "command", process->command);
    json_member_string(json, "state", state_known ? (char[]){ process->state, '\0' } : NULL);
    uint_or_null(json, "threads", process->threads != 0, process->threads);
    uint_or_null(json, "sockets", process->fds_open != 0, process->fds_sockets);
    json_member_uint(json, "tcp_sockets", process->tcp_sockets);
    seconds_or_null(json, "running_s", process->running_ms != 0, process->running_ms);
    waits(json, process);
    json_object_end(json);
}

static void process_counts(struct json *json, const char *key, const struct process_count *items, size_t count)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < count; i++) {
        json_object(json);
        json_member_uint(json, "pid", items[i].process->pid);
        json_member_string(json, "name", items[i].process->name);
        if (items[i].process->host != NULL)
            json_member_string(json, "host", items[i].process->host->name);
        json_member_uint(json, "count", items[i].count);
        json_object_end(json);
    }
    json_array_end(json);
}

static void end_object(struct json *json, const struct host *host, enum conn_state state, uint64_t count)
{
    json_object(json);
    json_member_string(json, "state", state_name(state));
    if (host != NULL)
        json_member_string(json, "host", host->name);
    json_member_uint(json, "count", count);
    json_object_end(json);
}

/*
 * The hosts and states of the other ends that were seen, also of those that no process holds. Left out if there are
 * none.
 */
static void other_ends(struct json *json, const struct snapshot *snapshot, const struct finding *finding)
{
    uint64_t counts[HOSTS_MAX][STATE_COUNT] = { { 0 } }, seen = 0;
    for (size_t i = 0; i < finding->other_end_count; i++) {
        const struct conn *end = &snapshot->conns[finding->other_ends[i]];
        if (conn_is_listener(end))
            continue;
        counts[snapshot->host_count > 0 ? hosts_number(snapshot, end) : 0][end->state]++;
        seen++;
    }
    if (seen == 0)
        return;
    json_key(json, "other_ends");
    json_array(json);
    for (size_t i = 0; i < hosts_count(snapshot); i++) {
        for (int state = STATE_UNKNOWN; state < STATE_COUNT; state++) {
            if (counts[i][state] > 0)
                end_object(json, hosts_at(snapshot, i), (enum conn_state)state, counts[i][state]);
        }
    }
    json_array_end(json);
}

static void peers(struct json *json, const struct finding *finding)
{
    json_key(json, "peers");
    json_array(json);
    for (size_t i = 0; i < finding->peer_count; i++) {
        json_object(json);
        address(json, "address", &finding->peers[i].address);
        json_member_uint(json, "count", finding->peers[i].count);
        json_object_end(json);
    }
    json_array_end(json);
    json_member_uint(json, "peers_total", finding->distinct_peers);
}

static void ages(struct json *json, const struct finding *finding)
{
    json_key(json, "age_s");
    json_object(json);
    seconds_or_null(json, "oldest", finding->age_known, finding->oldest_ms);
    seconds_or_null(json, "median", finding->age_known, finding->median_ms);
    json_member_bool(json, "at_least", finding->age_known && finding->age_at_least);
    if (finding->reset_count > 0) {
        json_member_uint(json, "reset_by_keepalive", finding->reset_count);
        seconds_or_null(json, "oldest_at_most", true, finding->oldest_at_most_ms);
        seconds_or_null(json, "quiet", true, finding->quiet_ms);
    }
    json_object_end(json);
    json_key(json, "give_up_s");
    if (!finding->give_up_known) {
        json_null(json);
        return;
    }
    json_object(json);
    seconds_or_null(json, "first", true, finding->first_give_up_ms);
    seconds_or_null(json, "last", true, finding->last_give_up_ms);
    json_object_end(json);
}

static void fixes(struct json *json, const char *key, const struct fixes *fixes)
{
    json_key(json, key);
    json_array(json);
    for (size_t i = 0; i < fixes->count; i++) {
        json_object(json);
        json_member_string(json, "text", fixes->items[i].text);
        json_member_string(json, "command", fixes->items[i].command);
        json_object_end(json);
    }
    json_array_end(json);
}

static void conn_object(struct json *json, const struct snapshot *snapshot, const struct conn *conn)
{
    static const char *const timers[] = { "none", "retransmit", "keepalive", "time-wait", "persist", "delayed-ack" };
    bool has_timer = conn_has(conn, CONN_TIMER) && conn->timer < sizeof timers / sizeof *timers;
    const struct process *holder = snapshot_owner(snapshot, conn);
    struct age age = conn_age(snapshot, conn);
    uint64_t give_up_ms = 0;
    bool gives_up = conn_give_up_ms(snapshot, conn, &give_up_ms);
    json_object(json);
    json_member_string(json, "state", state_name((enum conn_state)conn->state));
    address_and_port(json, "local", &conn->local, conn->local_port);
    address_and_port(json, "remote", &conn->remote, conn->remote_port);
    uint_or_null(json, "recv_q", conn_has(conn, CONN_QUEUES), conn->recv_q_bytes);
    uint_or_null(json, "send_q", conn_has(conn, CONN_QUEUES), conn->send_q_bytes);
    uint_or_null(json, "inode", conn_has(conn, CONN_INODE), conn->inode);
    seconds_or_null(json, "age_s", age.kind != AGE_UNKNOWN, age.ms);
    json_member_bool(json, "age_at_least", age.kind == AGE_AT_LEAST);
    if (age.is_reset)
        seconds_or_null(json, "age_at_most_s", true, age.most_ms);
    seconds_or_null(json, "give_up_s", gives_up, give_up_ms);
    json_member_string(json, "timer", has_timer ? timers[conn->timer] : NULL);
    seconds_or_null(json, "timer_s", has_timer && conn->timer != TIMER_NONE, conn->timer_ms);
    uint_or_null(json, "retransmits", conn_has(conn, CONN_TIMER), conn->retransmits);
    uint_or_null(json, "pid", holder != NULL, holder ? holder->pid : 0);
    uint_or_null(json, "uid", conn_has(conn, CONN_UID), conn->uid);
    json_object_end(json);
}

void json_finding(struct json *json, const struct diagnosis *diagnosis, const struct finding *finding, bool all_conns)
{
    const struct snapshot *snapshot = diagnosis->snapshot;
    bool is_selection = diagnosis->selected != NULL;
    uint64_t shown = !all_conns && finding->conn_count > REPORT_SAMPLE ? REPORT_SAMPLE : finding->conn_count;
    json_object(json);
    json_member_string(json, "id", finding->id);
    json_member_string(json, "severity", severity_name(finding->severity));
    json_member_string(json, "confidence", confidence_name(finding->confidence));
    json_member_string(json, "fault", fault_name(finding->fault));
    json_member_string(json, "title", finding->title);
    json_member_string(json, "why", finding->why);
    json_member_uint(json, "count", finding->count);
    if (is_selection) {
        json_member_uint(json, "selected_count", finding->selected_count);
        json_member_uint(json, "selected_other_ends", finding->selected_ends);
    }
    owner(json, finding);
    process_counts(json, "processes", finding->processes, finding->process_count);
    process_counts(json, "counterparts", finding->counterparts, finding->counterpart_count);
    other_ends(json, snapshot, finding);
    endpoint(json, "local", &finding->local);
    endpoint(json, "remote", &finding->remote);
    if (finding->host != NULL)
        json_member_string(json, "host", finding->host->name);
    json_member_string(json, "netns", finding->netns ? finding->netns->name : NULL);
    peers(json, finding);
    ages(json, finding);
    json_lines(json, "evidence", &finding->evidence);
    json_lines(json, "ruled_out", &finding->ruled_out);
    fixes(json, "fix_now", &finding->fix_now);
    fixes(json, "fix_for_good", &finding->fix_for_good);
    json_lines(json, "will_not_help", &finding->will_not_help);
    json_key(json, "connections");
    if (snapshot->counts_only) {
        json_null(json);
    } else {
        json_array(json);
        for (uint64_t i = 0; i < shown; i++)
            conn_object(json, snapshot, &snapshot->conns[finding->conns[i]]);
        json_array_end(json);
    }
    json_object_end(json);
}
