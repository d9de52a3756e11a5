#include "source/linux/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "source/linux/proc_file.h"
#include "source/linux/proc_text.h"
#include "source/text/proc_values.h"

/* "net.ipv4.tcp_mem" -> "/proc/sys/net/ipv4/tcp_mem" */
static void sysctl_path(const char *name, char *path, size_t size)
{
    snprintf(path, size, "/proc/sys/%s", name);
    for (char *c = path + strlen("/proc/sys/"); *c != '\0'; c++) {
        if (*c == '.')
            *c = '/';
    }
}

void settings_read_counters(struct net_values *values)
{
    static const struct {
        const char *path;
        enum counter_file file;
    } counter_files[] = {
        { "/proc/thread-self/net/sockstat", COUNTER_FILE_SOCKSTAT },
        { "/proc/thread-self/net/netstat", COUNTER_FILE_NETSTAT },
        { "/proc/thread-self/net/snmp", COUNTER_FILE_SNMP },
    };
    char text[32 * 1024];
    values->counters_at_ms = clock_real_ms();
    for (size_t i = 0; i < sizeof counter_files / sizeof *counter_files; i++) {
        if (proc_read(AT_FDCWD, counter_files[i].path, text, sizeof text) > 0)
            proc_parse_counters(text, counter_files[i].file, values);
    }
}

void settings_read(struct net_values *values)
{
    char text[32 * 1024];
    const char *last = "";
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *name = setting_infos[i].name;
        if (strcmp(name, last) != 0) { /* settings of one file are neighbours in the table: read it once */
            char path[96];
            sysctl_path(name, path, sizeof path);
            proc_read(AT_FDCWD, path, text, sizeof text);
            last = name;
        }
        proc_parse_setting(text, (enum setting)i, values);
    }
    settings_read_counters(values);
}
