#include "report/metrics/openmetrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"

/* --- families and series written so far ------------------------------------------------------------------------- */

/* The length of the name with its labels. They end at the first space that is not in quotes. */
static size_t series_length(const char *start)
{
    bool quoted = false;
    const char *at = start;
    for (; *at != '\0' && (quoted || *at != ' '); at++) {
        if (quoted && *at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    return (size_t)(at - start);
}

static uint64_t hash_of(const char *series, size_t length)
{
    uint64_t hash = hash_mix(length);
    for (size_t i = 0; i < length; i += sizeof hash) {
        uint64_t word = 0;
        memcpy(&word, series + i, length - i < sizeof word ? length - i : sizeof word);
        hash = hash_mix(hash ^ word);
    }
    return hash;
}

/* The slot of the series that begins at offset `start` of the text: the slot that holds it, or a free one. */
static size_t *slot_of(const struct openmetrics *metrics, size_t start)
{
    const char *series = metrics->out->data + start;
    size_t length = series_length(series);
    size_t slot = hash_of(series, length) & (metrics->slot_count - 1);
    for (; metrics->series[slot] != 0; slot = (slot + 1) & (metrics->slot_count - 1)) {
        const char *other = metrics->out->data + metrics->series[slot] - 1;
        if (series_length(other) == length && memcmp(other, series, length) == 0)
            break;
    }
    return &metrics->series[slot];
}

static void grow(struct openmetrics *metrics)
{
    enum { SLOTS_FIRST = 256 };
    size_t *old = metrics->series, old_count = metrics->slot_count;
    metrics->slot_count = old_count ? old_count * 2 : SLOTS_FIRST;
    metrics->series = xcalloc(metrics->slot_count, sizeof *metrics->series);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i] != 0)
            *slot_of(metrics, old[i] - 1) = old[i];
    }
    free(old);
}

static void refuse(struct openmetrics *metrics, const char *subject, size_t length)
{
    struct error *err = &metrics->refusal;
    if (metrics->refused)
        return;
    error_set(err, -EEXIST, NULL, "would be written twice: that is a mistake in tcpwhy");
    snprintf(err->subject, sizeof err->subject, "%.*s", (int)length, subject);
    metrics->refused = true;
}

/* Stores the series at the end of the text. Returns false and refuses it if it was written before. */
static bool add_series(struct openmetrics *metrics, size_t start)
{
    if (metrics->series_count * 2 >= metrics->slot_count)
        grow(metrics);
    size_t *slot = slot_of(metrics, start);
    if (*slot != 0) {
        refuse(metrics, metrics->out->data + start, series_length(metrics->out->data + start));
        return false;
    }
    *slot = start + 1;
    metrics->series_count++;
    return true;
}

/* The same for a family. */
static bool add_family(struct openmetrics *metrics, const struct metric_family *family)
{
    bool known = metrics->family_count == METRIC_FAMILIES_MAX;
    for (unsigned i = 0; i < metrics->family_count; i++)
        known |= strcmp(metrics->families[i]->name, family->name) == 0;
    if (known)
        refuse(metrics, family->name, strlen(family->name));
    else
        metrics->families[metrics->family_count++] = family;
    return !known;
}

/* --- families --------------------------------------------------------------------------------------------------- */

void openmetrics_begin(struct openmetrics *metrics, enum metrics_dialect dialect, struct buf *out)
{
    *metrics = (struct openmetrics){ .dialect = dialect, .out = out };
}

static const char *suffix_of(const struct metric_family *family)
{
    return family->type == METRIC_COUNTER ? "_total" : "";
}

