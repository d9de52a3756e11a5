#include "cmd/inspect_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "diagnose/diagnose.h"

static int set_states(void *target, const char *value, struct error *err)
{
    if (strcmp(value, "help") == 0) {
        for (int state = STATE_CLOSED; state < STATE_COUNT; state++)
            puts(state_name(state));
        return PARSE_HELP;
    }
    return selection_add_states(&((struct inspect_options *)target)->selection, value, err);
}

static int set_pids(void *target, const char *value, struct error *err)
{
    return selection_add_pids(&((struct inspect_options *)target)->selection, value, err);
}

static int set_names(void *target, const char *value, struct error *err)
{
    return selection_add_names(&((struct inspect_options *)target)->selection, value, err);
}

static int set_ports(void *target, const char *value, struct error *err)
{
    return selection_add_ports(&((struct inspect_options *)target)->selection, value, err);
}

static int set_local(void *target, const char *value, struct error *err)
{
    return selection_add_local(&((struct inspect_options *)target)->selection, value, err);
}

static int set_peer(void *target, const char *value, struct error *err)
{
    return selection_add_peer(&((struct inspect_options *)target)->selection, value, err);
}

static int set_older(void *target, const char *value, struct error *err)
{
    return selection_set_older(&((struct inspect_options *)target)->selection, value, err);
}

static int set_causes(void *target, const char *value, struct error *err)
{
    const char *id;
    if (strcmp(value, "help") == 0) {
        puts("normal");
        for (unsigned i = 0; (id = diagnose_finding_id(i)) != NULL; i++)
            puts(id);
        return PARSE_HELP;
    }
    return selection_add_causes(&((struct inspect_options *)target)->selection, value, err);
}

static int set_netns(void *target, const char *value, struct error *err)
{
    struct inspect_options *inspection = target;
    (void)err;
    inspection->selection.netns = value;
    inspection->source.own_netns_only = strcmp(value, "self") == 0;
    return 0;
}

static int set_source(void *target, const char *value, struct error *err)
{
    static const struct {
        const char *name;
        enum source_kind kind;
    } kinds[] = { { "auto", SOURCE_AUTO }, { "bpf", SOURCE_BPF }, { "netlink", SOURCE_NETLINK },
        { "proc", SOURCE_PROC } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(value, kinds[i].name) == 0) {
            ((struct inspect_options *)target)->source.kind = kinds[i].kind;
            ((struct inspect_options *)target)->names_source = true;
            return 0;
        }
    }
    return error_set(err, -EINVAL, value, "is not a source: auto, bpf, netlink or proc");
}

/* Where the option is stored; NULL: it does not change what the commands show. */
static struct buf *place_of(struct again *again, const char *name)
{
    static const char *const reading[] = { "from", "tasks", "state-name", "source", "config" };
    if (again == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        if (strcmp(name, reading[i]) == 0)
            return &again->reading;
    }
    return strcmp(name, "cause") == 0 ? &again->causes : &again->selection;
}

void inspect_add_again(const struct inspect_options *options, const char *name, const char *value)
{
    struct buf word = { 0 };
    struct buf *again = place_of(options->again, name);
    if (again != NULL && (value == NULL || text_shell_quote(&word, value))) {
        buf_printf(again, " --%s", name);
        if (value != NULL)
            buf_printf(again, " %s", buf_text(&word));
    }
    buf_deinit(&word);
}

int options_add_from(struct inspect_options *options, const char *path, struct error *err)
{
    if (*path == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a file, or - for standard input");
    if (options->from_count == INSPECT_FROM_MAX)
        return error_set(err, -E2BIG, path, "is one too many: at most %d captures", INSPECT_FROM_MAX);
    options->from[options->from_count++] = path;
    inspect_add_again(options, "from", path);
    return 0;
}

static int set_from(void *target, const char *value, struct error *err)
{
    return options_add_from(target, value, err);
}

static int set_tasks(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a file");
    ((struct inspect_options *)target)->tasks = value;
    return 0;
}

static int set_state_name(void *target, const char *value, struct error *err)
{
    struct inspect_options *options = target;
    enum { MOST = sizeof options->state_names / sizeof *options->state_names };
    const char *equals = strchr(value, '=');
    if (equals == NULL || equals == value || state_parse(equals + 1) == STATE_UNKNOWN)
        return error_set(err, -EINVAL, value, "is not WORD=STATE: LETZTE_ACK=LAST_ACK");
    if (options->state_name_count == MOST)
        return error_set(err, -E2BIG, value, "is one too many: at most %d", MOST);
    options->state_names[options->state_name_count++] = value;
    return 0;
}

int cmd_set_interval(const char *value, uint64_t min_ms, uint64_t *ret_ms, struct error *err)
{
    enum { MAX_MS = 24 * 60 * 60 * 1000 };
    uint64_t ms;
    if (text_parse_duration(value, &ms) < 0 || ms < min_ms || ms > MAX_MS)
        return error_set(
            err, -EINVAL, value, "is not a time from %llu ms to a day: 5, 0.5, 10s, 1.5m", (unsigned long long)min_ms);
    *ret_ms = ms;
    return 0;
}

static int set_confirm(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 100 };
    return cmd_set_interval(value, MIN_MS, &((struct inspect_options *)target)->confirm_ms, err);
}

