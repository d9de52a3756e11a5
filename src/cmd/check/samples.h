#pragma once
/*
 * Counts of earlier times, to say how fast something grows: series of a name each, as they are kept in a file between
 * two runs. Bounded: neither the file nor what is made of it grows with the time.
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
    bool used; /* asked for since it was read: others are not kept */
};

struct samples {
    struct series *items;
    unsigned count;
};

void samples_deinit(struct samples *samples);

/*
 * Reads what samples_format() wrote. The subject says what the samples are of. Returns 0, -EBADMSG where it is nothing
 * that was written here, -EPERM where it is of something else; then there are no samples.
 */
int samples_parse(const char *text, size_t length, const char *subject, struct samples *ret_samples);
/* Those series that were asked for. */
void samples_format(const struct samples *samples, const char *subject, struct buf *out);

/* The series of that name, new or not; NULL where there are too many, or the name is too long. */
struct series *samples_series(struct samples *samples, const char *name);

/*
 * How fast the count has grown in the last window_ms, or, with a longer pause between two runs, since the last one.
 * False where the samples do not reach back a fifth of the window: too little to tell growth from chance.
 */
bool series_growth(const struct series *series, uint64_t now_ms, uint64_t count, uint64_t window_ms,
    double *ret_per_minute, uint64_t *ret_over_ms);
/* Notes a count, and drops what no window will need any more, or what is later than now: the clock was set back. */
void series_add(struct series *series, uint64_t now_ms, uint64_t count, uint64_t window_ms);
