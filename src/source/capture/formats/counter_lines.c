/*
 * Counters of a host: ss -s; /proc/net/sockstat, snmp and netstat; nstat; and netstat -s of net-tools (statistics.c),
 * Windows and FreeBSD, which prints a sentence for each counter.
 */
#include "source/capture/formats/numbers.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "source/text/proc_values.h"

/* --- values ------------------------------------------------------------------------------------------------------- */

/* True for a counter that only rises since the host started; false for a present value. */
static bool is_sum(enum counter counter)
{
    return counter_infos[counter].file != COUNTER_FILE_SOCKSTAT && counter != COUNTER_CURR_ESTAB;
}

static void set_counter(struct numbers *numbers, enum counter counter, int64_t value)
{
    struct net_values *values = &numbers->values;
    if (values->has_counter[counter] && is_sum(counter) && !numbers->has_previous) {
        numbers->previous = *values; /* the counters are printed a second time */
        numbers->has_previous = true;
    }
    values->counters[counter] = value;
    values->has_counter[counter] = true;
}

static void copy_counters(struct numbers *numbers, const struct net_values *read)
{
    for (int counter = 0; counter < COUNTER_COUNT; counter++) {
        if (read->has_counter[counter])
            set_counter(numbers, (enum counter)counter, read->counters[counter]);
    }
}

/*
 * Finds a counter by the kernel's name, with the name of its line before it ("TcpExt") or without. COUNTER_COUNT: none.
 */
static enum counter counter_named(const char *name, size_t length)
{
    int counter = 0;
    for (; counter < COUNTER_COUNT; counter++) {
        const struct counter_info *info = &counter_infos[counter];
        size_t line = strlen(info->line);
        if (info->file == COUNTER_FILE_SOCKSTAT)
            continue;
        bool behind = length > line && strncmp(name, info->line, line) == 0 && strlen(info->name) == length - line &&
            memcmp(name + line, info->name, length - line) == 0;
        if (behind || (strlen(info->name) == length && memcmp(name, info->name, length) == 0))
            break;
    }
    return (enum counter)counter;
}

/* --- ss -s -------------------------------------------------------------------------------------------------------- */

/* Reads the number after `name`, anywhere in the line: "estab 1556". */
static bool value_behind(const char *text, const char *name, uint64_t *ret_value)
{
    const char *at = strstr(text, name);
    if (at == NULL)
        return false;
    at += strlen(name);
    char *end;
    unsigned long long value = strtoull(at, &end, 10);
    *ret_value = value;
    return end > at;
}

static void add_state(struct capture *capture, enum conn_state state, uint64_t count)
{
    for (size_t i = 0; i < capture->snapshot->total_count; i++) {
        if (capture->snapshot->totals[i].state == state)
            return; /* counts by state say more */
    }
    struct total *total = snapshot_add_total(capture->snapshot);
    if (total == NULL)
        return;
    total->state = (uint8_t)state;
    total->count = count;
}

/*
 * "TCP:   1655 (estab 1556, closed 39, orphaned 40, synrecv 0, timewait 39/0), ports 0": print_summary() in misc/ss.c
 */
static bool read_ss_summary(struct capture *capture, const char *text)
{
    uint64_t value;
    if (strncmp(text, "TCP:", 4) != 0 || !value_behind(text, "(estab ", &value))
        return false;
    numbers_note_os(capture, "linux");
    add_state(capture, STATE_ESTABLISHED, value);
    if (value_behind(text, "orphaned ", &value))
        set_counter(&capture->numbers, COUNTER_ORPHANS, (int64_t)value);
    if (value_behind(text, "synrecv ", &value) && value > 0)
        add_state(capture, STATE_SYN_RECEIVED, value);
    if (value_behind(text, "timewait ", &value)) {
        set_counter(&capture->numbers, COUNTER_TIME_WAIT, (int64_t)value);
        add_state(capture, STATE_TIME_WAIT, value);
    }
    return true;
}

/* The other lines of ss -s, which say nothing about TCP connections. */
static bool is_ss_table(const char *text)
{
    static const char *const rows[] = { "Transport Total", "RAW\t", "RAW ", "UDP\t", "UDP ", "TCP\t", "INET\t", "INET ",
        "FRAG\t", "FRAG ", "Total: " };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(text, rows[i], strlen(rows[i])) == 0)
            return true;
    }
    return false;
}

/* --- /proc -------------------------------------------------------------------------------------------------------- */

static bool read_proc(struct capture *capture, const char *text)
{
    enum { LENGTH_MAX = 16384 };
    struct numbers *numbers = &capture->numbers;
    struct net_values read = { 0 };
    if (strncmp(text, "TCP: inuse ", 11) == 0) {
        proc_parse_counters(text, COUNTER_FILE_SOCKSTAT, &read);
        copy_counters(numbers, &read);
        numbers_note_os(capture, "linux");
        return true;
    }
    bool is_tcp = strncmp(text, "Tcp: ", 5) == 0, is_ext = strncmp(text, "TcpExt: ", 8) == 0;
    if ((!is_tcp && !is_ext) || strlen(text) > LENGTH_MAX)
        return false;
    const char *first = text + (is_tcp ? 5 : 8);
    numbers_note_os(capture, "linux");
    if (isalpha((unsigned char)*first)) {
        numbers->names = arena_strdup(&capture->snapshot->arena, text);
        return true;
    }
    if (numbers->names == NULL)
        return false;
    const char *both = arena_printf(&capture->snapshot->arena, "%s\n%s\n", numbers->names, text);
    proc_parse_counters(both, is_tcp ? COUNTER_FILE_SNMP : COUNTER_FILE_NETSTAT, &read);
    copy_counters(numbers, &read);
    numbers->names = NULL;
    return true;
}

