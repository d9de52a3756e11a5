#include "model/select.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "model/age.h"
#include "model/holders.h"
#include "model/service_names.h"

/* --- lists ---------------------------------------------------------------------------------------------------- */

typedef int (*add_term)(struct selection *selection, const char *term, const char *source, struct error *err);

/* Returns 0 if there is room for one more term of a kind, else -E2BIG. */
static int need_room(unsigned count, const char *term, struct error *err)
{
    if (count < SELECT_TERMS_MAX)
        return 0;
    return error_set(err, -E2BIG, term, "is one too many: at most %d of a kind", SELECT_TERMS_MAX);
}

/*
 * Calls `add` for each term of a comma-separated list: with a copy of the term, without the spaces around it, and with
 * a pointer to the term within `text`.
 */
static int for_each_term(struct selection *selection, const char *text, add_term add, struct error *err)
{
    for (;;) {
        text += strspn(text, " ");
        size_t length = strcspn(text, ",");
        size_t whole = length;
        while (length > 0 && text[length - 1] == ' ')
            length--;
        if (length == 0)
            return error_set(err, -EINVAL, NULL, "has an empty term");
        char term[SELECT_WORD_MAX];
        if (length >= sizeof term)
            return error_set(err, -EINVAL, NULL, "has a term of more than %d bytes", SELECT_WORD_MAX - 1);
        memcpy(term, text, length);
        term[length] = '\0';
        int result = add(selection, term, text, err);
        if (result < 0)
            return result;
        if (text[whole] == '\0')
            return 0;
        text += whole + 1;
    }
}

/* --- states --------------------------------------------------------------------------------------------------- */

static int add_state(struct selection *selection, const char *term, const char *source, struct error *err)
{
    (void)source;
    if (strcasecmp(term, "all") == 0) {
        selection->states = STATE_BIT(STATE_COUNT) - 1;
        return 0;
    }
    enum conn_state state = state_parse(term);
    if (state != STATE_UNKNOWN) {
        selection->states |= STATE_BIT(state);
        return 0;
    }
    struct suggestion suggestion = { .wanted = term, .within = 4 };
    for (int i = STATE_CLOSED; i < STATE_COUNT; i++)
        suggest(&suggestion, state_name(i));
    if (suggestion.nearest != NULL)
        return error_set(err, -EINVAL, term, "is not a TCP state; did you mean %s?", suggestion.nearest);
    return error_set(
        err, -EINVAL, term, "is not a TCP state; CLOSE_WAIT, last-ack, TimeWait, SYN_RECV or all would do");
}

int selection_add_states(struct selection *selection, const char *text, struct error *err)
{
    return for_each_term(selection, text, add_state, err);
}

/* --- numbers and words ---------------------------------------------------------------------------------------- */

static int add_pid(struct selection *selection, const char *term, const char *source, struct error *err)
{
    (void)source;
    uint64_t pid;
    if (text_parse_number(term, UINT32_MAX, &pid) < 0)
        return error_set(err, -EINVAL, term, "is not a process id");
    int result = need_room(selection->pid_count, term, err);
    if (result == 0)
        selection->pids[selection->pid_count++] = (uint32_t)pid;
    return result;
}

int selection_add_pids(struct selection *selection, const char *text, struct error *err)
{
    return for_each_term(selection, text, add_pid, err);
}

static int parse_port(const char *text, size_t length, uint16_t *ret_port)
{
    char number[8];
    uint64_t port;
    if (length >= sizeof number)
        return -EINVAL;
    memcpy(number, text, length);
    number[length] = '\0';
    if (text_parse_number(number, UINT16_MAX, &port) < 0 || port == 0)
        return -EINVAL;
    *ret_port = (uint16_t)port;
    return 0;
}

