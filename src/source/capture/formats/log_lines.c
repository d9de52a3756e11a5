/*
 * Log lines of a kernel that is short of ports, queue space, memory or entries. They may be alone or between the rows
 * of other programs. The event viewer of Windows shows the number of an event on a line of its own, in any language:
 *
 *   Source:        Tcpip
 *   Event ID:      4227
 */
#include "source/capture/formats/numbers.h"

#include <stdlib.h>
#include <strings.h>

struct known {
    enum log_message message;
    const char *os; /* NULL: of several systems */
    const char *text, *also;
};

static const struct known known[] = {
    { LOG_PORT_REUSED, "windows", "selected local endpoint was recently used to connect to the same remote endpoint",
        "" },
    { LOG_PORTS_USED_UP, "windows", "allocate an ephemeral port number from the global TCP port space has failed", "" },
    { LOG_SYN_FLOODING, "linux", "ossible SYN flooding", "" },
    { LOG_TOO_MANY_ORPHANS, "linux", "orphaned sockets", "too many" },
    { LOG_NO_TCP_MEMORY, "linux", "TCP: out of memory", "" },
    { LOG_TIME_WAIT_FULL, "linux", "time wait bucket table overflow", "" },
    { LOG_QUEUE_OVERFLOW, NULL, "isten queue overflow", "sonewconn" },
    { LOG_TRACKING_FULL, "linux", "conntrack: table full", "" },
};

static void note(struct capture *capture, enum log_message message, uint64_t times, const char *os)
{
    uint32_t *logged = &capture->snapshot->logged[message];
    *logged = times > UINT32_MAX - *logged ? UINT32_MAX : *logged + (uint32_t)times;
    if (os != NULL)
        numbers_note_os(capture, os);
}

/* "(23 occurrences)": the number of events that this line stands for. */
static uint64_t times_of(const char *text)
{
    const char *at = strstr(text, " occurrences)");
    if (at == NULL)
        return 1;
    while (at > text && at[-1] >= '0' && at[-1] <= '9')
        at--;
    uint64_t times = strtoul(at, NULL, 10);
    return times > 0 ? times : 1;
}

/* "Event ID:      4227", "Ereignis-ID: 4231", "Id           : 4227": a name that ends with ID, then only the number. */
static bool is_event(const char *text, enum log_message *ret_message)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL)
        return false;
    const char *end = colon;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (end - text < 2 || end - text > 40 || strncasecmp(end - 2, "id", 2) != 0)
        return false;
    const char *number = colon + 1 + strspn(colon + 1, " \t");
    bool reused = strncmp(number, "4227", 4) == 0;
    if ((!reused && strncmp(number, "4231", 4) != 0) || number[4 + strspn(number + 4, " \t")] != '\0')
        return false;
    *ret_message = reused ? LOG_PORT_REUSED : LOG_PORTS_USED_UP;
    return true;
}

/* A source of TCP events. Other programs have events with the same numbers. */
static bool names_source(const char *text)
{
    return strlen(text) < 200 && strchr(text, ':') != NULL && strcasestr(text, "tcpip") != NULL;
}

bool log_line(struct capture *capture, const struct line *line)
{
    enum { LENGTH_LEAST = 7, LENGTH_MAX = 4096 };
    struct numbers *numbers = &capture->numbers;
    enum log_message message;
    if (line->length < LENGTH_LEAST || line->length > LENGTH_MAX)
        return false;
    numbers->log_after_source = (uint8_t)(names_source(line->text) ? LOG_SOURCE_LINES : numbers->log_after_source);
    if (numbers->log_after_source > 0 && is_event(line->text, &message)) {
        note(capture, message, 1, "windows");
        numbers->log_event = (uint8_t)(message + 1);
        numbers->log_lines++;
        return true;
    }
    numbers->log_after_source -= numbers->log_after_source > 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strstr(line->text, known[i].text) == NULL || strstr(line->text, known[i].also) == NULL)
            continue;
        /* The text of an event follows its number, and does not count as a second one. */
        bool counted = numbers->log_event == known[i].message + 1;
        if (!counted)
            note(capture, known[i].message, times_of(line->text), known[i].os);
        numbers->log_event = 0;
        numbers->log_lines++;
        return true;
    }
    return false;
}
