#include "source/capture/formats/moments.h"

#include <string.h>
#include <strings.h>

/* A text that is read from left to right. */
struct reader {
    const char *at, *end;
};

static bool read_number(struct reader *reader, unsigned digits_max, uint64_t *ret_value)
{
    uint64_t value = 0;
    unsigned digits = 0;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && digits < digits_max) {
        value = value * 10 + (uint64_t)(*reader->at++ - '0');
        digits++;
    }
    *ret_value = value;
    return digits > 0 && (reader->at == reader->end || *reader->at < '0' || *reader->at > '9');
}

static bool read_char(struct reader *reader, char c)
{
    bool is_next = reader->at < reader->end && *reader->at == c;
    reader->at += is_next;
    return is_next;
}

static bool read_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);
    bool is_next = (size_t)(reader->end - reader->at) >= length && strncasecmp(reader->at, word, length) == 0;
    reader->at += is_next ? length : 0;
    return is_next;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
    read_word(reader, "\u202f"); /* newer Windows separates "AM" by a narrow no-break space */
}

/* A fraction of a second: ".1234567". Its value is not used. */
static bool skip_fraction(struct reader *reader)
{
    enum { DIGITS = 9 };
    uint64_t fraction;
    return !read_char(reader, '.') || read_number(reader, DIGITS, &fraction);
}

static bool ends(const struct reader *reader)
{
    return reader->at == reader->end;
}

/* --- durations ---------------------------------------------------------------------------------------------------- */

enum { SECOND_MS = 1000, MINUTE_S = 60, HOUR_S = 60 * 60, DAY_S = 24 * 60 * 60 };

/* Reads ":12:33.5" after the hours, or ".04:05:06" after the days. */
static bool read_time_span(struct reader *reader, uint64_t first, uint64_t *ret_ms)
{
    uint64_t days = 0, hours = first, minutes, seconds;
    if (read_char(reader, '.')) {
        days = first;
        if (!read_number(reader, 2, &hours))
            return false;
    }
    if (!read_char(reader, ':') || !read_number(reader, 2, &minutes) || !read_char(reader, ':') ||
        !read_number(reader, 2, &seconds) || !skip_fraction(reader) || !ends(reader))
        return false;
    *ret_ms = (days * DAY_S + hours * HOUR_S + minutes * MINUTE_S + seconds) * SECOND_MS;
    return minutes < MINUTE_S && seconds < MINUTE_S;
}

bool duration_parse(const char *text, size_t length, uint32_t unit_ms, uint32_t *ret_ms)
{
    enum { DIGITS = 12 };
    struct reader reader = { text, text + length };
    uint64_t number, ms;
    if (!read_number(&reader, DIGITS, &number))
        return false;
    struct reader rest = reader;
    skip_blanks(&rest);
    if (ends(&rest))
        ms = number * unit_ms;
    else if (read_word(&rest, "ms") && ends(&rest))
        ms = number;
    else if (read_word(&rest, "s") && ends(&rest))
        ms = number * SECOND_MS;
    else if (!read_time_span(&reader, number, &ms))
        return false;
    *ret_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
    return true;
}

/* --- moments ------------------------------------------------------------------------------------------------------ */

