/* The texts of /proc. The first byte chooses the parser, the rest is the text. */
#include "fuzz.h"

#include "source/text/cgroup_path.h"
#include "source/text/proc_net_tcp_row.h"
#include "source/linux/proc_text.h"
#include "source/text/proc_values.h"

/* Fails unless the part lies inside the text. */
static void expect_part(const char *text, const char *part, size_t length)
{
    if (length > 0)
        FUZZ_EXPECT(part >= text && part + length <= text + strlen(text));
}

static void net_tcp(const char *text, bool ipv6)
{
    struct conn conn;
    if (proc_parse_net_tcp_row(text, ipv6, &conn) == 0)
        FUZZ_EXPECT(conn.state < STATE_COUNT && conn.holder == NO_INDEX && conn.ipv6 == ipv6);
}

static void net_tcp4(const char *text)
{
    net_tcp(text, false);
}

static void net_tcp6(const char *text)
{
    net_tcp(text, true);
}

static void stat(const char *text)
{
    struct proc_stat stat;
    if (proc_parse_stat(text, &stat) == 0)
        FUZZ_EXPECT(memchr(stat.name, '\0', sizeof stat.name) != NULL);
}

static void status_and_limits(const char *text)
{
    uint32_t number, hard;
    proc_parse_status_uid(text, &number);
    proc_parse_limits(text, &number, &hard);
    proc_parse_fdinfo_flags(text, &number);
}

static void socket_link(const char *text)
{
    size_t length = strlen(text);
    uint8_t *exact = fuzz_bytes((const uint8_t *)text, length); /* readlink() appends no NUL */
    uint32_t inode;
    proc_parse_socket_link((const char *)exact, length, &inode);
    free(exact);
}

static void cgroup(const char *text)
{
    const char *path = NULL, *part = NULL;
    size_t length = proc_parse_cgroup(text, &path);
    expect_part(text, path, length);
    length = proc_cgroup_unit(text, &part);
    expect_part(text, part, length);
    length = proc_cgroup_container(text, &part);
    expect_part(text, part, length);
}

static void counters(const char *text)
{
    struct net_values values = { 0 };
    for (int file = COUNTER_FILE_SOCKSTAT; file <= COUNTER_FILE_SNMP; file++)
        proc_parse_counters(text, (enum counter_file)file, &values);
}

static void settings(const char *text)
{
    struct net_values values = { 0 };
    for (int setting = 0; setting < SETTING_COUNT; setting++)
        proc_parse_setting(text, (enum setting)setting, &values);
    FUZZ_EXPECT(proc_count_reserved_ports(text, 32768, 60999) <= 60999 - 32768 + 1);
    FUZZ_EXPECT(proc_count_reserved_ports(text, 0, 65535) <= 65536);
}

static void call(const char *text)
{
    long number;
    uint64_t argument;
    proc_parse_syscall(text, &number, &argument);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(const char *) = {
        net_tcp4,
        net_tcp6,
        stat,
        status_and_limits,
        socket_link,
        cgroup,
        counters,
        settings,
        call,
    };
    if (size == 0)
        return 0;
    char *text = fuzz_string(data + 1, size - 1);
    parsers[data[0] % (sizeof parsers / sizeof *parsers)](text);
    free(text);
    return 0;
}
