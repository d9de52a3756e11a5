/*
 * Settings in the text: sysctl, cat of its files, netsh int ipv4 show dynamicport and excludedportrange,
 * Get-NetTCPSetting, ulimit. netsh of Windows is translated, but the order of its lines is always the same.
 */
#include "source/capture/formats/numbers.h"

#include <stdlib.h>
#include <strings.h>

#include "source/text/proc_values.h"

enum netsh { NETSH_NONE, NETSH_START, NETSH_NUMBER, NETSH_EXCLUDED };

static bool contains(const char *text, const char *what)
{
    return strcasestr(text, what) != NULL;
}

/* --- sysctl ------------------------------------------------------------------------------------------------------- */

static void set_setting(struct capture *capture, enum setting setting, int64_t value)
{
    capture->numbers.values.settings[setting] = value;
    capture->numbers.values.has_setting[setting] = true;
}

/* Sets all settings that are read from this sysctl. */
static void set_sysctl(struct capture *capture, const char *name, const char *value)
{
    struct numbers *numbers = &capture->numbers;
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(setting_infos[i].name, name) != 0)
            continue;
        if (i == SETTING_RESERVED_PORTS) /* counted when the range is known */
            numbers->reserved = arena_strdup(&capture->snapshot->arena, value);
        else
            proc_parse_setting(value, (enum setting)i, &numbers->values);
    }
    numbers_note_os(capture, "linux");
}

/* The sysctl whose name, or the last part of it, ends the text; NULL: none. Slashes may stand for dots. */
static const char *sysctl_named(const char *text, size_t length)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *name = setting_infos[i].name, *last = strrchr(name, '.') + 1;
        size_t whole = strlen(name), part = strlen(last);
        if (length < part || strncmp(text + length - part, last, part) != 0)
            continue;
        if (length == part || text[length - part - 1] == '/' ||
            (length >= whole && strncmp(text + length - whole, name, whole) == 0))
            return name;
    }
    return NULL;
}

/* "net.ipv4.tcp_max_orphans = 1024", "/proc/sys/net/ipv4/ip_local_port_range:32768 60999". */
static bool read_sysctl(struct capture *capture, const char *text)
{
    size_t length = strcspn(text, " \t=:");
    const char *rest = text + length;
    const char *value = rest + strspn(rest, " \t=:");
    if (memchr(rest, '=', (size_t)(value - rest)) == NULL && memchr(rest, ':', (size_t)(value - rest)) == NULL)
        return false;
    const char *name = sysctl_named(text, length);
    if (name != NULL)
        set_sysctl(capture, name, value);
    return name != NULL;
}

/* Notes which file the next line comes from: "$ cat /proc/sys/net/ipv4/ip_local_port_range", "sysctl -n …". */
static void note_file(struct capture *capture, const char *text)
{
    struct numbers *numbers = &capture->numbers;
    numbers->pending = 0;
    const char *name = strstr(text, "/proc/sys/net/");
    if (name == NULL)
        name = strstr(text, "sysctl -n ");
    if (name == NULL)
        return;
    name += strncmp(name, "sysctl", 6) == 0 ? strlen("sysctl -n ") : 0;
    const char *found = sysctl_named(name, strcspn(name, " \t;|&"));
    for (int i = 0; found != NULL && i < SETTING_COUNT && numbers->pending == 0; i++) {
        if (strcmp(setting_infos[i].name, found) == 0)
            numbers->pending = 1 + i;
    }
}

static bool read_pending(struct capture *capture, const char *text)
{
    struct numbers *numbers = &capture->numbers;
    bool is_value = *text != '\0' && strspn(text, "0123456789,- \t") == strlen(text);
    if (numbers->pending == 0 || !is_value)
        return false;
    set_sysctl(capture, setting_infos[numbers->pending - 1].name, text);
    numbers->pending = 0;
    return true;
}

/* BSD and macOS: "net.inet.ip.portrange.first: 49152". */
static bool read_bsd(struct capture *capture, const char *text)
{
    static const struct {
        const char *name;
        enum setting setting;
    } known[] = {
        { "net.inet.ip.portrange.first", SETTING_PORT_RANGE_FIRST },
        { "net.inet.ip.portrange.last", SETTING_PORT_RANGE_LAST },
    };
    size_t length = strcspn(text, ": =");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) != length || strncmp(known[i].name, text, length) != 0)
            continue;
        const char *value = text + length + strspn(text + length, ": =");
        char *end;
        long long number = strtoll(value, &end, 10);
        if (end == value)
            return false;
        set_setting(capture, known[i].setting, number);
        return true;
    }
    return strncmp(text, "net.inet.ip.portrange.", 22) == 0;
}

/* --- netsh -------------------------------------------------------------------------------------------------------- */

/* Reads the number after the last colon. False if there is anything else. */
static bool number_behind_colon(const char *text, uint64_t *ret_number)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    const char *at = colon + 1 + strspn(colon + 1, " \t");
    struct token token = { at, strcspn(at, " \t") };
    return at[token.length + strspn(at + token.length, " \t")] == '\0' &&
        token_number(&token, UINT16_MAX + 1, ret_number);
}

