#include "source/capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "source/capture/input/charset.h"
#include "source/capture/format.h"
#include "source/capture/formats/numbers.h"
#include "source/capture/capture_gaps.h"
#include "source/capture/formats/tasks.h"
#include "source/capture/input/open.h"
#include "source/capture/other_tables.h"
#include "source/capture/refuse.h"

/* The formats that fit the beginning of a text. */
struct recognised {
    const struct format *format, *runner_up; /* NULL: none */
    unsigned score, runner_up_score;
};

/* Finds the format that understands most of the text. */
static struct recognised recognise(const char *bytes, size_t length, bool repairs)
{
    struct recognised found = { 0 };
    for (const struct format *format = formats; format->id != NULL; format++) {
        /* rows tell more than numbers, and are recognised faster */
        if (format->is_counts && found.score >= SURE_OF_NUMBERS)
            continue;
        unsigned score = format->recognise(format, bytes, length, repairs);
        if (score > found.score) {
            found.runner_up = found.format;
            found.runner_up_score = found.score;
            found.format = format;
            found.score = score;
        } else if (score > found.runner_up_score) {
            found.runner_up = format;
            found.runner_up_score = score;
        }
    }
    return found;
}

/* Examines the first 64 KiB. If they contain nearly nothing, it examines more: a log may come before the rows. */
static int recognise_input(struct input *input, struct recognised *ret_found, size_t *ret_length)
{
    enum { MOST = 4 * 1024 * 1024, NEXT_TO_NOTHING = 3 * ROW_WEIGHT };
    for (size_t most = INPUT_PEEK;; most *= 8) {
        ssize_t filled = input_fill(input, most);
        if (filled < 0)
            return (int)filled;
        *ret_length = (size_t)filled < most ? (size_t)filled : most;
        *ret_found = recognise(input_bytes(input), *ret_length, false);
        if (ret_found->score < NEXT_TO_NOTHING)
            *ret_found = recognise(input_bytes(input), *ret_length, true);
        if (ret_found->score >= NEXT_TO_NOTHING || (size_t)filled < most || most >= MOST)
            return 0;
    }
}

static int parse_snapshot(const struct capture_options *options, struct capture *capture, struct error *err)
{
    if (options->tasks != NULL)
        return error_set(err, -EINVAL, "--tasks", "names the PIDs of a text; %s names them itself", options->path);
    int result = capture->format->parse(capture->format, capture, err);
    if (result < 0)
        snprintf(err->subject, sizeof err->subject, "%s", options->path);
    else
        capture_report_lines(capture);
    capture->snapshot->from = arena_strdup(&capture->snapshot->arena, options->path);
    return result;
}

/*
 * Beside rows, the count of a state is used only if it is much larger than the number of its rows: then the rows are an
 * excerpt. Of several counts of a state, the largest is used.
 */
static void keep_larger_totals(struct snapshot *snapshot)
{
    enum { TIMES = 2, MORE = 10 };
    uint64_t rows[STATE_COUNT] = { 0 }, counted[STATE_COUNT] = { 0 };
    for (size_t i = 0; i < snapshot->conn_count; i++)
        rows[snapshot->conns[i].state]++;
    for (size_t i = 0; i < snapshot->total_count; i++) {
        const struct total *total = &snapshot->totals[i];
        if (total->process == NO_INDEX && total->key == NULL && counted[total->state] < total->count)
            counted[total->state] = total->count;
    }
    snapshot->total_count = 0;
    for (int state = 0; state < STATE_COUNT; state++) {
        if (rows[state] == 0 || state == STATE_LISTEN || counted[state] < rows[state] * TIMES + MORE)
            continue;
        *snapshot_add_total(
            snapshot) = (struct total){ .count = counted[state], .state = (uint8_t)state, .process = NO_INDEX };
    }
}

static int parse_text(const struct capture_options *options, struct capture *capture, struct error *err)
{
    struct snapshot *snapshot = capture->snapshot;
    struct netns *netns = snapshot_add_netns(snapshot);
    *netns = (struct netns){ .name = "host", .is_own = true };
    int result = capture->format->parse(capture->format, capture, err);
    if (result < 0)
        return error_set(err, result, options->path, "cannot be read to its end: %s", input_failure(result));
    numbers_settle(capture);
    snapshot->counts_only = capture->format->is_counts;
    capture->snapshot_count += repeats_keep_best(&capture->repeats, snapshot, capture->input->ends_in_line);
    if (!snapshot->counts_only)
        keep_larger_totals(snapshot);
    result = other_tables_read(capture);
    if (result < 0)
        return error_set(err, result, options->path, "not enough memory");
    snapshot->os = capture->os;
    snapshot->source = capture->format->id;
    if (options->tasks != NULL)
        result = tasks_read(options->tasks, capture, err);
    moments_settle(capture);
    ended_settle(capture);
    descriptors_settle(capture);
    if (result == 0)
        result = capture_report(capture, options->path, err);
    return result;
}

int capture_read_input(
    const struct capture_options *options, struct input *input, struct snapshot *snapshot, struct error *err)
{
    struct recognised found = { 0 };
    size_t length = 0;
    int result = recognise_input(input, &found, &length);
    if (result < 0)
        return error_set(err, result, options->path, "cannot be read: %s", input_failure(result));
    const struct format *format = found.format;
    if (format == NULL)
        return capture_refuse(options->path, input_bytes(input), length, err);
    struct capture capture = { .snapshot = snapshot,
        .previous = options->previous,
        .format = format,
        .input = input,
        .path = options->path,
        .state_names = options->state_names,
        .state_name_count = options->state_name_count,
        .os = format->os,
        .keeps_leftovers = !format->is_counts,
        .repairs = true };
    capture.charset = charset_detect(input_bytes(input), length);
    capture.other_format = found.runner_up;
    capture.other_rows = found.runner_up_score / ROW_WEIGHT;
    result = (format->is_snapshot ? parse_snapshot : parse_text)(options, &capture, err);
    capture_deinit(&capture);
    return result;
}

void capture_open_early(const struct capture_options *options)
{
    input_open_early(options->path);
    if (options->tasks != NULL)
        input_open_early(options->tasks);
}

int capture_read(const struct capture_options *options, struct snapshot *snapshot, struct error *err)
{
    uint64_t started_us = clock_monotonic_us();
    struct input input;
    int result = input_open(&input, options->path, err);
    if (result < 0)
        return result;
    snapshot->taken_at_ms = input.modified_ms != 0 ? input.modified_ms : clock_real_ms();
    result = capture_read_input(options, &input, snapshot, err);
    input_close(&input);
    if (snapshot->elapsed_us == 0) /* a saved snapshot knows how long reading took on its host */
        snapshot->elapsed_us = (uint32_t)(clock_monotonic_us() - started_us);
    return result;
}
