#include "source/capture/capture_gaps.h"

#include <errno.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/text.h"

static void count_lines(struct buf *out, uint64_t number, const char *what)
{
    text_count(out, number);
    buf_printf(out, " %s%s", what, number == 1 ? "" : "s");
}

/* "counts by state: 9 lines, settings: 2 lines": the lines with numbers. */
static void count_numbers(struct buf *out, const struct numbers *numbers, const char *before)
{
    const struct {
        const char *title;
        uint64_t lines;
    } parts[] = {
        { "counts by state", numbers->state_lines },
        { "summaries", numbers->summary_lines },
        { "counters", numbers->counter_lines },
        { "settings", numbers->setting_lines },
        { "descriptors", numbers->descriptor_lines },
        { "log", numbers->log_lines },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].lines == 0)
            continue;
        buf_printf(out, "%s%s: ", before, parts[i].title);
        count_lines(out, parts[i].lines, "line");
        before = ", ";
    }
}

/* "ss: 4,312 rows, 12 other lines" */
static void set_origin(struct capture *capture, const char *path)
{
    struct buf text = { 0 };
    const uint64_t *kinds = capture->kinds;
    const struct numbers *numbers = &capture->numbers;
    uint64_t other = kinds[LINE_OTHER] + kinds[LINE_HEADING];
    if (capture->format->is_counts) {
        count_numbers(&text, numbers, "");
    } else {
        buf_printf(&text, "%s: ", capture->format->title);
        count_lines(&text, kinds[LINE_ROW], "row");
        if (capture->joined.length > 2)
            buf_printf(&text, ", %.*s", (int)capture->joined.length - 2, buf_text(&capture->joined));
        struct numbers beside = *numbers;
        beside.state_lines = 0; /* the rows are counted already */
        count_numbers(&text, &beside, ", ");
        uint64_t read = numbers->summary_lines + numbers->counter_lines + numbers->setting_lines + numbers->log_lines +
            numbers->descriptor_lines;
        other -= other < read ? other : read;
    }
    if (kinds[LINE_FOREIGN] > 0) {
        buf_str(&text, ", ");
        count_lines(&text, kinds[LINE_FOREIGN], "row");
        buf_str(&text, " of other protocols");
    }
    if (other > 0) {
        buf_str(&text, ", ");
        count_lines(&text, other, "other line");
    }
    capture->snapshot->origin = arena_strdup(&capture->snapshot->arena, buf_text(&text));
    capture->snapshot->from = arena_strdup(&capture->snapshot->arena, path);
    buf_deinit(&text);
}

void capture_report_lines(struct capture *capture)
{
    const struct first_line *first = &capture->first_malformed;
    uint64_t malformed = capture->kinds[LINE_MALFORMED] + capture->kinds[LINE_PART];
    if (malformed == 0)
        return;
    struct buf text = { 0 };
    buf_str(&text, "read ");
    count_lines(&text, capture->kinds[LINE_ROW], "row");
    buf_str(&text, ", ");
    count_lines(&text, malformed, "line");
    buf_printf(&text, " not understood: %s line %llu, \"", malformed == 1 ? "at" : "first at",
        (unsigned long long)first->number);
    text_escape(&text, first->text);
    buf_str(&text, "\"");
    snapshot_note_gap(capture->snapshot, GAP_LINES_NOT_UNDERSTOOD, buf_text(&text),
        capture->format->is_snapshot
            ? "ask for the file as it was saved"
            : "send the output to a file and that file as it is: terminals, mails and chats cut and wrap lines");
    buf_deinit(&text);
}

/* "state 'LETZTE_ACK' is not known (160 rows)" */
static void add_unknown_states(struct capture *capture)
{
    const struct unknown_states *unknown = &capture->unknown_states;
    struct buf text = { 0 }, remedy = { 0 };
    if (unknown->count == 0)
        return;
    for (unsigned i = 0; i < unknown->count; i++) {
        buf_str(&text, i > 0 ? ", state '" : "state '");
        text_escape(&text, unknown->items[i].text);
        buf_str(&text, "' is not known (");
        count_lines(&text, unknown->items[i].rows, "row");
        buf_char(&text, ')');
    }
    if (unknown->other_rows > 0) {
        buf_str(&text, ", nor are those of ");
        count_lines(&text, unknown->other_rows, "other row");
    }
    buf_str(&text, ": these rows are counted, but not judged");
    buf_str(&remedy, "say what the word means, for example --state-name ");
    text_escape(&remedy, unknown->items[0].text);
    buf_str(&remedy, "=LAST_ACK");
    snapshot_note_gap(capture->snapshot, GAP_STATES_UNKNOWN, buf_text(&text), buf_text(&remedy));
    buf_deinit(&text);
    buf_deinit(&remedy);
}

