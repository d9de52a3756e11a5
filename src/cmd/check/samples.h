#pragma once
/*
 * Counts of earlier runs, from which growth is computed. Each series has a name. The state file holds them between two
 * runs. The number of series and of samples is bounded, and so is the size of the file.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    SERIES_MAX = 32,
    SERIES_NAME_MAX = 200, /* bytes, escaped */
    SAMPLES_MAX = 64,      /* of a series */
    SAMPLES_TEXT_MAX = SERIES_MAX * (SERIES_NAME_MAX + SAMPLES_MAX * 42 + 16),
};

struct sample {
    uint64_t at_ms; /* since 1970 */
    uint64_t count;
};

struct series {
    char name[SERIES_NAME_MAX];
    struct sample items[SAMPLES_MAX]; /* oldest first */
    unsigned count;
    bool used; /* samples_series() asked for it in this run; samples_format() writes no others */
};

struct samples {
    struct series *items;
    unsigned count;
};

void samples_deinit(struct samples *samples);

/*
 * Reads what samples_format() wrote. The subject names what was counted. Returns 0; -EBADMSG if samples_format() cannot
 * have written the text; -EPERM if the text has another subject. On failure *ret_samples is empty.
 */
int samples_parse(const char *text, size_t length, const char *subject, struct samples *ret_samples);
/* Appends the series that samples_series() returned in this run. */
void samples_format(const struct samples *samples, const char *subject, struct buf *out);

/* Finds or adds the series of that name. NULL if there are too many series, or if the name is empty or too long. */
struct series *samples_series(struct samples *samples, const char *name);

/*
 * Growth of the count per minute, measured from the newest sample that is at least window_ms old. If none is that old,
 * it is measured from the oldest sample. False if that sample is younger than a fifth of the window: in so short a time
 * growth cannot be told from chance.
 */
bool series_growth(const struct series *series, uint64_t now_ms, uint64_t count, uint64_t window_ms,
    double *ret_per_minute, uint64_t *ret_over_ms);
/*
 * Adds a sample, unless the newest one is too recent for a new one. Removes samples that the window no longer needs,
 * and samples later than now_ms: the clock was set back.
 */
void series_add(struct series *series, uint64_t now_ms, uint64_t count, uint64_t window_ms);
