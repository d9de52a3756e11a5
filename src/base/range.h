#pragma once
/*
 * Ranges of the Monitoring Plugins Development Guidelines. A value outside of the range raises the alarm. With @ before
 * the range, a value inside raises it. The ends belong to the range. When each raises the alarm:
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
    bool inside;               /* a value inside raises the alarm */
    char text[RANGE_TEXT_MAX]; /* as the user wrote it; the performance data repeats it */
};

/* Numbers are decimal, with a point. Returns 0, or -EINVAL with err filled. */
int range_parse(const char *text, struct range *ret_range, struct error *err);
bool range_alerts(const struct range *range, double value);
