#include "cmd/inspect.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/progress.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cmd/confine.h"
#include "cmd/patience.h"
#include "cmd/privileges.h"
#include "diagnose/diagnose.h"
#include "model/previous.h"
#include "hosts/join.h"
#include "source/capture/capture.h"

enum { FINDINGS_MAX = 100 }; /* more than exist */

/* A misspelt id would select nothing. So each pattern must match at least one existing cause. */
static int check_cause(const char *pattern, struct error *err)
{
    struct selection one = { .causes = { pattern }, .cause_count = 1 };
    if (selection_matches_cause(&one, "normal"))
        return 0;
    char word[SELECT_WORD_MAX];
    selection_word(pattern, word);
    struct suggestion suggestion = { .wanted = word };
    suggest(&suggestion, "normal");
    const char *id;
    for (unsigned i = 0; (id = diagnose_finding_id(i)) != NULL; i++) {
        if (selection_matches_cause(&one, id))
            return 0;
        suggest(&suggestion, id);
    }
    char nearest[SUGGESTION_TEXT_MAX];
    return error_set(err, -EINVAL, "--cause", "'%s' is no cause; %s", word,
        suggestion_text(&suggestion, "--cause help lists them", nearest));
}

int cmd_check_causes(const struct selection *selection, struct error *err)
{
    int result = 0;
    for (unsigned i = 0; result == 0 && i < selection->cause_count; i++)
        result = check_cause(selection->causes[i], err);
    return result;
}

int cmd_check_netns(const struct selection *selection, const struct snapshot *snapshot, struct error *err)
{
    if (selection_netns_exists(selection, snapshot))
        return 0;
    struct buf seen = { 0 };
    for (size_t i = 0; i < snapshot->netns_count && seen.length < 160; i++)
        buf_printf(&seen, "%s%s", i > 0 ? ", " : "", snapshot->netns[i].name);
    error_set(err, -ENOENT, "--netns", "'%s' is no network namespace or process seen here; seen: %s", selection->netns,
        buf_text(&seen));
    buf_deinit(&seen);
    return -ENOENT;
}

struct question {
    const struct selection *selection;
    const struct policy *policy;
};

/*
 * An open connection without a descriptor waits in an accept queue. Whether it is stuck depends on the process that
 * should accept it.
 */
static bool waits_for_accept(const struct conn *conn)
{
    enum { MOMENT_MS = 5000 };
    return conn->state == STATE_ESTABLISHED && conn_is_unheld(conn) && conn_has(conn, CONN_TCP_INFO) &&
        conn->last_data_sent_ms >= MOMENT_MS;
}

/*
 * True if a finding could name an owner. Without owners every rule still finds its stuck connections, some under
 * another id. The only exception is the rule about a process that runs out of descriptors; the source recognises that
 * case.
 */
static bool is_anything_stuck(const struct snapshot *snapshot, const void *data)
{
    const struct question *question = data;
    struct diagnosis diagnosis;
    diagnose(snapshot, question->selection, question->policy, &diagnosis);
    bool stuck = diagnosis.finding_count > 0 || diagnosis.wants_rates;
    for (size_t i = 0; i < snapshot->conn_count && !stuck; i++)
        stuck = diagnosis.causes[i] != 0 || waits_for_accept(&snapshot->conns[i]);
    diagnosis_deinit(&diagnosis);
    return stuck;
}

/* Reads the connections in these states (0: all). */
static int read_states(const struct inspect_options *options, const struct policy *policy, uint32_t states,
    struct snapshot *snapshot, struct error *err)
{
    const struct selection *selection = &options->selection;
    const struct question question = { selection, policy };
    struct source_options source = options->source;
    source.states = states;
    source.asked = states != 0 ? selection->states : 0;
    source.asks_holders = options->causes_only;
    /* The name may be a PID. The namespaces of processes become known by the walk for holders. */
    bool by_netns = selection->netns != NULL && !options->source.own_netns_only && strcmp(selection->netns, "all") != 0;
    uint64_t pid;
    if (by_netns)
        source.asked = 0;
    if (by_netns && text_parse_number(selection->netns, UINT32_MAX, &pid) == 0)
        source.netns_pid = (uint32_t)pid;
    if (options->owners_if_stuck && !by_netns && selection->pid_count == 0 && selection->name_count == 0) {
        source.needs_owners = is_anything_stuck;
        source.data = &question;
    }
    return source_read(&source, snapshot, err);
}