/* Days since 1970. Algorithm: the year begins in March, so that the day that some years have more is its last. */
static bool days_of(uint64_t year, uint64_t month, uint64_t day, uint64_t *ret_days)
{
    enum { FIRST = 1970, LAST = 2100, MARCH = 3, EPOCH = 719468 };
    if (year < FIRST || year > LAST || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    uint64_t from_march = month >= MARCH ? month - MARCH : month + 12 - MARCH;
    uint64_t years = month >= MARCH ? year : year - 1;
    uint64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
    *ret_days = years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - EPOCH;
    return true;
}

struct date {
    uint64_t numbers[3];
    char separator;
};

/* "31.01.2026", "1/31/2026", "2026-01-31", "2026. 01. 31.", "2026年1月31日" */
static bool read_date(struct reader *reader, struct date *date)
{
    enum { YEAR_DIGITS = 4 };
    for (unsigned i = 0; i < 3; i++) {
        if (!read_number(reader, YEAR_DIGITS, &date->numbers[i]))
            return false;
        if (i == 2)
            break;
        if (read_word(reader, i == 0 ? "年" : "月")) /* year and month in Chinese and Japanese */
            continue;
        date->separator = reader->at < reader->end ? *reader->at : '\0';
        if (date->separator == '\0' || strchr("./-", date->separator) == NULL)
            return false;
        reader->at++;
        skip_blanks(reader);
    }
    if (!read_word(reader, "日"))
        read_char(reader, '.');
    return true;
}

/* "11:58:02", "11:58", "11:58:02 AM" */
static bool read_time(struct reader *reader, uint64_t *ret_seconds, bool *ret_has_half)
{
    enum { NOON = 12, HOURS = 24 };
    uint64_t hours, minutes, seconds = 0;
    if (!read_number(reader, 2, &hours) || !read_char(reader, ':') || !read_number(reader, 2, &minutes) ||
        (read_char(reader, ':') && !read_number(reader, 2, &seconds)) || !skip_fraction(reader))
        return false;
    skip_blanks(reader);
    bool afternoon = read_word(reader, "PM");
    *ret_has_half = afternoon || read_word(reader, "AM");
    if (*ret_has_half)
        hours = hours % NOON + (afternoon ? NOON : 0);
    *ret_seconds = hours * HOUR_S + minutes * MINUTE_S + seconds;
    return hours < HOURS && minutes < MINUTE_S && seconds < MINUTE_S;
}

bool moment_parse(const char *text, size_t length, uint32_t *ret_first, uint32_t *ret_last)
{
    enum { YEARS = 1000 };
    struct reader reader = { text, text + length };
    struct date date = { 0 };
    uint64_t seconds, first = 0, last = 0;
    bool has_half;
    if (!read_date(&reader, &date))
        return false;
    if (!read_char(&reader, 'T') && !read_char(&reader, ','))
        read_char(&reader, ' ');
    skip_blanks(&reader);
    if (!read_time(&reader, &seconds, &has_half) || !ends(&reader))
        return false;
    const uint64_t *n = date.numbers;
    if (n[0] >= YEARS) {
        if (!days_of(n[0], n[1], n[2], &first))
            return false;
        last = first;
    } else {
        bool by_day = days_of(n[2], n[1], n[0], &first),
             by_month = date.separator == '/' && days_of(n[2], n[0], n[1], &last);
        if (!by_day && !by_month)
            return false;
        first = by_day ? first : last;
        last = by_month ? last : first;
    }
    uint64_t smaller = first < last ? first : last, larger = first < last ? last : first;
    *ret_first = (uint32_t)(smaller * DAY_S + seconds);
    *ret_last = (uint32_t)(larger * DAY_S + seconds);
    return true;
}

/* --- the long form ------------------------------------------------------------------------------------------------ */

/* The beginnings of the months' names in English, German, French, Spanish, Portuguese, Italian, Dutch and Russian. */
static const struct {
    const char *start;
    unsigned month;
} months[] = { { "jan", 1 }, { "feb", 2 }, { "mar", 3 }, { "apr", 4 }, { "may", 5 }, { "jun", 6 }, { "jul", 7 },
    { "aug", 8 }, { "sep", 9 }, { "oct", 10 }, { "nov", 11 }, { "dec", 12 }, { "jän", 1 }, { "mär", 3 }, { "mai", 5 },
    { "okt", 10 }, { "dez", 12 }, { "fév", 2 }, { "avr", 4 }, { "juin", 6 }, { "juil", 7 }, { "aoû", 8 }, { "déc", 12 },
    { "ene", 1 }, { "abr", 4 }, { "ago", 8 }, { "dic", 12 }, { "fev", 2 }, { "set", 9 }, { "out", 10 }, { "gen", 1 },
    { "mag", 5 }, { "giu", 6 }, { "lug", 7 }, { "ott", 10 }, { "mei", 5 }, { "maa", 3 }, { "янв", 1 }, { "фев", 2 },
    { "мар", 3 }, { "апр", 4 }, { "май", 5 }, { "мая", 5 }, { "июн", 6 }, { "июл", 7 }, { "авг", 8 }, { "сен", 9 },
    { "окт", 10 }, { "ноя", 11 }, { "дек", 12 } };

static unsigned month_of(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof months / sizeof *months; i++) {
        size_t most = strlen(months[i].start);
        if (length >= most && strncasecmp(word, months[i].start, most) == 0)
            return months[i].month;
    }
    return 0;
}

/* What of a date was found so far. A number of four digits is the year, the other one the day. */
struct long_date {
    uint64_t year, month, day;
    bool has_other; /* something that no date has */
};

static void take_word(struct long_date *date, const char *word, size_t length)
{
    enum { YEAR_DIGITS = 4 };
    struct reader reader = { word, word + length };
    uint64_t number;
    if (!read_number(&reader, YEAR_DIGITS, &number)) {
        unsigned month = month_of(word, length);
        date->month = month != 0 ? month : date->month; /* the last one: "mardi" begins like "mars" */
        return;
    }
    bool is_year = reader.at - word == YEAR_DIGITS;
    uint64_t *part = is_year ? &date->year : &date->day;
    date->has_other |= *part != 0;
    *part = number;
}

bool long_date_parse(const char *text, size_t length, uint32_t *ret_moment)
{
    enum { WORDS_MAX = 8 };
    const char *end = text + length, *colon = memchr(text, ':', length);
    if (colon == NULL)
        return false;
    const char *time = colon;
    while (time > text && time[-1] != ' ')
        time--;
    struct reader reader = { time, end };
    uint64_t seconds, days;
    bool has_half;
    if (!read_time(&reader, &seconds, &has_half) || !ends(&reader))
        return false;
    struct long_date date = { 0 };
    unsigned words = 0;
    for (const char *at = text; at < time; words++) {
        size_t word = strcspn(at, " ,");
        word = at + word < time ? word : (size_t)(time - at);
        take_word(&date, at, word);
        at += word;
        at += at < time ? strspn(at, " ,") : 0;
    }
    if (date.has_other || words > WORDS_MAX || !days_of(date.year, date.month, date.day, &days))
        return false;
    *ret_moment = (uint32_t)(days * DAY_S + seconds);
    return true;
}