static void add_several_snapshots(struct capture *capture)
{
    if (capture->snapshot_count < 2)
        return;
    struct buf text = { 0 };
    buf_str(&text, "the text holds ");
    count_lines(&text, (uint64_t)capture->snapshot_count, "look");
    buf_str(&text, " one after the other; only one is looked at here, the last that is whole, ");
    count_lines(&text, capture->snapshot->conn_count, "row");
    if (capture->repeats.filled > 0) {
        buf_str(&text, "; what only the others show was added to ");
        text_count(&text, capture->repeats.filled);
        buf_str(&text, " of them");
    }
    snapshot_note_gap(capture->snapshot, GAP_SEVERAL_LOOKS, buf_text(&text), NULL);
    buf_deinit(&text);
}

/* Notes that the text itself says that rows are missing. */
static void add_rows_left_out(struct capture *capture)
{
    const struct snapshot *snapshot = capture->snapshot;
    const struct left_out *left_out = &capture->left_out;
    uint64_t rows = capture->kinds[LINE_ROW];
    struct buf text = { 0 };
    if (left_out->marks > 0) {
        buf_str(&text, "the text is shortened (\"");
        text_escape(&text, left_out->first);
        buf_printf(&text, "\" at line %" PRIu64, left_out->line);
        if (left_out->marks > 1) {
            buf_str(&text, ", and ");
            count_lines(&text, left_out->marks - 1, "more line");
        }
        buf_str(&text, ")");
    } else if (left_out->rows_max > 0 && rows + 2 >= left_out->rows_max) {
        buf_str(&text, "the command let only ");
        count_lines(&text, left_out->rows_max, "line");
        buf_str(&text, " through");
    }
    if (buf_text(&text)[0] != '\0')
        buf_str(&text, ": there are at least so many connections as its rows show");
    for (size_t i = 0; i < snapshot->total_count && !snapshot->counts_only; i++) {
        buf_str(&text, buf_text(&text)[0] == '\0' ? "the rows are an excerpt: " : "; ");
        buf_str(&text, "the text counts ");
        text_count(&text, snapshot->totals[i].count);
        buf_printf(&text, " in %s", state_name((enum conn_state)snapshot->totals[i].state));
    }
    if (rows > 0 && buf_text(&text)[0] != '\0')
        snapshot_note_gap(capture->snapshot, GAP_ROWS_LEFT_OUT, buf_text(&text), NULL);
    buf_deinit(&text);
}

/* Notes that the text has rows of a second program. */
static void add_other_format(struct capture *capture)
{
    const uint64_t *kinds = capture->kinds;
    uint64_t rest = kinds[LINE_OTHER] + kinds[LINE_PART] + kinds[LINE_MALFORMED];
    if (capture->other_format == NULL || capture->other_rows < 2 || rest < capture->other_rows)
        return;
    struct buf text = { 0 };
    buf_printf(&text, "the text also holds rows that look like %s: they were not read", capture->other_format->title);
    snapshot_note_gap(capture->snapshot, GAP_ANOTHER_FORMAT, buf_text(&text), NULL);
    buf_deinit(&text);
}

static void add_long_rows(struct capture *capture)
{
    if (capture->too_long == 0)
        return;
    struct buf text = { 0 };
    buf_str(&text, "the ends of ");
    count_lines(&text, capture->too_long, "row");
    buf_printf(&text, " were not read: they are longer than %u bytes", LINE_MAX);
    snapshot_note_gap(capture->snapshot, GAP_ROWS_TOO_LONG, buf_text(&text), NULL);
    buf_deinit(&text);
}

/* Notes that words stand in the place of addresses or ports. */
static void add_names(struct capture *capture)
{
    const struct word_ends *words = &capture->word_ends;
    if (words->rows == 0)
        return;
    struct buf text = { 0 };
    buf_str(&text, "in ");
    count_lines(&text, words->rows, "row");
    buf_str(&text, " words stand where numbers belong (");
    const struct {
        const char *what;
        uint64_t count;
    } parts[] = { { "local address", words->local }, { "remote address", words->remote },
        { "name of a known service in the place of its port", words->services },
        { "port that is no known service", words->ports } };
    const char *comma = "";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].count == 0)
            continue;
        buf_printf(&text, "%s%s in ", comma, parts[i].what);
        text_count(&text, parts[i].count);
        comma = ", ";
    }
    buf_str(&text, "), first \"");
    text_escape(&text, words->first);
    buf_str(&text,
        words->redacted > 0 ? "\": which addresses they stand for, and which of them are the same, is not known"
                            : "\": which addresses the names stand for is not known");
    snapshot_note_gap(capture->snapshot, GAP_NAMES_FOR_ADDRESSES, buf_text(&text),
        words->redacted > 0
            ? "tcpwhy capture --redact hides addresses and keeps which of them are the same; else ask for numbers (-n)"
            : NULL);
    buf_deinit(&text);
}

