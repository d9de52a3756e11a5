#include "cmd/look.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "diagnose/diagnose.h"

/* A misspelt id would silently select nothing: every pattern has to fit some cause that exists. */
static int check_cause(const char *pattern, struct error *err)
{
    struct selection one = { .causes = { pattern }, .cause_count = 1 };
    if (selection_matches_cause(&one, "normal"))
        return 0;
    char word[SELECT_WORD_MAX];
    selection_word(pattern, word);
    const char *nearest = "normal";
    unsigned best = text_distance("normal", word);
    const char *id;
    for (unsigned i = 0; (id = diagnose_finding_id(i)) != NULL; i++) {
        if (selection_matches_cause(&one, id))
            return 0;
        unsigned distance = text_distance(id, word);
        if (distance < best) {
            best = distance;
            nearest = id;
        }
    }
    return error_set(err, -EINVAL, "--cause", "'%s' is no cause; did you mean '%s'?", word, nearest);
}

static int check_netns(const struct selection *selection, const struct snapshot *snapshot, struct error *err)
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

int cmd_look(const struct command *command, const struct look_options *options, struct snapshot *ret_snapshot,
    struct diagnosis *ret_diagnosis)
{
    struct error err = { 0 };
    for (unsigned i = 0; i < options->selection.cause_count; i++) {
        if (check_cause(options->selection.causes[i], &err) < 0)
            return cmd_fail(command, &err);
    }

    snapshot_init(ret_snapshot);
    int result = source_read(&options->source, ret_snapshot, &err);
    if (result == 0)
        result = check_netns(&options->selection, ret_snapshot, &err);
    if (result == 0) {
        result = diagnose(ret_snapshot, &options->selection, ret_diagnosis);
        if (result < 0)
            error_set(&err, result, NULL, "the connections cannot be diagnosed: %s", strerror(-result));
    }
    if (result < 0) {
        snapshot_deinit(ret_snapshot);
        return cmd_fail(command, &err);
    }
    return STATUS_HEALTHY;
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
