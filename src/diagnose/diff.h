#pragma once
/* Looks at one host compared: pure, like a diagnosis. */
#include "base/error.h"
#include "model/diff.h"
#include "model/select.h"

enum { DIFF_LOOKS_MOST = 64 };

struct diff_options {
    const struct selection *selection; /* NULL: all */
    uint64_t interval_ms;              /* between one look and the next; 0: as their times say */
};

/*
 * Compares 2 to DIFF_LOOKS_MOST snapshots of one host, the earliest first, which must outlive the result. Returns 0, or a
 * negative errno with err filled: they are of different hosts, or there is no memory.
 */
int diff_make(const struct snapshot *looks, size_t count, const struct diff_options *options, struct diff *ret_diff,
    struct error *err);

/* For diff_make(): how fast values of the looks that the diff lists grow, in thousandths a minute; 0 without times. */
int64_t diff_slope(const struct diff *diff, const uint64_t *values);
/*
 * For diff_make(): of the processes of the last look that are concerned, those whose open descriptors every look knows.
 * Returns 0 or -ENOMEM.
 */
int diff_find_processes(const struct snapshot *looks, size_t count, const bool *concerned, struct diff *diff);
/* For diff_make(): the verdict and the title, when all else is filled in. */
void diff_judge(struct diff *diff);
