#include "source/capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "source/capture/charset.h"
#include "source/capture/format.h"
#include "source/capture/report.h"
#include "source/capture/tasks.h"

static uint64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The format that knows most of the beginning, or NULL. */
static const struct format *recognise(const char *bytes, size_t length)
{
    const struct format *best = NULL;
    unsigned best_score = 0;
    for (const struct format *format = formats; format->id != NULL; format++) {
        unsigned score = format->recognise(format, bytes, length);
        if (score > best_score) {
            best = format;
            best_score = score;
        }
    }
    return best;
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

static int parse_text(const struct capture_options *options, struct capture *capture, struct error *err)
{
    struct snapshot *snapshot = capture->snapshot;
    struct netns *netns = snapshot_add_netns(snapshot);
    if (netns == NULL)
        return error_set(err, -ENOMEM, options->path, "not enough memory");
    *netns = (struct netns){ .name = "host", .is_own = true };
    int result = capture->format->parse(capture->format, capture, err);
    if (result < 0)
        return error_set(err, result, options->path, "cannot be read to its end: %s", input_failure(result));
    capture->look_count = looks_keep_last(&capture->looks, snapshot);
    if (capture->look_count < 0)
        return error_set(err, capture->look_count, options->path, "not enough memory");
    snapshot->os = capture->os;
    snapshot->source = capture->format->id;
    if (options->tasks != NULL)
        result = tasks_read(options->tasks, capture, err);
    if (result == 0)
        capture_report(capture, options->path);
    return result;
}

int capture_read_input(
    const struct capture_options *options, struct input *input, struct snapshot *snapshot, struct error *err)
{
    ssize_t filled = input_fill(input, INPUT_PEEK);
    if (filled < 0)
        return error_set(err, (int)filled, options->path, "cannot be read: %s", input_failure((int)filled));
    size_t length = filled < INPUT_PEEK ? (size_t)filled : INPUT_PEEK;
    const struct format *format = recognise(input_bytes(input), length);
    if (format == NULL)
        return capture_refuse(options->path, input_bytes(input), length, err);
    struct capture capture = { .snapshot = snapshot,
        .earlier = options->earlier,
        .format = format,
        .input = input,
        .path = options->path,
        .os = format->os };
    capture.charset = charset_detect(input_bytes(input), length);
    int result = (format->is_snapshot ? parse_snapshot : parse_text)(options, &capture, err);
    capture_deinit(&capture);
    return result;
}

int capture_read(const struct capture_options *options, struct snapshot *snapshot, struct error *err)
{
    uint64_t started_us = clock_us(CLOCK_MONOTONIC);
    struct input input;
    int result = input_open(&input, options->path, err);
    if (result < 0)
        return result;
    snapshot->taken_at_ms = input.modified_ms != 0 ? input.modified_ms : clock_us(CLOCK_REALTIME) / 1000;
    result = capture_read_input(options, &input, snapshot, err);
    input_close(&input);
    if (snapshot->elapsed_us == 0) /* a saved one says how long it took on its host */
        snapshot->elapsed_us = (uint32_t)(clock_us(CLOCK_MONOTONIC) - started_us);
    return result;
}
