#include "source/capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "source/capture/format.h"

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

static int refuse(const char *path, const char *bytes, size_t length, struct error *err)
{
    (void)bytes;
    return error_set(err, -EBADMSG, path,
        "%s; accepted is the output of netstat, ss, lsof -i, Get-NetTCPConnection, and "
        "/proc/net/tcp",
        length == 0 ? "is empty" : "holds no connections in a form that is known");
}

static void note_lines(struct capture *capture)
{
    if (capture->malformed == 0)
        return;
    struct buf text = { 0 };
    buf_str(&text, "read ");
    text_count(&text, capture->rows);
    buf_str(&text, capture->rows == 1 ? " row, " : " rows, ");
    text_count(&text, capture->malformed);
    buf_str(&text, capture->malformed == 1 ? " line not understood: line " : " lines not understood: first at line ");
    buf_printf(&text, "%llu (\"", (unsigned long long)capture->first_malformed);
    text_escape(&text, capture->first_malformed_text);
    buf_str(&text, "\")");
    snapshot_add_gap(capture->snapshot, "lines-not-understood", buf_text(&text),
        "take the output as it is, into a file: a terminal, a mail or a chat cuts and wraps lines");
    buf_deinit(&text);
}

/* Text knows one namespace, whose name nobody has written down. */
static int begin_text(struct snapshot *snapshot)
{
    struct netns *netns = snapshot_add_netns(snapshot);
    if (netns == NULL)
        return -ENOMEM;
    *netns = (struct netns){ .name = "host", .is_own = true };
    return 0;
}

/* The parsers know the reason, not the file. */
static int name_file(int result, const char *path, struct error *err)
{
    if (result < 0 && err != NULL && err->subject[0] == '\0')
        snprintf(err->subject, sizeof err->subject, "%s", path);
    return result;
}

static int read_input(struct input *input, const char *path, struct snapshot *snapshot, struct snapshot *earlier,
    struct error *err)
{
    ssize_t filled = input_fill(input, INPUT_PEEK);
    if (filled < 0)
        return error_set(err, (int)filled, path, "cannot be read: %s", input_failure((int)filled));
    const struct format *format = recognise(input_bytes(input), (size_t)filled);
    if (format == NULL)
        return refuse(path, input_bytes(input), (size_t)filled, err);

    struct capture capture = {
        .snapshot = snapshot, .earlier = earlier, .format = format, .input = input, .os = format->os
    };
    if (!format->is_snapshot && begin_text(snapshot) < 0)
        return error_set(err, -ENOMEM, path, "not enough memory");
    int result = format->parse(format, &capture, err);
    if (result < 0)
        return name_file(result, path, err);
    if (!format->is_snapshot) {
        snapshot->os = capture.os;
        snapshot->source = format->id;
    }
    note_lines(&capture);
    return 0;
}

int capture_read(
    const struct capture_options *options, struct snapshot *snapshot, struct snapshot *earlier, struct error *err)
{
    uint64_t started_us = clock_us(CLOCK_MONOTONIC);
    struct input input;
    int result = input_open(&input, options->path, err);
    if (result < 0)
        return result;
    snapshot->taken_at_ms = input.modified_ms != 0 ? input.modified_ms : clock_us(CLOCK_REALTIME) / 1000;
    result = read_input(&input, options->path, snapshot, earlier, err);
    input_close(&input);
    if (snapshot->elapsed_us == 0) /* a saved one says how long it took on its host */
        snapshot->elapsed_us = (uint32_t)(clock_us(CLOCK_MONOTONIC) - started_us);
    return result;
}