static int set_timeout(void *target, const char *value, struct error *err)
{
    enum { MIN_MS = 100 };
    return cmd_set_interval(value, MIN_MS, &((struct inspect_options *)target)->timeout_ms, err);
}

static int set_config(void *target, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_set(err, -EINVAL, NULL, "wants the name of a file");
    ((struct inspect_options *)target)->config = value;
    return 0;
}

const struct option_row inspect_option_rows[] = {
    { 's', "state", "LIST", "states, in any spelling: close-wait,LAST_ACK", set_states },
    { 'p', "pid", "LIST", "held by these processes", set_pids },
    { 'P', "process", "LIST", "held by processes of these names; wildcards: 'java*'", set_names },
    { 0, "port", "LIST", "local or remote port: 80, 8000-8099, https", set_ports },
    { 'l', "local", "ADDR[/LEN][:PORT]", "local end: 10.0.0.5, 10.0.0.0/8:80, :443, [::1]:80", set_local },
    { 'r', "peer", "ADDR[/LEN][:PORT]", "remote end, written likewise", set_peer },
    { 0, "older", "AGE", "in their state for at least 90s, 1.5m, 2h, 1d", set_older },
    { 0, "cause", "LIST", "cause: 'normal', a finding's id; wildcards: 'close-wait-*'", set_causes },
    { 0, "netns", "WHICH", "network namespace: self, all (default), a name or a PID", set_netns },
    { '4', "ipv4", NULL, "IPv4 only", .flag = offsetof(struct inspect_options, selection.ipv4) },
    { '6', "ipv6", NULL, "IPv6 only", .flag = offsetof(struct inspect_options, selection.ipv6) },
    { 'f', "from", "FILE",
        "look at a capture instead of this host: what netstat, ss, lsof or PowerShell printed; - reads it from "
        "standard input",
        set_from },
    { 0, "tasks", "FILE", "names the PIDs of a capture: what tasklist or Get-Process printed", set_tasks },
    { 0, "state-name", "WORD=STATE", "what a word of a capture means that is not known: LETZTE_ACK=LAST_ACK",
        set_state_name },
    { 0, "source", "KIND", "read sockets by: auto (default), bpf, netlink, proc", set_source },
    { 0, "confirm", "SECS", "take another snapshot SECS later: only what has not moved is stuck", set_confirm },
    { 0, "config", "FILE", "use this configuration instead of the usual ones", set_config },
    { 0, "timeout", "SECS", "give up after this time (default: 2m), and say what was waited for", set_timeout },
    { 'j', "json", NULL, "print JSON", .flag = offsetof(struct inspect_options, json) },
    { 0 },
};

void options_pick(const struct option_row *rows, const char *const *names, struct option_row *ret_rows, size_t most)
{
    size_t count = 0;
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        for (size_t i = 0; names[i] != NULL && count + 1 < most; i++) {
            if (strcmp(row->name, names[i]) == 0)
                ret_rows[count++] = *row;
        }
    }
    ret_rows[count] = (struct option_row){ 0 };
}

void inspect_rows_but(const char *const *names, struct option_row ret_rows[INSPECT_ROWS_MAX])
{
    size_t count = 0;
    for (const struct option_row *row = inspect_option_rows; row->name != NULL && count + 1 < INSPECT_ROWS_MAX; row++) {
        bool is_left_out = false;
        for (size_t i = 0; names[i] != NULL; i++)
            is_left_out |= strcmp(row->name, names[i]) == 0;
        if (!is_left_out)
            ret_rows[count++] = *row;
    }
    ret_rows[count] = (struct option_row){ 0 };
}

bool cmd_option_selects(const struct option_row *row)
{
    static const char *const names[] = { "state", "pid", "process", "port", "local", "peer", "older", "cause", "netns",
        "ipv4", "ipv6" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(row->name, names[i]) == 0)
            return true;
    }
    return false;
}

bool cmd_option_is_said_again(const struct option_row *row)
{
    static const char *const names[] = { "tasks", "state-name", "source", "config" };
    bool is_one = cmd_option_selects(row);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_one |= strcmp(row->name, names[i]) == 0;
    return is_one;
}
