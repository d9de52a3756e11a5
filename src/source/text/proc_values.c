#include "source/text/proc_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/text/scan.h"

/* Finds the counter of that name in that line of that file. COUNTER_COUNT: it is not in the table. */
static enum counter find_counter(const char *line, const char *name, size_t length, enum counter_file file)
{
    int i = 0;
    for (; i < COUNTER_COUNT; i++) {
        const struct counter_info *info = &counter_infos[i];
        if (info->file == file && strcmp(info->line, line) == 0 && strlen(info->name) == length &&
            memcmp(info->name, name, length) == 0)
            break;
    }
    return (enum counter)i;
}

static void set_counter(struct net_values *values, enum counter counter, int64_t value)
{
    if (counter < COUNTER_COUNT) {
        values->counters[counter] = value;
        values->has_counter[counter] = true;
    }
}

/* Reads "Name: a 1 b 2": names and values alternate (sockstat). */
static void read_alternating(const char *line, const char *rest, struct net_values *values)
{
    while (*rest == ' ') {
        rest++;
        size_t name_length = strcspn(rest, " \n");
        const char *number = rest + name_length;
        if (*number != ' ')
            return;
        char *end;
        long long value = strtoll(number, &end, 10);
        if (end == number)
            return;
        set_counter(values, find_counter(line, rest, name_length, COUNTER_FILE_SOCKSTAT), value);
        rest = end;
    }
}

/* Reads "Name: a b" and, in the next line, "Name: 1 2": a line of names and a line of values (netstat, snmp). */
static void read_pair(
    const char *line, const char *names, const char *numbers, enum counter_file file, struct net_values *values)
{
    while (*names == ' ') {
        names++;
        size_t length = strcspn(names, " \n");
        char *end;
        long long value = strtoll(numbers, &end, 10);
        if (end == numbers)
            return;
        set_counter(values, find_counter(line, names, length, file), value);
        names += length;
        numbers = end;
    }
}

void proc_parse_counters(const char *text, enum counter_file file, struct net_values *values)
{
    while (*text != '\0') {
        char line[16];
        size_t length = strcspn(text, ":\n");
        const char *rest = text + length;
        const char *next = text + strcspn(text, "\n");
        next += *next == '\n';
        if (*rest == ':' && length < sizeof line) {
            memcpy(line, text, length);
            line[length] = '\0';
            rest++;
            if (file == COUNTER_FILE_SOCKSTAT) {
                read_alternating(line, rest, values);
            } else if (strncmp(next, text, length + 1) == 0) {
                read_pair(line, rest, next + length + 1, file, values);
                next += strcspn(next, "\n");
                next += *next == '\n';
            }
        }
        text = next;
    }
}

unsigned proc_count_reserved_ports(const char *text, unsigned first, unsigned last)
{
    unsigned reserved = 0;
    uint64_t low, high;
    while (scan_decimal(&text, &low)) {
        high = low;
        if (scan_char(&text, '-') && !scan_decimal(&text, &high))
            break;
        if (low < first)
            low = first;
        if (high > last)
            high = last;
        if (low <= high) {
            reserved += (unsigned)(high - low) + 1;
            first = (unsigned)high + 1; /* the list is in ascending order; this counts no port twice */
        }
        if (!scan_char(&text, ','))
            break;
    }
    return reserved;
}

void proc_parse_setting(const char *text, enum setting setting, struct net_values *values)
{
    if (setting == SETTING_RESERVED_PORTS) {
        if (!values->has_setting[SETTING_PORT_RANGE_FIRST] || !values->has_setting[SETTING_PORT_RANGE_LAST])
            return;
        values->settings[setting] = proc_count_reserved_ports(text,
            (unsigned)values->settings[SETTING_PORT_RANGE_FIRST], (unsigned)values->settings[SETTING_PORT_RANGE_LAST]);
        values->has_setting[setting] = true;
        return;
    }
    for (unsigned word = 0;; word++) {
        char *end;
        errno = 0;
        long long value = strtoll(text, &end, 10);
        if (end == text || errno != 0)
            return;
        if (word == setting_infos[setting].word) {
            values->settings[setting] = value;
            values->has_setting[setting] = true;
            return;
        }
        text = end;
    }
}