int select_parse_ports(const char *text, struct select_ports *ret_ports)
{
    size_t digits = strspn(text, "0123456789");
    struct select_ports range;
    if (text[digits] == '\0' || text[digits] == '-') {
        const char *last = text[digits] == '-' ? text + digits + 1 : text;
        if (parse_port(text, digits, &range.first) < 0 || parse_port(last, strlen(last), &range.last) < 0 ||
            range.first > range.last)
            return -EINVAL;
    } else {
        range.first = range.last = service_port(text, strlen(text));
        if (range.first == 0)
            return -EINVAL;
    }
    *ret_ports = range;
    return 0;
}

void select_format_ports(struct buf *out, const struct select_ports *ports)
{
    buf_printf(out, "%u", ports->first);
    if (ports->last != ports->first)
        buf_printf(out, "-%u", ports->last);
}

static bool in_range(const struct select_ports *range, uint16_t port)
{
    return port >= range->first && port <= range->last;
}

static int add_port(struct selection *selection, const char *term, const char *source, struct error *err)
{
    (void)source;
    struct select_ports range;
    if (select_parse_ports(term, &range) < 0)
        return error_set(err, -EINVAL, term, "is not a port: 80, 8000-8099, https; from 1 to 65535");
    int result = need_room(selection->port_count, term, err);
    if (result == 0)
        selection->ports[selection->port_count++] = range;
    return result;
}

int selection_add_ports(struct selection *selection, const char *text, struct error *err)
{
    return for_each_term(selection, text, add_port, err);
}

static int add_name(struct selection *selection, const char *term, const char *source, struct error *err)
{
    int result = need_room(selection->name_count, term, err);
    if (result == 0)
        selection->names[selection->name_count++] = source;
    return result;
}

int selection_add_names(struct selection *selection, const char *text, struct error *err)
{
    return for_each_term(selection, text, add_name, err);
}

static int add_cause(struct selection *selection, const char *term, const char *source, struct error *err)
{
    int result = need_room(selection->cause_count, term, err);
    if (result == 0)
        selection->causes[selection->cause_count++] = source;
    return result;
}

int selection_add_causes(struct selection *selection, const char *text, struct error *err)
{
    return for_each_term(selection, text, add_cause, err);
}

int selection_set_older(struct selection *selection, const char *text, struct error *err)
{
    if (text_parse_duration(text, &selection->older_ms) < 0)
        return error_set(err, -EINVAL, text, "is not an age: 90s, 1.5m, 2h, 1d, 250ms");
    return 0;
}

void selection_word(const char *word, char ret_word[SELECT_WORD_MAX])
{
    size_t length = strcspn(word, ",");
    if (length >= SELECT_WORD_MAX)
        length = SELECT_WORD_MAX - 1;
    while (length > 0 && word[length - 1] == ' ')
        length--;
    memcpy(ret_word, word, length);
    ret_word[length] = '\0';
}

/* --- ends of a connection ------------------------------------------------------------------------------------- */

/*
 * Returns the colon before the port, or NULL if the term has no port. It comes after a bracket or a prefix length, or
 * is the only colon: an IPv6 address has several.
 */
static char *port_colon(char *term)
{
    char *after = term[0] == '[' ? strchr(term, ']') : NULL;
    char *slash = strchr(after != NULL ? after : term, '/');
    if (slash != NULL)
        return strchr(slash, ':');
    if (after != NULL)
        return strchr(after, ':');
    char *colon = strchr(term, ':');
    return colon != NULL && strchr(colon + 1, ':') == NULL ? colon : NULL;
}

/* Removes brackets: "[2001:db8::]/32" becomes "2001:db8::/32", "[::1]" becomes "::1". */
static void strip_brackets(char *address)
{
    char *end = address[0] == '[' ? strstr(address, "]/") : NULL;
    if (end != NULL) {
        memmove(end, end + 1, strlen(end));
        memmove(address, address + 1, strlen(address));
    } else if (address[0] == '[' && address[strlen(address) - 1] == ']') {
        address[strlen(address) - 1] = '\0';
        memmove(address, address + 1, strlen(address));
    }
}

