#include "base/range.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* strtod() also accepts exponents, hexadecimal and infinity. Nobody writes a threshold so: they are refused. */
static int parse_number(const char **at, double *ret_number)
{
    const char *digits = *at + (**at == '-' || **at == '+');
    size_t whole = strspn(digits, "0123456789");
    size_t length = whole;
    if (digits[length] == '.')
        length += 1 + strspn(digits + length + 1, "0123456789");
    if (length == 0 || (whole == 0 && length == 1))
        return -EINVAL;
    char number[RANGE_TEXT_MAX];
    size_t all = (size_t)(digits - *at) + length;
    if (all >= sizeof number)
        return -EINVAL;
    memcpy(number, *at, all);
    number[all] = '\0';
    *ret_number = strtod(number, NULL);
    *at += all;
    return 0;
}

int range_parse(const char *text, struct range *ret_range, struct error *err)
{
    struct range range = { .inside = *text == '@' };
    size_t length = strlen(text);
    if (length >= sizeof range.text)
        return error_set(err, -EINVAL, text, "is too long for a range");
    memcpy(range.text, text, length + 1);

    const char *at = text + range.inside;
    bool has_start = *at != ':';
    bool valid = true;
    if (*at == '~') {
        range.start = -INFINITY;
        at++;
        valid = *at == ':'; /* "~" alone is no range */
    } else if (has_start) {
        valid = parse_number(&at, &range.start) == 0;
    }
    if (valid && *at == ':') {
        at++;
        range.end = INFINITY;
        if (*at != '\0' || !has_start)
            valid = parse_number(&at, &range.end) == 0;
    } else {
        range.end = range.start; /* one number alone is the end; the start is zero */
        range.start = 0;
    }
    if (!valid || *at != '\0')
        return error_set(err, -EINVAL, text, "is not a range: 10, 10:, ~:10, 10:20 or @10:20 would do");
    if (range.start > range.end)
        return error_set(err, -EINVAL, text, "is a range that ends before it begins");
    *ret_range = range;
    return 0;
}

bool range_alerts(const struct range *range, double value)
{
    bool within = value >= range->start && value <= range->end;
    return within == range->inside;
}
