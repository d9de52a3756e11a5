#pragma once
/*
 * Ranges of the Monitoring Plugins Development Guidelines: a value outside of the range raises the alarm, or, with @
 * before it, one inside. The ends belong to the range.
 *
 *   10      below 0, above 10        ~:10      above 10
 *   10:     below 10                 10:20     below 10, above 20
 *   :10     as 10                    @10:20    from 10 to 20
 */
#include <stdbool.h>

#include "base/error.h"

enum { RANGE_TEXT_MAX = 64 };

struct range {
    double start, end;         /* may be infinite */
    bool inside;               /* alarm within it */
    char text[RANGE_TEXT_MAX]; /* as it was written: what performance data repeats */
};

/* Numbers are decimal, with a point. Returns 0, or -EINVAL with err filled. */
int range_parse(const char *text, struct range *ret_range, struct error *err);
bool range_alerts(const struct range *range, double value);