/* True if the selected connections alone do not give the answer that the whole host gives. */
static bool needs_all_states(
    const struct inspect_options *options, const struct policy *policy, const struct snapshot *snapshot)
{
    struct diagnosis diagnosis;
    diagnose(snapshot, &options->selection, policy, &diagnosis);
    bool needs = diagnosis.finding_count > 0 || diagnosis.ignored_count > 0 || diagnosis.selected_count == 0;
    diagnosis_deinit(&diagnosis);
    return needs;
}

/*
 * Reads only those parts of this host that the options need. A selection must not change what is said of the selected
 * connections: if they are stuck, all others are read too. Most often they are not.
 */
static int read_host(
    const struct inspect_options *options, const struct policy *policy, struct snapshot *snapshot, struct error *err)
{
    uint32_t states = diagnose_states(&options->selection, !options->causes_only);
    int result = read_states(options, policy, states, snapshot, err);
    if (result < 0 || states == 0 || options->causes_only || !needs_all_states(options, policy, snapshot))
        return result;
    snapshot_deinit(snapshot);
    snapshot_init(snapshot);
    return read_states(options, policy, 0, snapshot, err);
}

/* Makes the first snapshot the previous one and reads a second. */
static int read_again(const struct inspect_options *options, struct inspection *inspection, struct error *err)
{
    enum {
        ROUNDING_MS = 2
    }; /* times of snapshots are whole milliseconds; the interval must not be shorter than asked for */
    bool watched = isatty(STDERR_FILENO);
    if (watched) {
        struct buf wait = { 0 };
        text_duration(&wait, options->confirm_ms);
        fprintf(stderr, "tcpwhy: looked once; looking again in %s", buf_text(&wait));
        fflush(stderr);
        buf_deinit(&wait);
    }
    progress_begin("waiting to look again (--confirm)", NULL);
    clock_sleep_ms(options->confirm_ms + ROUNDING_MS);
    if (watched)
        fputs("\r\033[K", stderr); /* the note is removed from the terminal */
    inspection->previous = inspection->snapshot;
    snapshot_init(&inspection->snapshot);
    return read_host(options, &inspection->policy, &inspection->snapshot, err);
}

/* Reads the counters again for a rule that needs their rates. A short time shows whether a counter rises. */
static void measure_rates(const struct inspect_options *options, struct inspection *inspection)
{
    enum { MOMENT_MS = 250 };
    diagnosis_deinit(&inspection->diagnosis);
    clock_sleep_ms(MOMENT_MS);
    source_read_counters(&inspection->snapshot, &inspection->previous);
    inspection->snapshot.previous = &inspection->previous;
    diagnose(&inspection->snapshot, &options->selection, &inspection->policy, &inspection->diagnosis);
}

/* Refuses options that make no sense with a capture. */
static int check_from(const struct inspect_options *options, struct error *err)
{
    if (options->from_count == 0)
        return options->tasks == NULL
            ? 0
            : error_set(err, -EINVAL, "--tasks", "names the PIDs of a capture; give that with --from");
    if (options->from_count > 1 && options->tasks != NULL)
        return error_set(err, -EINVAL, "--tasks", "names the PIDs of one capture, and --from gives several");
    unsigned from_stdin = 0;
    for (unsigned i = 0; i < options->from_count; i++)
        from_stdin += strcmp(options->from[i], "-") == 0;
    if (from_stdin > 1)
        return error_set(err, -EINVAL, "--from", "standard input can be read once only");
    if (options->confirm_ms > 0)
        return error_set(
            err, -EINVAL, "--confirm", "looks at this host twice; a capture, given with --from, does not change");
    if (options->names_source)
        return error_set(err, -EINVAL, "--source", "is about this host; with --from the capture is the source");
    return 0;
}