static int parse_endpoint(const char *term, struct select_endpoint *ret_end, struct error *err)
{
    struct select_endpoint end = { 0 };
    char address[SELECT_WORD_MAX];
    memcpy(address, term, strlen(term) + 1); /* it fits: for_each_term() refuses longer terms */
    char *colon = port_colon(address);
    if (colon != NULL) {
        *colon = '\0';
        end.has_port = strcmp(colon + 1, "*") != 0;
        if (end.has_port && select_parse_ports(colon + 1, &end.ports) < 0)
            return error_set(err, -EINVAL, term, "has no port after its colon: 80, 8000-8099, https or *");
    }
    end.has_net = strcmp(address, "*") != 0 && !(colon != NULL && *address == '\0');
    if (end.has_net) {
        strip_brackets(address);
        if (ip_net_parse(address, &end.net) < 0)
            return error_set(err, -EINVAL, term, "is not an address: 10.0.0.5, 10.0.0.0/8:80, :443, [::1]:80 would do");
    }
    *ret_end = end;
    return 0;
}

static int add_local(struct selection *selection, const char *term, const char *source, struct error *err)
{
    (void)source;
    int result = need_room(selection->local_count, term, err);
    if (result == 0)
        result = parse_endpoint(term, &selection->locals[selection->local_count], err);
    if (result == 0)
        selection->local_count++;
    return result;
}

int selection_add_local(struct selection *selection, const char *text, struct error *err)
{
    return for_each_term(selection, text, add_local, err);
}

static int add_peer(struct selection *selection, const char *term, const char *source, struct error *err)
{
    (void)source;
    int result = need_room(selection->peer_count, term, err);
    if (result == 0)
        result = parse_endpoint(term, &selection->peers[selection->peer_count], err);
    if (result == 0)
        selection->peer_count++;
    return result;
}

int selection_add_peer(struct selection *selection, const char *text, struct error *err)
{
    return for_each_term(selection, text, add_peer, err);
}

/* --- matching ------------------------------------------------------------------------------------------------- */

static bool endpoint_matches(const struct select_endpoint *ends, unsigned count, const struct ip *ip, uint16_t port)
{
    enum { MAPPED_BITS = 96 };
    for (unsigned i = 0; i < count; i++) {
        if (ends[i].has_port && !in_range(&ends[i].ports, port))
            continue;
        if (!ends[i].has_net)
            return true;
        /* ::/0 means every IPv6 address. Without this, it would match IPv4 too, which is stored as ::ffff:a.b.c.d. */
        if (ends[i].net.prefix < MAPPED_BITS && ip_is_v4(ip))
            continue;
        if (ip_in_net(ip, &ends[i].net))
            return true;
    }
    return count == 0;
}

static bool port_matches(const struct selection *selection, const struct conn *conn)
{
    for (unsigned i = 0; i < selection->port_count; i++) {
        if (in_range(&selection->ports[i], conn->local_port) || in_range(&selection->ports[i], conn->remote_port))
            return true;
    }
    return selection->port_count == 0;
}

static bool pid_matches(const struct selection *selection, const struct snapshot *snapshot, const struct conn *conn)
{
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h)) {
        uint32_t pid = holders_process(snapshot, h)->pid;
        for (unsigned i = 0; i < selection->pid_count; i++) {
            if (selection->pids[i] == pid)
                return true;
        }
    }
    return false;
}

static bool pattern_matches(const char *pattern, const char *name)
{
    char word[SELECT_WORD_MAX];
    selection_word(pattern, word);
    if (fnmatch(word, name, 0) == 0)
        return true;
    /* Linux shows only 15 bytes of a name (TASK_COMM_LEN is 16). A longer word matches if its first 15 bytes do. */
    enum { COMM_MAX = 15 };
    return strlen(name) == COMM_MAX && strlen(word) > COMM_MAX && strpbrk(word, "*?[\\") == NULL &&
        strncmp(word, name, COMM_MAX) == 0;
}

bool selection_matches_name(const struct selection *selection, const char *name)
{
    for (unsigned i = 0; name != NULL && i < selection->name_count; i++) {
        if (pattern_matches(selection->names[i], name))
            return true;
    }
    return selection->name_count == 0;
}

