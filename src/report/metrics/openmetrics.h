#pragma once
/*
 * Writes metrics for Prometheus and compatible programs. A table of families gives names, types, units and labels. The
 * writer escapes values. It refuses what a reader would refuse: a family in two pieces, or a series written twice.
 *
 * Two dialects. OpenMetrics 1.0 names a counter's family without "_total", has units, and ends with "# EOF". The older
 * text format, version 0.0.4, is what promtool's linter and the textfile collectors of node_exporter and
 * windows_exporter read.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum metrics_dialect { METRICS_OPENMETRICS, METRICS_PROMETHEUS };
enum metric_type { METRIC_GAUGE, METRIC_COUNTER };
enum { METRIC_LABELS_MAX = 4, METRIC_FAMILIES_MAX = 64 };

struct metric_family {
    const char *name; /* without "_total", also for a counter */
    enum metric_type type;
    const char *unit;                      /* "seconds": the name ends with it; or NULL */
    const char *labels[METRIC_LABELS_MAX]; /* ends with NULL if there are fewer */
    const char *help;                      /* a sentence, without quotes or backslashes */
};

struct openmetrics {
    enum metrics_dialect dialect;
    struct buf *out;
    const struct metric_family *family; /* the open family; NULL: it was refused, and its samples are refused too */
    const struct metric_family *families[METRIC_FAMILIES_MAX]; /* all that have been written */
    unsigned family_count;
    size_t *series; /* hash table of the series: the offset in `out` where the name begins, plus 1; 0: free */
    size_t slot_count, series_count;
    bool refused;
    struct error refusal; /* the first */
};

void openmetrics_begin(struct openmetrics *metrics, enum metrics_dialect dialect, struct buf *out);
/*
 * Writes the head of a family. All its samples must follow before the next family. A family without samples is written
 * too, so that the output shows which metrics exist.
 */
void openmetrics_family(struct openmetrics *metrics, const struct metric_family *family);
/* `labels` has a value for each label of the family; NULL is "". A series with the same labels twice is refused. */
void openmetrics_uint(struct openmetrics *metrics, const char *const *labels, uint64_t number);
/* The number is written in seconds. */
void openmetrics_ms(struct openmetrics *metrics, const char *const *labels, uint64_t milliseconds);
void openmetrics_us(struct openmetrics *metrics, const char *const *labels, uint64_t microseconds);
/* Writes part/whole; writes nothing if whole is 0. */
void openmetrics_ratio(struct openmetrics *metrics, const char *const *labels, uint64_t part, uint64_t whole);
/* Ends the text. Returns 0, or -EEXIST with err filled if something was refused. */
int openmetrics_end(struct openmetrics *metrics, struct error *err);

/*
 * Makes the value of a label from a text from outside. Escapes it as text_escape() does, because labels appear in
 * alerts, and cuts it to LABEL_BYTES_MAX. Different texts may give the same value.
 */
enum { LABEL_BYTES_MAX = 64 };
const char *openmetrics_label(struct arena *arena, const char *text);
