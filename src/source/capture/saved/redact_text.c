#include "source/capture/saved/redact_text.h"

#include <stdio.h>
#include <string.h>

#include "model/ip.h"
#include "model/state.h"

static bool is_among(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

bool redact_is_os(const char *text)
{
    static const char *const names[] = { "linux", "windows", "macos", "freebsd", "aix", "netbsd", "openbsd", "solaris",
        NULL };
    return is_among(text, names);
}

bool redact_is_source(const char *text)
{
    static const char *const names[] = { "linux-bpf", "linux-sock-diag", "linux-proc-net-tcp", "several", "snapshot",
        "capture-windows-netstat", "capture-linux-netstat", "capture-numbers", "capture-ss", "capture-proc-net-tcp",
        "capture-bsd-netstat", "capture-solaris-netstat", "capture-lsof", "capture-powershell-table",
        "capture-powershell-list", "capture-powershell-csv", "capture-powershell-json", "capture-conntrack",
        "capture-tcpview", "capture-table", NULL };
    return is_among(text, names);
}

bool redact_is_call(const char *text)
{
    static const char *const names[] = { "accept", "accept4", "clock_nanosleep", "connect", "epoll_pwait", "epoll_wait",
        "fcntl", "flock", "fsync", "futex", "io_uring_enter", "nanosleep", "pause", "poll", "ppoll", "pselect6", "read",
        "readv", "recvfrom", "recvmsg", "rt_sigsuspend", "rt_sigtimedwait", "select", "sendmsg", "sendto", "wait4",
        "waitid", "write", "writev", NULL };
    return is_among(text, names);
}

/* Nearly all such functions have an underscore. A word without one could be a name. */
bool redact_is_channel(const char *text)
{
    enum { LENGTH_MAX = 64 };
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    size_t length = strlen(text);
    return length <= LENGTH_MAX && strspn(text, letters) == length && strchr(text, '_') != NULL;
}

/* True for "kind:[number]". */
static bool is_numbered(const char *text, const char *kind)
{
    size_t length = strlen(kind);
    if (strncmp(text, kind, length) != 0 || strncmp(text + length, ":[", 2) != 0)
        return false;
    const char *number = text + length + 2;
    size_t digits = strspn(number, "0123456789");
    return digits > 0 && strcmp(number + digits, "]") == 0;
}

bool redact_is_object(const char *text)
{
    static const char *const names[] = { "a pipe", "a socket that is not TCP", "anon_inode:[eventpoll]",
        "anon_inode:[eventfd]", "anon_inode:[timerfd]", "anon_inode:[signalfd]", "anon_inode:[io_uring]",
        "anon_inode:[pidfd]", "anon_inode:[userfaultfd]", "anon_inode:[perf_event]", "anon_inode:[fanotify]",
        "anon_inode:inotify", "/dev/null", NULL };
    return is_among(text, names) || is_numbered(text, "pipe") || is_numbered(text, "socket");
}

bool redact_is_netns(const char *text)
{
    return strcmp(text, "host") == 0 || is_numbered(text, "net");
}

size_t redact_version_length(const char *kernel)
{
    size_t length = strspn(kernel, "0123456789.-");
    while (length > 0 && strchr(".-", kernel[length - 1]) != NULL)
        length--;
    return length;
}

/* The length of "the listener on " or "the ESTABLISHED connection to " if the text begins with it; else 0. */
static size_t introduction_length(const char *text)
{
    static const char listener[] = "the listener on ";
    if (strncmp(text, listener, sizeof listener - 1) == 0)
        return sizeof listener - 1;
    for (int state = STATE_UNKNOWN; state < STATE_COUNT; state++) {
        char words[64];
        int length = snprintf(words, sizeof words, "the %s connection to ", state_name((enum conn_state)state));
        if (length > 0 && strncmp(text, words, (size_t)length) == 0)
            return (size_t)length;
    }
    return 0;
}

size_t redact_parse_target(const char *text, struct ip *ret_address, const char **ret_port)
{
    char address[64];
    struct ip_net net;
    size_t length = introduction_length(text);
    const char *begin = text + length, *colon = strrchr(text, ':');
    if (length == 0 || colon == NULL || colon < begin || (size_t)(colon - begin) >= sizeof address)
        return 0;
    if (colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return 0;
    snprintf(address, sizeof address, "%.*s", (int)(colon - begin), begin);
    if (ip_net_parse(address, &net) < 0)
        return 0;
    *ret_address = net.address;
    *ret_port = colon;
    return length;
}
