#include "cmd/check/samples.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const char format_line[] = "tcpwhy.samples/1";
static const char subject_word[] = "of ", series_word[] = "series ";

void samples_deinit(struct samples *samples)
{
    free(samples->items);
    *samples = (struct samples){ 0 };
}

/* --- the file --------------------------------------------------------------------------------------------------- */

/*
 * Returns the next line without its newline. False at the end. A last line without a newline is incomplete and ignored.
 */
static bool next_line(const char **at, size_t *left, const char **ret_line, size_t *ret_length)
{
    const char *end = *left > 0 ? memchr(*at, '\n', *left) : NULL;
    if (end == NULL)
        return false;
    *ret_line = *at;
    *ret_length = (size_t)(end - *at);
    *left -= *ret_length + 1;
    *at = end + 1;
    return true;
}

static bool is_line(const char *line, size_t length, const char *word, const char *rest)
{
    size_t word_length = strlen(word), rest_length = strlen(rest);
    return length == word_length + rest_length && memcmp(line, word, word_length) == 0 &&
        memcmp(line + word_length, rest, rest_length) == 0;
}

static bool starts_with(const char *line, size_t length, const char *word)
{
    return length > strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static struct series *add_series(struct samples *samples)
{
    if (samples->items == NULL)
        samples->items = xcalloc(SERIES_MAX, sizeof *samples->items);
    return samples->count < SERIES_MAX ? &samples->items[samples->count++] : NULL;
}

static int parse_sample(const char *line, size_t length, struct sample *ret_sample)
{
    char text[48];
    if (length >= sizeof text || memchr(line, '\0', length) != NULL)
        return -EBADMSG;
    memcpy(text, line, length);
    text[length] = '\0';
    char *space = strchr(text, ' ');
    if (space == NULL)
        return -EBADMSG;
    *space = '\0';
    bool valid = text_parse_number(text, INT64_MAX, &ret_sample->at_ms) == 0 &&
        text_parse_number(space + 1, INT64_MAX, &ret_sample->count) == 0;
    return valid ? 0 : -EBADMSG;
}

static int parse_line(const char *line, size_t length, struct samples *samples)
{
    if (starts_with(line, length, series_word)) {
        size_t name_length = length - strlen(series_word);
        struct series *series = name_length < SERIES_NAME_MAX ? add_series(samples) : NULL;
        if (series == NULL || memchr(line, '\0', length) != NULL)
            return -EBADMSG;
        memcpy(series->name, line + strlen(series_word), name_length);
        return 0;
    }
    struct series *series = samples->count > 0 ? &samples->items[samples->count - 1] : NULL;
    struct sample sample;
    if (series == NULL || series->count == SAMPLES_MAX || parse_sample(line, length, &sample) < 0)
        return -EBADMSG;
    if (series->count > 0 && series->items[series->count - 1].at_ms >= sample.at_ms)
        return -EBADMSG;
    series->items[series->count++] = sample;
    return 0;
}

static int parse(const char *text, size_t length, const char *subject, struct samples *samples)
{
    const char *line;
    size_t line_length;
    if (!next_line(&text, &length, &line, &line_length) || !is_line(line, line_length, format_line, ""))
        return -EBADMSG;
    if (!next_line(&text, &length, &line, &line_length) || !starts_with(line, line_length, subject_word))
        return -EBADMSG;
    if (!is_line(line, line_length, subject_word, subject))
        return -EPERM;
    int result = 0;
    while (result == 0 && next_line(&text, &length, &line, &line_length))
        result = parse_line(line, line_length, samples);
    return result == 0 && length > 0 ? -EBADMSG : result;
}

int samples_parse(const char *text, size_t length, const char *subject, struct samples *ret_samples)
{
    *ret_samples = (struct samples){ 0 };
    struct buf escaped = { 0 };
    text_escape(&escaped, subject);
    int result = length <= SAMPLES_TEXT_MAX ? parse(text, length, buf_text(&escaped), ret_samples) : -EBADMSG;
    buf_deinit(&escaped);
    if (result < 0)
        samples_deinit(ret_samples);
    return result;
}

void samples_format(const struct samples *samples, const char *subject, struct buf *out)
{
    buf_printf(out, "%s\n%s", format_line, subject_word);
    text_escape(out, subject);
    buf_char(out, '\n');
    for (unsigned i = 0; i < samples->count; i++) {
        const struct series *series = &samples->items[i];
        if (!series->used)
            continue;
        buf_printf(out, "%s%s\n", series_word, series->name);
        for (unsigned k = 0; k < series->count; k++)
            buf_printf(out, "%" PRIu64 " %" PRIu64 "\n", series->items[k].at_ms, series->items[k].count);
    }
}

/* --- series ----------------------------------------------------------------------------------------------------- */

struct series *samples_series(struct samples *samples, const char *name)
{
    struct buf escaped = { 0 };
    text_escape(&escaped, name);
    struct series *found = NULL;
    for (unsigned i = 0; i < samples->count && found == NULL; i++) {
        if (strcmp(samples->items[i].name, buf_text(&escaped)) == 0)
            found = &samples->items[i];
    }
    if (found == NULL && escaped.length > 0 && escaped.length < SERIES_NAME_MAX) {
        found = add_series(samples);
        if (found != NULL)
            memcpy(found->name, escaped.data, escaped.length);
    }
    buf_deinit(&escaped);
    if (found != NULL)
        found->used = true;
    return found;
}

/*
 * The newest sample that is at least as old as the window; else the oldest one. NULL if no sample is older than now_ms.
 */
static const struct sample *baseline(const struct series *series, uint64_t now_ms, uint64_t window_ms)
{
    const struct sample *found = NULL;
    for (unsigned i = 0; i < series->count; i++) {
        const struct sample *sample = &series->items[i];
        if (sample->at_ms >= now_ms || (found != NULL && now_ms - sample->at_ms < window_ms))
            break;
        found = sample;
    }
    return found;
}

bool series_growth(const struct series *series, uint64_t now_ms, uint64_t count, uint64_t window_ms,
    double *ret_per_minute, uint64_t *ret_over_ms)
{
    enum { LEAST_SHARE = 5, MINUTE_MS = 60 * 1000 };
    const struct sample *then = baseline(series, now_ms, window_ms);
    if (then == NULL || now_ms - then->at_ms < window_ms / LEAST_SHARE)
        return false;
    *ret_over_ms = now_ms - then->at_ms;
    *ret_per_minute = ((double)count - (double)then->count) * MINUTE_MS / (double)*ret_over_ms;
    return true;
}

void series_add(struct series *series, uint64_t now_ms, uint64_t count, uint64_t window_ms)
{
    while (series->count > 0 && series->items[series->count - 1].at_ms > now_ms)
        series->count--;
    if (series->count > 0 && now_ms - series->items[series->count - 1].at_ms <= window_ms / (SAMPLES_MAX - 4))
        return;
    const struct sample *then = baseline(series, now_ms, window_ms);
    unsigned gone = then != NULL ? (unsigned)(then - series->items) : 0;
    if (gone == 0 && series->count == SAMPLES_MAX)
        gone = 1;
    memmove(series->items, series->items + gone, (series->count - gone) * sizeof *series->items);
    series->count -= gone;
    series->items[series->count++] = (struct sample){ .at_ms = now_ms, .count = count };
}