static void add_cut_addresses(struct capture *capture)
{
    if (capture->cut == 0)
        return;
    struct buf text = { 0 };
    buf_str(&text, "in ");
    count_lines(&text, capture->cut, "row");
    buf_str(&text, " an IPv6 address is cut: only its beginning is known, and peers may be taken for one another");
    snapshot_note_gap(capture->snapshot, GAP_ADDRESSES_CUT, buf_text(&text), NULL);
    buf_deinit(&text);
}

/* --- what the capture does not show ------------------------------------------------------------------------------- */

enum evidence { OWNERS = 1 << 0, QUEUES = 1 << 1, TIMERS = 1 << 2, AGES = 1 << 3 };

/* What to ask for, for each system. */
static const struct {
    const char *os; /* NULL: any other */
    const char *owners, *rest;
} asks[] = {
    { "linux", "ask for: ss -tanpiemo, as root", "ask for: ss -tanpiemo, as root" },
    { "windows", "ask for: netstat -anob from an elevated prompt; or Get-NetTCPConnection, and tasklist for --tasks",
        "netstat -anoi (newer Windows) shows the ages; no command shows the rest. Take the capture again a minute "
        "later: what stands in both is stuck" },
    { "macos", "ask for: sudo lsof -nP -iTCP -Tqs; or netstat -anv -p tcp",
        "take the capture again a minute later: what stands in both is stuck" },
    { "solaris", "ask for: netstat -anu -f inet -f inet6 -P tcp",
        "take the capture again a minute later: what stands in both is stuck" },
    { "aix",
        "for each address of the first column (netstat -Aan): rmsock ADDRESS tcpcb names the process that holds it, "
        "and ends at once what no process holds",
        "take the capture again a minute later: what stands in both is stuck" },
    { NULL, "ask for: lsof -nP -iTCP -Tqs, as root",
        "take the capture again a minute later: what stands in both is stuck" },
};

static unsigned evidence_of(const struct capture *capture)
{
    return (capture->snapshot->holder_count > 0 ? OWNERS : 0) | ((capture->present & CONN_QUEUES) != 0 ? QUEUES : 0) |
        ((capture->present & CONN_TIMER) != 0 ? TIMERS : 0) |
        ((capture->present & (CONN_TCP_INFO | CONN_SHOWN_AGE)) != 0 ? AGES : 0);
}

static void add_missing_evidence(const struct capture *capture)
{
    static const struct {
        enum evidence evidence;
        const char *what, *why;
    } parts[] = {
        { OWNERS, "owners", "who has to act" },
        { QUEUES, "queues", "whether data or an end of stream waits unread" },
        { TIMERS, "timers", "whether anybody answers" },
        { AGES, "ages", "how long a connection has been stuck" },
    };
    struct snapshot *snapshot = capture->snapshot;
    unsigned found = evidence_of(capture), missing = 0;
    struct buf what = { 0 }, why = { 0 };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if ((found & parts[i].evidence) != 0)
            continue;
        buf_printf(&what, "%s%s", missing > 0 ? ", no " : "no ", parts[i].what);
        buf_printf(&why, "%s%s", missing > 0 ? ", " : "", parts[i].why);
        missing |= parts[i].evidence;
    }
    size_t at = 0;
    while (asks[at].os != NULL && (snapshot->os == NULL || strcmp(asks[at].os, snapshot->os) != 0))
        at++;
    if (missing != 0 && snapshot->conn_count > 0) {
        buf_printf(&what, " in this capture: it cannot tell %s", buf_text(&why));
        bool ask_owners = (missing & OWNERS) != 0 && !capture->format->is_of_any_system;
        snapshot_note_gap(snapshot, GAP_NOT_IN_CAPTURE, buf_text(&what), ask_owners ? asks[at].owners : asks[at].rest);
    }
    buf_deinit(&what);
    buf_deinit(&why);
}

