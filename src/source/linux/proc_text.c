#include "source/linux/proc_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/text/scan.h"

/* --- processes -------------------------------------------------------------------------------------------------- */

int proc_parse_stat(const char *text, struct proc_stat *ret_stat)
{
    enum { PF_KTHREAD = 0x00200000 }; /* include/linux/sched.h */
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')');
    if (open == NULL || close == NULL || close < open)
        return -EBADMSG;
    struct proc_stat stat = { 0 };
    size_t length = (size_t)(close - open - 1);
    if (length >= sizeof stat.name)
        length = sizeof stat.name - 1;
    memcpy(stat.name, open + 1, length);

    unsigned long flags;
    /* Fields 3 to 22: state ppid pgrp session tty tpgid flags … num_threads itrealvalue starttime */
    int fields = sscanf(close + 1,
        " %c %" SCNu32 " %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %" SCNu32 " %*d %" SCNu64,
        &stat.state, &stat.parent_pid, &flags, &stat.threads, &stat.start_ticks);
    if (fields != 5)
        return -EBADMSG;
    stat.kernel_thread = (flags & PF_KTHREAD) != 0;
    *ret_stat = stat;
    return 0;
}

/* The text behind the first line that starts with `word`, or NULL. */
static const char *line_after(const char *text, const char *word)
{
    size_t length = strlen(word);
    while (text != NULL) {
        if (strncmp(text, word, length) == 0)
            return text + length;
        text = strchr(text, '\n');
        if (text != NULL)
            text++;
    }
    return NULL;
}

int proc_parse_status_uid(const char *text, uint32_t *ret_uid)
{
    const char *line = line_after(text, "Uid:");
    uint32_t uid;
    if (line == NULL || sscanf(line, "%*u %" SCNu32, &uid) != 1)
        return -EBADMSG;
    *ret_uid = uid;
    return 0;
}

uint32_t proc_parse_status_tracer(const char *text)
{
    const char *line = line_after(text, "TracerPid:");
    uint32_t pid;
    return line != NULL && sscanf(line, "%" SCNu32, &pid) == 1 ? pid : 0;
}

uint64_t proc_parse_status_switches(const char *text)
{
    const char *line = line_after(text, "voluntary_ctxt_switches:");
    uint64_t switches;
    return line != NULL && sscanf(line, "%" SCNu64, &switches) == 1 ? switches : 0;
}

static bool scan_limit(const char **line, uint32_t *ret_limit)
{
    uint64_t limit;
    *line += strspn(*line, " ");
    if (strncmp(*line, "unlimited", strlen("unlimited")) == 0) {
        *line += strlen("unlimited");
        *ret_limit = UINT32_MAX;
        return true;
    }
    if (!scan_decimal(line, &limit))
        return false;
    *ret_limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
    return true;
}

int proc_parse_limits(const char *text, uint32_t *ret_soft, uint32_t *ret_hard)
{
    const char *line = line_after(text, "Max open files");
    uint32_t soft, hard;
    if (line == NULL || !scan_limit(&line, &soft) || !scan_limit(&line, &hard))
        return -EBADMSG;
    *ret_soft = soft;
    *ret_hard = hard;
    return 0;
}

int proc_parse_fdinfo_flags(const char *text, uint32_t *ret_flags)
{
    const char *line = line_after(text, "flags:");
    uint32_t flags;
    if (line == NULL || sscanf(line, "%" SCNo32, &flags) != 1)
        return -EBADMSG;
    *ret_flags = flags;
    return 0;
}

/* The number in "PREFIX[12345]". */
static bool parse_inode_link(const char *link, size_t length, const char *prefix, uint64_t max, uint64_t *ret_inode)
{
    size_t start = strlen(prefix);
    if (length <= start || memcmp(link, prefix, start) != 0 || link[length - 1] != ']')
        return false;
    uint64_t inode = 0;
    for (size_t i = start; i < length - 1; i++) {
        if (link[i] < '0' || link[i] > '9' || inode > max / 10)
            return false;
        inode = inode * 10 + (uint64_t)(link[i] - '0');
    }
    *ret_inode = inode;
    return inode != 0 && inode <= max;
}

bool proc_parse_socket_link(const char *link, size_t length, uint32_t *ret_inode)
{
    uint64_t inode;
    if (!parse_inode_link(link, length, "socket:[", UINT32_MAX, &inode))
        return false;
    *ret_inode = (uint32_t)inode;
    return true;
}

bool proc_parse_netns_link(const char *link, size_t length, uint64_t *ret_inode)
{
    return parse_inode_link(link, length, "net:[", UINT32_MAX, ret_inode); /* inode numbers of nsfs have 32 bits */
}

int proc_parse_syscall(const char *text, long *ret_number, uint64_t *ret_argument)
{
    long number;
    unsigned long long argument = 0;
    if (strncmp(text, "running", strlen("running")) == 0) {
        *ret_number = -1;
        *ret_argument = 0;
        return 0;
    }
    if (sscanf(text, "%ld %llx", &number, &argument) < 1)
        return -EBADMSG;
    *ret_number = number;
    *ret_argument = argument;
    return 0;
}

/* --- control groups --------------------------------------------------------------------------------------------- */

size_t proc_parse_cgroup(const char *text, const char **ret_path)
{
    size_t best = 0;
    const char *unified = line_after(text, "0::");
    if (unified != NULL) {
        best = strcspn(unified, "\n");
        *ret_path = unified;
        if (best > 1)
            return best;
    }
    const char *named = strstr(text, ":name=systemd:");
    if (named != NULL) {
        named += strlen(":name=systemd:");
        size_t length = strcspn(named, "\n");
        if (length > best) {
            *ret_path = named;
            best = length;
        }
    }
    return best;
}