static void write_head(const struct openmetrics *metrics, const struct metric_family *family)
{
    static const char *const types[] = { [METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter" };
    const char *suffix = metrics->dialect == METRICS_PROMETHEUS ? suffix_of(family) : "";
    buf_printf(metrics->out, "# TYPE %s%s %s\n", family->name, suffix, types[family->type]);
    if (metrics->dialect == METRICS_OPENMETRICS && family->unit != NULL)
        buf_printf(metrics->out, "# UNIT %s %s\n", family->name, family->unit);
    buf_printf(metrics->out, "# HELP %s%s %s\n", family->name, suffix, family->help);
}

void openmetrics_family(struct openmetrics *metrics, const struct metric_family *family)
{
    if (metrics->family == family)
        return;
    metrics->family = add_family(metrics, family) ? family : NULL;
    if (metrics->family != NULL)
        write_head(metrics, family);
}

/* --- samples ---------------------------------------------------------------------------------------------------- */

/* Both dialects escape these three characters. */
static void write_label_value(struct buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buf_str(out, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\')
            buf_char(out, '\\');
        buf_char(out, *value);
    }
}

static void write_series(struct buf *out, const struct metric_family *family, const char *const *labels)
{
    buf_printf(out, "%s%s", family->name, suffix_of(family));
    for (unsigned i = 0; i < METRIC_LABELS_MAX && family->labels[i] != NULL; i++) {
        buf_printf(out, "%c%s=\"", i == 0 ? '{' : ',', family->labels[i]);
        write_label_value(out, labels[i] != NULL ? labels[i] : "");
        buf_char(out, '"');
    }
    if (family->labels[0] != NULL)
        buf_char(out, '}');
}

static void write_sample(struct openmetrics *metrics, const char *const *labels, const char *number)
{
    struct buf *out = metrics->out;
    if (metrics->family == NULL)
        return;
    size_t start = out->length;
    write_series(out, metrics->family, labels);
    buf_printf(out, " %s\n", number);
    if (!add_series(metrics, start))
        buf_cut(out, start);
}

void openmetrics_uint(struct openmetrics *metrics, const char *const *labels, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    write_sample(metrics, labels, text);
}

void openmetrics_ms(struct openmetrics *metrics, const char *const *labels, uint64_t milliseconds)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 ".%03u", milliseconds / 1000, (unsigned)(milliseconds % 1000));
    write_sample(metrics, labels, text);
}

void openmetrics_us(struct openmetrics *metrics, const char *const *labels, uint64_t microseconds)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 ".%06u", microseconds / 1000000, (unsigned)(microseconds % 1000000));
    write_sample(metrics, labels, text);
}

void openmetrics_ratio(struct openmetrics *metrics, const char *const *labels, uint64_t part, uint64_t whole)
{
    enum { MILLION = 1000000 };
    if (whole == 0)
        return;
    uint64_t rest = part % whole; /* the numbers count sockets, so the product does not overflow */
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64 ".%06u", part / whole, (unsigned)(rest * MILLION / whole));
    write_sample(metrics, labels, text);
}

int openmetrics_end(struct openmetrics *metrics, struct error *err)
{
    if (metrics->dialect == METRICS_OPENMETRICS)
        buf_str(metrics->out, "# EOF\n");
    free(metrics->series);
    metrics->series = NULL;
    if (!metrics->refused)
        return 0;
    return error_set(err, metrics->refusal.code, metrics->refusal.subject, "%s", metrics->refusal.message);
}

const char *openmetrics_label(struct arena *arena, const char *text)
{
    static const char ellipsis[] = "…";
    struct buf escaped = { 0 };
    text_escape(&escaped, text);
    size_t length = escaped.length;
    if (length > LABEL_BYTES_MAX) {
        length = LABEL_BYTES_MAX - (sizeof ellipsis - 1);
        while (length > 0 && (escaped.data[length] & 0xc0) == 0x80) /* not inside a UTF-8 character */
            length--;
    }
    const char *label = arena_printf(
        arena, "%.*s%s", (int)length, buf_text(&escaped), escaped.length > LABEL_BYTES_MAX ? ellipsis : "");
    buf_deinit(&escaped);
    return label;
}