/* Notes that the text has only numbers. */
static void add_counts_only(struct snapshot *snapshot)
{
    size_t at = 0;
    while (asks[at].os != NULL && (snapshot->os == NULL || strcmp(asks[at].os, snapshot->os) != 0))
        at++;
    if (snapshot->counts_only)
        snapshot_note_gap(snapshot, GAP_COUNTS_ONLY,
            "the connections themselves: these are numbers only, and do not tell who holds the connections, to whom "
            "they go, on which ports, and how long they have been there",
            asks[at].owners);
}

/* Notes that processes have no names, and how to add them. */
static void add_unnamed(const struct capture *capture)
{
    struct snapshot *snapshot = capture->snapshot;
    size_t unnamed = 0;
    for (size_t i = 0; i < snapshot->process_count; i++)
        unnamed += snapshot->processes[i].name == NULL && !process_has_ended(&snapshot->processes[i]);
    if (unnamed == 0)
        return;
    struct buf text = { 0 };
    if (capture->task_list.count > 0)
        buf_printf(&text,
            "%zu of %zu processes are not in the list of processes: it is no whole one, or of another moment", unnamed,
            snapshot->process_count);
    else if (unnamed == snapshot->process_count)
        buf_str(&text, "the processes are numbers only: their names are not in this capture");
    else
        buf_printf(
            &text, "the names of %zu of %zu processes are not in this capture", unnamed, snapshot->process_count);
    bool is_windows = snapshot->os != NULL && strcmp(snapshot->os, "windows") == 0;
    snapshot_note_gap(snapshot, GAP_PROCESSES_UNNAMED, buf_text(&text),
        capture->task_list.count > 0 ? "give the list without a filter, taken at the moment of the connections"
            : is_windows             ? NULL
                                     : "ask for the output of: ps -eo pid,user,args, of the same moment");
    buf_deinit(&text);
}

/* Refuses a text of which most rows are damaged. A diagnosis of the rest would mislead. */
static int refuse_lost(const struct capture *capture, const char *path, struct error *err)
{
    const uint64_t *kinds = capture->kinds;
    uint64_t lost = kinds[LINE_MALFORMED];
    if (lost <= kinds[LINE_ROW])
        return 0;
    const struct first_line *first = &capture->first_malformed;
    struct buf text = { 0 }, line = { 0 };
    count_lines(&text, lost + kinds[LINE_ROW], "row");
    text_escape(&line, first->text);
    int result = error_set(err, -EBADMSG, path,
        "is %s with %s, of which %" PRIu64 " cannot be read, first at line %" PRIu64 ", \"%s\"; %s",
        capture->format->title, buf_text(&text), lost, first->number, buf_text(&line),
        "send the output to a file, without a filter, and that file as it is");
    buf_deinit(&text);
    buf_deinit(&line);
    return result;
}

/*
 * Refuses a text that has a heading and no row below it, or rows of other protocols only. Nothing was looked at: that
 * is not the same as nothing wrong.
 */
static int refuse_empty(const struct capture *capture, const char *path, struct error *err)
{
    if (capture->snapshot->conn_count > 0 || capture->format->is_counts)
        return 0;
    const char *title = capture->format->title;
    if (capture->kinds[LINE_ROW] > 0)
        return error_set(err, -EBADMSG, path,
            "is %s, and no row of it tells the state of a socket; ask for ss -tanpiemo, as root", title);
    return error_set(err, -EBADMSG, path,
        "%s %s: nothing was looked at, which does not mean that nothing is wrong. A filter (state, port, grep, "
        "findstr) may have let nothing through; ask for the whole output, in a file",
        capture->kinds[LINE_FOREIGN] > 0 ? "has rows of other protocols, and none of TCP, in" : "has no row below",
        capture->kinds[LINE_FOREIGN] > 0 ? title : arena_printf(&capture->snapshot->arena, "the heading of %s", title));
}

int capture_report(struct capture *capture, const char *path, struct error *err)
{
    int result = refuse_lost(capture, path, err);
    if (result == 0)
        result = refuse_empty(capture, path, err);
    if (result < 0)
        return result;
    set_origin(capture, path);
    capture_report_lines(capture);
    add_other_format(capture);
    add_long_rows(capture);
    add_unknown_states(capture);
    add_several_snapshots(capture);
    add_rows_left_out(capture);
    add_names(capture);
    add_cut_addresses(capture);
    add_unnamed(capture);
    add_missing_evidence(capture);
    add_counts_only(capture->snapshot);
    return 0;
}
