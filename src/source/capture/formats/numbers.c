#include "source/capture/formats/numbers.h"

#include "source/capture/input/open.h"
#include "source/text/proc_values.h"

/*
 * A text needs a count of connections in some state, a counter, a setting or a log line. A count of listeners alone is
 * not enough: the configuration of a web server contains "listen 80". The score is always lower than that of rows.
 */
unsigned numbers_recognise(const struct format *self, const char *bytes, size_t length, bool repairs)
{
    struct snapshot snapshot;
    struct input input;
    snapshot_init(&snapshot);
    input_open_bytes(&input, bytes, length);
    struct capture capture = { .snapshot = &snapshot, .format = self, .input = &input, .repairs = repairs };
    struct error err;
    bool is_read = self->parse(self, &capture, &err) == 0;
    const struct numbers *numbers = &capture.numbers;
    bool is_known = numbers->by_other || numbers->summary_lines > 0 || numbers->counter_lines > 0 ||
        numbers->log_lines > 0 || numbers->descriptor_lines > 0;
    for (int i = 0; i < SETTING_COUNT; i++)
        is_known |= numbers->values.has_setting[i];
    capture_deinit(&capture);
    input_close(&input);
    snapshot_deinit(&snapshot);
    return is_read && is_known ? SURE_OF_NUMBERS : 0;
}

enum line_kind numbers_line(struct capture *capture, const struct line *line)
{
    if (ended_line(capture, line) || log_line(capture, line) || counter_line(capture, line) ||
        descriptor_line(capture, line) || setting_line(capture, line) || moment_line(capture, line))
        return LINE_ROW;
    if (!state_counts_line(capture, line))
        return LINE_OTHER;
    capture->numbers.state_lines++;
    return LINE_ROW;
}

void numbers_note_os(struct capture *capture, const char *os)
{
    if (capture->os == NULL)
        capture->os = os;
}

/* Counts the reserved ports within the range, once the range is known. */
static void count_reserved(struct numbers *numbers)
{
    struct net_values *values = &numbers->values;
    if (!values->has_setting[SETTING_PORT_RANGE_FIRST] || !values->has_setting[SETTING_PORT_RANGE_LAST])
        return;
    if (numbers->reserved != NULL)
        proc_parse_setting(numbers->reserved, SETTING_RESERVED_PORTS, values);
    int64_t reserved = 0;
    for (unsigned i = 0; i < numbers->excluded_count; i++) {
        int64_t first = numbers->excluded[i].first, last = numbers->excluded[i].last;
        int64_t low = values->settings[SETTING_PORT_RANGE_FIRST], high = values->settings[SETTING_PORT_RANGE_LAST];
        first = first > low ? first : low;
        last = last < high ? last : high;
        reserved += last >= first ? last - first + 1 : 0;
    }
    if (reserved > 0 && numbers->reserved == NULL) {
        values->settings[SETTING_RESERVED_PORTS] = reserved;
        values->has_setting[SETTING_RESERVED_PORTS] = true;
    }
}

/* Stores the counters that were read first as a previous snapshot, from which rates are measured. */
static void add_previous(struct capture *capture)
{
    struct snapshot *previous = capture->previous;
    if (!capture->numbers.has_previous || previous == NULL || previous->netns_count > 0)
        return;
    struct netns *netns = snapshot_add_netns(previous);
    if (netns == NULL)
        return;
    *netns = (struct netns){ .name = "host", .is_own = true };
    /* the time between the two is not known, so no rate is computed */
    previous->taken_at_ms = capture->snapshot->taken_at_ms;
    previous->net_values[0] = capture->numbers.previous;
    capture->snapshot->previous = previous;
}

void numbers_settle(struct capture *capture)
{
    struct snapshot *snapshot = capture->snapshot;
    count_reserved(&capture->numbers);
    if (snapshot->netns_count == 0)
        return;
    snapshot->net_values[0] = capture->numbers.values;
    add_previous(capture);
}