/* --- sentences ---------------------------------------------------------------------------------------------------- */

/* "67 times the listen queue of a socket overflowed": the number is the first word. */
static const struct {
    const char *sentence;
    enum counter counter;
} sentences[] = {
    { "active connection openings", COUNTER_ACTIVE_OPENS },
    { "active connections openings", COUNTER_ACTIVE_OPENS },
    { "passive connection openings", COUNTER_PASSIVE_OPENS },
    { "failed connection attempts", COUNTER_ATTEMPT_FAILS },
    { "connection resets received", COUNTER_ESTAB_RESETS },
    { "connections established", COUNTER_CURR_ESTAB },
    { "segments retransmitted", COUNTER_RETRANS_SEGS },
    { "segments retransmited", COUNTER_RETRANS_SEGS },
    { "resets sent", COUNTER_OUT_RSTS },
    { "times the listen queue of a socket overflowed", COUNTER_LISTEN_OVERFLOWS },
    { "SYNs to LISTEN sockets dropped", COUNTER_LISTEN_DROPS },
    { "SYNs to LISTEN sockets ignored", COUNTER_LISTEN_DROPS },
    { "SYN cookies sent", COUNTER_SYNCOOKIES_SENT },
    { "SYN cookies received", COUNTER_SYNCOOKIES_RECV },
    { "invalid SYN cookies received", COUNTER_SYNCOOKIES_FAILED },
    { "other TCP timeouts", COUNTER_TIMEOUTS },
    { "connections reset due to unexpected data", COUNTER_ABORT_ON_DATA },
    { "connections reset due to early user close", COUNTER_ABORT_ON_CLOSE },
    { "connections aborted due to memory pressure", COUNTER_ABORT_ON_MEMORY },
    { "connections aborted due to timeout", COUNTER_ABORT_ON_TIMEOUT },
    { "connections aborted after user close in linger timeout", COUNTER_ABORT_ON_LINGER },
    { "times the listen queue overflowed", COUNTER_LISTEN_OVERFLOWS },
    { "listen queue overflows", COUNTER_LISTEN_OVERFLOWS },
    { "packets pruned from receive queue because of socket buffer overrun", COUNTER_PRUNE_CALLED },
    { "TCP sockets finished time wait in fast timer", COUNTER_TIME_WAITED },
};

/* Windows: "Active Opens                        = 5123", once for IPv4 and once for IPv6. */
static const struct {
    const char *name;
    enum counter counter;
} windows_names[] = {
    { "Active Opens", COUNTER_ACTIVE_OPENS },
    { "Passive Opens", COUNTER_PASSIVE_OPENS },
    { "Failed Connection Attempts", COUNTER_ATTEMPT_FAILS },
    { "Reset Connections", COUNTER_ESTAB_RESETS },
    { "Current Connections", COUNTER_CURR_ESTAB },
    { "Segments Retransmitted", COUNTER_RETRANS_SEGS },
};

static bool read_windows(struct capture *capture, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return false;
    size_t length = (size_t)(equals - text);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    for (size_t i = 0; i < sizeof windows_names / sizeof *windows_names; i++) {
        if (strlen(windows_names[i].name) != length || memcmp(windows_names[i].name, text, length) != 0)
            continue;
        char *end;
        long long value = strtoll(equals + 1, &end, 10);
        if (end == equals + 1)
            return false;
        /* Windows prints IPv4 first and IPv6 after it. The kernel of a host counts them apart, so they are added. */
        struct net_values *values = &capture->numbers.values;
        enum counter counter = windows_names[i].counter;
        values->counters[counter] += value;
        values->has_counter[counter] = true;
        numbers_note_os(capture, "windows");
        return true;
    }
    return false;
}

static bool read_sentence(struct capture *capture, const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != ' ')
        return false;
    const char *sentence = end + strspn(end, " ");
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        const char *known = sentences[i].sentence;
        if (strncmp(sentence, known, strlen(known)) == 0) {
            set_counter(&capture->numbers, sentences[i].counter, value);
            if (strcmp(known, "listen queue overflows") != 0) /* FreeBSD prints this one too */
                numbers_note_os(capture, "linux");
            return true;
        }
    }
    return false;
}

/* "TCPTimeWaitOverflow: 27360" of netstat -s, "TcpExtListenOverflows  67  0.0" of nstat. */
static bool read_named(struct capture *capture, const char *text)
{
    size_t length = strcspn(text, " :\t=");
    const char *rest = text + length + strspn(text + length, " :\t=");
    char *end;
    long long value = strtoll(rest, &end, 10);
    enum counter counter = length > 0 ? counter_named(text, length) : COUNTER_COUNT;
    if (counter == COUNTER_COUNT || end == rest || rest == text + length)
        return false;
    set_counter(&capture->numbers, counter, value);
    numbers_note_os(capture, "linux");
    return true;
}

/* True for the heading of a part of netstat -s. */
static bool is_section(const char *text)
{
    static const char *const sections[] = { "Tcp:", "TcpExt:", "#kernel" };
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (strcmp(text, sections[i]) == 0)
            return true;
    }
    return false;
}

bool counter_line(struct capture *capture, const struct line *line)
{
    const char *text = line->text + strspn(line->text, " \t");
    if (read_ss_summary(capture, text) || read_proc(capture, text)) {
        capture->numbers.summary_lines++;
        return true;
    }
    if (is_section(text)) {
        numbers_note_os(capture, "linux");
        return true;
    }
    if (capture->numbers.summary_lines > 0 && is_ss_table(text))
        return true;
    if (!read_windows(capture, text) && !read_sentence(capture, text) && !read_named(capture, text))
        return false;
    capture->numbers.counter_lines++;
    return true;
}