static void set_range_start(struct capture *capture, uint64_t start)
{
    struct numbers *numbers = &capture->numbers;
    if (numbers->netsh_is_v6 && numbers->has_v4_range)
        return;
    set_setting(capture, SETTING_PORT_RANGE_FIRST, (int64_t)start);
    numbers->values.has_setting[SETTING_PORT_RANGE_LAST] = false;
}

static void set_range_number(struct capture *capture, uint64_t number)
{
    struct numbers *numbers = &capture->numbers;
    if (numbers->netsh_is_v6 && numbers->has_v4_range)
        return;
    int64_t first = numbers->values.settings[SETTING_PORT_RANGE_FIRST];
    set_setting(capture, SETTING_PORT_RANGE_LAST, first + (int64_t)number - 1);
    numbers->has_v4_range |= !numbers->netsh_is_v6;
    numbers_note_os(capture, "windows");
}

/* "5357        5357", "50000       50059     *" */
static bool read_excluded(struct numbers *numbers, const char *text)
{
    struct token words[4];
    uint64_t first, last;
    unsigned count = tokens_split(text, strlen(text), words, 4, NULL);
    if (count < 2 || count > 3 || !token_number(&words[0], UINT16_MAX, &first) ||
        !token_number(&words[1], UINT16_MAX, &last) || last < first || (count == 3 && !token_is(&words[2], "*")))
        return false;
    if (!numbers->netsh_is_v6 && numbers->excluded_count < NUMBERS_TABLE_ROWS_MAX)
        numbers->excluded[numbers->excluded_count++] = (struct port_span){ (uint32_t)first, (uint32_t)last };
    return true;
}

/*
 * Notes a netsh command or the heading that it prints: "Protocol tcp Dynamic Port Range", "Protokoll tcp dynamischer
 * Portbereich". True for a heading.
 */
static bool note_netsh(struct numbers *numbers, const char *text)
{
    bool command = contains(text, "netsh int");
    bool excluded = contains(text, "excludedportrange") || contains(text, "Port Exclusion Ranges") ||
        contains(text, "Portausschlussbereiche") || contains(text, "exclusion de ports");
    bool dynamic = contains(text, "dynamicport") || (contains(text, "tcp") && contains(text, "dynam"));
    if (!excluded && !dynamic)
        return false;
    numbers->netsh = excluded ? NETSH_EXCLUDED : contains(text, "udp") ? NETSH_NONE : NETSH_START;
    if (command)
        numbers->netsh_is_v6 = contains(text, "ipv6");
    return !command;
}

static bool read_netsh(struct capture *capture, const char *text)
{
    struct numbers *numbers = &capture->numbers;
    uint64_t number;
    if (strncmp(text, "DynamicPortRangeStartPort", 25) == 0 && number_behind_colon(text, &number)) {
        set_range_start(capture, number);
        return true;
    }
    if (strncmp(text, "DynamicPortRangeNumberOfPorts", 29) == 0 && number_behind_colon(text, &number)) {
        set_range_number(capture, number);
        return true;
    }
    if (note_netsh(numbers, text))
        return true;
    if (numbers->netsh == NETSH_EXCLUDED)
        return read_excluded(numbers, text);
    if (numbers->netsh == NETSH_NONE || !number_behind_colon(text, &number))
        return false;
    if (numbers->netsh == NETSH_START)
        set_range_start(capture, number);
    else
        set_range_number(capture, number);
    numbers->netsh = numbers->netsh == NETSH_START ? NETSH_NUMBER : NETSH_NONE;
    return true;
}

/* --- ulimit ------------------------------------------------------------------------------------------------------- */

/* "open files                      (-n) 1024" of ulimit -a, "Max open files  1024  4096  files" of /proc/PID/limits. */
static bool read_ulimit(struct capture *capture, const char *text)
{
    struct numbers *numbers = &capture->numbers;
    const char *at = NULL;
    if (strncmp(text, "open files", 10) == 0)
        at = strstr(text, "-n)");
    else if (strncmp(text, "Max open files", 14) == 0)
        at = text + 14;
    if (at != NULL)
        at += strspn(at, "-n) \t");
    else if (numbers->asked_files && *text != '\0' && strspn(text, "0123456789") == strlen(text))
        at = text;
    numbers->asked_files = false;
    if (at == NULL) {
        const char *command = strstr(text, "ulimit -");
        numbers->asked_files = command != NULL && strchr(command, 'n') != NULL;
        return false;
    }
    char *end;
    unsigned long value = strtoul(at, &end, 10);
    if (end == at || value == 0 || value >= UINT32_MAX)
        return false;
    numbers->files_limit = (uint32_t)value;
    numbers->limits_are_of_process = text[0] == 'M';
    unsigned long hard = numbers->limits_are_of_process ? strtoul(end, NULL, 10) : 0;
    numbers->files_hard = hard < UINT32_MAX ? (uint32_t)hard : 0;
    return true;
}

bool setting_line(struct capture *capture, const struct line *line)
{
    enum { LENGTH_MAX = 1024 };
    const char *text = line->text + strspn(line->text, " \t");
    if (line->length > LENGTH_MAX)
        return false;
    bool read = read_pending(capture, text) || read_sysctl(capture, text) || read_bsd(capture, text) ||
        read_ulimit(capture, text) || read_netsh(capture, text);
    if (!read)
        note_file(capture, text);
    capture->numbers.setting_lines += read;
    return read;
}