/* Joins several captures into one snapshot. Each is of another host. The previous snapshots in them are not used. */
static int read_hosts(const struct inspect_options *options, struct snapshot *snapshot, struct error *err)
{
    struct snapshot parts[INSPECT_FROM_MAX];
    unsigned count = options->from_count;
    int result = 0;
    for (unsigned i = 0; i < count; i++)
        snapshot_init(&parts[i]);
    for (unsigned i = 0; i < count && result == 0; i++) {
        const struct capture_options capture = {
            .path = options->from[i], .state_names = options->state_names, .state_name_count = options->state_name_count
        };
        result = capture_read(&capture, &parts[i], err);
        if (result == 0 && parts[i].counts_only)
            result = error_set(err, -ENODATA, options->from[i],
                "has numbers only, no connection, and cannot be put together with other captures");
    }
    if (result == 0)
        result = hosts_join(parts, options->from, count, snapshot, err);
    for (unsigned i = 0; i < count; i++)
        snapshot_deinit(&parts[i]);
    return result;
}

/* Refuses what counts of connections by state cannot answer. */
static int check_counts(const struct inspect_options *options, const struct snapshot *snapshot, struct error *err)
{
    static const char ask[] = "the rows are needed: ss -tanpiemo on Linux, netstat -ano on Windows";
    struct selection rest = options->selection;
    rest.states = 0;
    if (!snapshot->counts_only)
        return 0;
    if (options->needs_rows)
        return error_set(err, -ENODATA, options->from[0],
            "has numbers only, no connection; 'tcpwhy --from' tells what they mean. For single ones %s", ask);
    if (!selection_is_empty(&rest))
        return error_set(err, -ENODATA, options->from[0],
            "has numbers of connections by state, which can be selected by --state only; for anything else %s", ask);
    return 0;
}

/* Reads this host, or the captures that --from names. */
static int read_snapshot(const struct inspect_options *options, struct inspection *inspection, struct error *err)
{
    if (options->from_count == 0)
        return read_host(options, &inspection->policy, &inspection->snapshot, err);
    if (options->from_count > 1)
        return read_hosts(options, &inspection->snapshot, err);
    const struct capture_options capture = { .path = options->from[0],
        .tasks = options->tasks,
        .state_names = options->state_names,
        .state_name_count = options->state_name_count,
        .previous = &inspection->previous };
    return capture_read(&capture, &inspection->snapshot, err);
}

static int read_and_diagnose(const struct inspect_options *options, const struct inspection *previous,
    struct inspection *inspection, struct error *err)
{
    int result = read_snapshot(options, inspection, err);
    if (result == 0)
        result = check_counts(options, &inspection->snapshot, err);
    if (result == 0)
        result = cmd_check_netns(&options->selection, &inspection->snapshot, err);
    bool confirm = options->confirm_ms > 0;
    if (result == 0 && confirm && previous == NULL)
        result = read_again(options, inspection, err);
    if (result < 0)
        return result;

    const struct snapshot *previous_snapshot = previous ? &previous->snapshot : &inspection->previous;
    if (confirm)
        snapshot_confirm(&inspection->snapshot, previous_snapshot);
    else if (previous != NULL)
        inspection->snapshot.previous = previous_snapshot;
    if (options->recall != NULL && options->from_count == 0)
        options->recall(&inspection->snapshot, options->recall_data);
    progress_set_connections(inspection->snapshot.conn_count);
    progress_begin("working out the causes", NULL);
    diagnose(&inspection->snapshot, &options->selection, &inspection->policy, &inspection->diagnosis);
    if (inspection->diagnosis.wants_rates && inspection->snapshot.previous == NULL && options->from_count == 0)
        measure_rates(options, inspection);
    return 0;
}

bool cmd_config_finding(unsigned index, struct config_finding *ret_finding)
{
    const char *id = diagnose_finding_id(index);
    if (id == NULL)
        return false;
    *ret_finding = (struct config_finding){
        .id = id, .defaults = diagnose_finding_limits(index), .limits = diagnose_finding_settable(index)
    };
    return true;
}

struct limits cmd_limits(const struct policy *policy, const char *finding)
{
    struct limits limits = { 0 };
    struct config_finding found;
    for (unsigned i = 0; cmd_config_finding(i, &found); i++) {
        if (strcmp(found.id, finding) == 0)
            limits = *found.defaults;
    }
    limits.severity_at_most = SEVERITY_CRITICAL;
    policy_apply(&policy->settings, finding, &limits);
    return limits;
}