static bool name_matches(const struct selection *selection, const struct snapshot *snapshot, const struct conn *conn)
{
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h)) {
        if (selection_matches_name(selection, holders_process(snapshot, h)->name))
            return true;
    }
    return false;
}

static bool netns_is(const struct selection *selection, const struct snapshot *snapshot, uint32_t index)
{
    const struct netns *netns = index < snapshot->netns_count ? &snapshot->netns[index] : NULL;
    if (strcmp(selection->netns, "self") == 0)
        return netns != NULL && netns->is_own;
    if (netns != NULL && netns->name != NULL && strcmp(netns->name, selection->netns) == 0)
        return true;
    uint64_t number;
    if (text_parse_number(selection->netns, UINT64_MAX, &number) < 0)
        return false;
    if (netns != NULL && netns->inode != 0 && netns->inode == number) /* PIDs are far smaller than such inodes */
        return true;
    /* A snapshot contains only processes with TCP sockets, so a linear search is fast enough. */
    const struct process *process = number <= UINT32_MAX ? snapshot_process_by_pid(snapshot, (uint32_t)number) : NULL;
    return process != NULL && process->netns != NO_INDEX && process->netns == index;
}

static bool any_netns(const struct selection *selection)
{
    return selection->netns == NULL || strcmp(selection->netns, "all") == 0;
}

bool selection_netns_exists(const struct selection *selection, const struct snapshot *snapshot)
{
    if (any_netns(selection) || strcmp(selection->netns, "self") == 0)
        return true;
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        if (netns_is(selection, snapshot, (uint32_t)i))
            return true;
    }
    return false;
}

/* Compares the family of the addresses, not of the socket: an IPv6 socket may have a connection over IPv4. */
static bool family_matches(const struct selection *selection, const struct conn *conn)
{
    if (selection->ipv4 == selection->ipv6)
        return true;
    return ip_is_v4(&conn->local) ? selection->ipv4 : selection->ipv6;
}

static bool age_matches(const struct selection *selection, const struct snapshot *snapshot, const struct conn *conn)
{
    if (selection->older_ms == 0)
        return true;
    struct age age = conn_age(snapshot, conn);
    return age.kind != AGE_UNKNOWN && age_judged_ms(&age) >= selection->older_ms;
}

static bool all_states(const struct selection *selection)
{
    return selection->states == 0 || selection->states == STATE_BIT(STATE_COUNT) - 1;
}

bool selection_is_empty(const struct selection *selection)
{
    return all_states(selection) && selection->ipv4 == selection->ipv6 && selection->pid_count == 0 &&
        selection->name_count == 0 && selection->port_count == 0 && selection->local_count == 0 &&
        selection->peer_count == 0 && selection->cause_count == 0 && any_netns(selection) && selection->older_ms == 0;
}

bool selection_matches(const struct selection *selection, const struct snapshot *snapshot, const struct conn *conn)
{
    return (all_states(selection) || (selection->states & STATE_BIT(conn->state)) != 0) &&
        family_matches(selection, conn) && port_matches(selection, conn) &&
        endpoint_matches(selection->locals, selection->local_count, &conn->local, conn->local_port) &&
        endpoint_matches(selection->peers, selection->peer_count, &conn->remote, conn->remote_port) &&
        (any_netns(selection) || netns_is(selection, snapshot, conn->netns)) &&
        (selection->pid_count == 0 || pid_matches(selection, snapshot, conn)) &&
        (selection->name_count == 0 || name_matches(selection, snapshot, conn)) &&
        age_matches(selection, snapshot, conn);
}

bool selection_matches_cause(const struct selection *selection, const char *cause)
{
    for (unsigned i = 0; i < selection->cause_count; i++) {
        char word[SELECT_WORD_MAX];
        selection_word(selection->causes[i], word);
        if (fnmatch(word, cause, 0) == 0)
            return true;
    }
    return selection->cause_count == 0;
}