int cmd_read_config(const char *file, struct policy *policy, struct error *err)
{
    struct config_finding known[FINDINGS_MAX];
    struct config_findings findings = { .items = known };
    while (findings.count < FINDINGS_MAX && cmd_config_finding((unsigned)findings.count, &known[findings.count]))
        findings.count++;
    return config_read(file, &findings, policy, err);
}

static void confine(const struct inspect_options *options)
{
    const struct confinement confinement = { .paths = options->from,
        .count = options->from_count,
        .tasks = options->tasks,
        .output = options->output,
        .link = options->output_link };
    cmd_confine(&confinement);
}

int cmd_try_inspect(const struct inspect_options *options, const struct inspection *previous,
    struct inspection *ret_inspection, struct error *err)
{
    int result = cmd_check_causes(&options->selection, err);
    if (result < 0)
        return result;
    *ret_inspection = (struct inspection){ 0 };
    snapshot_init(&ret_inspection->snapshot);
    snapshot_init(&ret_inspection->previous);
    policy_init(&ret_inspection->policy);
    result = cmd_read_config(options->config, &ret_inspection->policy, err);
    if (result == 0)
        result = check_from(options, err);
    if (result == 0 && options->from_count > 0)
        confine(options);
    if (result == 0)
        result = read_and_diagnose(options, previous, ret_inspection, err);
    if (options->from_count == 0 && !options->reads_again)
        (void)privileges_drop(PRIVILEGES_FOR_FILES); /* fails where a filter of system calls forbids it */
    if (result < 0) {
        policy_deinit(&ret_inspection->policy);
        snapshot_deinit(&ret_inspection->snapshot);
        snapshot_deinit(&ret_inspection->previous);
    }
    return result;
}

int cmd_inspect(const struct command *command, const struct inspect_options *options, const struct inspection *previous,
    struct inspection *ret_inspection)
{
    struct error err = { 0 };
    struct deadline deadline;
    int result = cmd_begin_deadline(command, options, &deadline, &err);
    if (result == 0)
        result = cmd_try_inspect(options, previous, ret_inspection, &err);
    deadline_answer(&deadline);
    return result < 0 ? cmd_fail(command, &err) : STATUS_HEALTHY;
}

void inspection_deinit(struct inspection *inspection)
{
    diagnosis_deinit(&inspection->diagnosis);
    snapshot_deinit(&inspection->snapshot);
    snapshot_deinit(&inspection->previous);
    policy_deinit(&inspection->policy);
}

void inspection_forget_previous(struct inspection *inspection)
{
    inspection->snapshot.previous = NULL;
    inspection->snapshot.confirms = false;
}

void cmd_note_gaps(const struct command *command, const struct snapshot *snapshot)
{
    struct buf line = { 0 };
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        const struct gap *gap = &snapshot->gaps[i];
        buf_clear(&line);
        text_escape(&line, gap->text);
        if (gap->remedy != NULL && *gap->remedy != '\0') {
            buf_str(&line, " (");
            text_escape(&line, gap->remedy);
            buf_char(&line, ')');
        }
        fprintf(stderr, "tcpwhy %s: not seen: %s\n", command->name, buf_text(&line));
    }
    buf_deinit(&line);
}

void cmd_note_unread_input(const struct command *command, const struct inspect_options *options)
{
    struct stat input;
    int waiting = 0;
    if (options->from_count > 0 || fstat(STDIN_FILENO, &input) < 0)
        return;
    bool is_unread = S_ISREG(input.st_mode)
        ? input.st_size > lseek(STDIN_FILENO, 0, SEEK_CUR)
        : S_ISFIFO(input.st_mode) && ioctl(STDIN_FILENO, FIONREAD, &waiting) == 0 && waiting > 0;
    if (is_unread)
        fprintf(stderr,
            "tcpwhy %s: this is about the host itself: standard input is not read; '-' or --from - reads it\n",
            command->name);
}

void cmd_describe_causes(struct buf *out)
{
    enum { WIDTH = 79, INDENT = 2 };
    struct buf list = { 0 };
    buf_str(&list, "Causes: normal");
    const char *id;
    for (unsigned i = 0; (id = diagnose_finding_id(i)) != NULL; i++)
        buf_printf(&list, ", %s", id);
    buf_char(out, '\n');
    text_wrap(out, buf_text(&list), INDENT, WIDTH);
    buf_char(out, '\n');
    buf_deinit(&list);
}
