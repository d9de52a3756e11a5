#include "model/gap.h"

#include <string.h>

const struct gap_info gap_infos[GAP_KIND_COUNT] = {
    [GAP_ADDRESSES_CUT] = { "addresses-cut",
        "ask for wide output: netstat -W (Linux, FreeBSD), netstat -l (macOS), or ss", true },
    [GAP_AGES_UNKNOWN] = { "ages-unknown", "use --source netlink", false },
    [GAP_ANOTHER_FORMAT] = { "another-format", "put each program's output into a file of its own", true },
    [GAP_CAPTURES_REORDERED] = { "captures-reordered", "give them in order, earliest first", false },
    [GAP_COUNTS_ONLY] = { "counts-only", NULL, true },
    [GAP_ENDS_AMBIGUOUS] = { "ends-ambiguous", "look at one network namespace at a time: tcpwhy --netns NAME", false },
    [GAP_ENDS_HIDDEN] = { "ends-hidden",
        "add a snapshot of what stands between them, or look at its table (conntrack -L)", false },
    [GAP_ENDS_UNKNOWN] = { "ends-unknown",
        "take both snapshots at one moment, with clocks: tcpwhy capture, or ss -tanpiemo as root", false },
    [GAP_HOSTS_APART] = { "hosts-apart", "take the snapshots at the same time, on hosts whose clocks agree", false },
    [GAP_HOSTS_INCOMPLETE] = { "hosts-incomplete", "ask for the file as it was saved", false },
    [GAP_HOSTS_REDACTED] = { "hosts-redacted",
        "redact them together, while they have their names: tcpwhy capture --from A --from B --redact -o FILE", false },
    [GAP_LIMIT_OF_SHELL] = { "limit-of-shell", "ask for: cat /proc/PID/limits, and ls /proc/PID/fd | wc -l, as root",
        false },
    [GAP_LINES_NOT_UNDERSTOOD] = { "lines-not-understood", NULL, true },
    [GAP_NAMES_FOR_ADDRESSES] = { "names-for-addresses", "ask for numbers: -n of netstat and ss, -nP of lsof", true },
    [GAP_NETLINK_REFUSED] = { "netlink-refused",
        "allow AF_NETLINK sockets (seccomp, systemd's RestrictAddressFamilies=), or load the module tcp_diag", false },
    [GAP_NETNS_HIDDEN] = { "netns-hidden",
        "run as root, or with CAP_SYS_ADMIN (to enter) and CAP_SYS_PTRACE (to find) network namespaces", true },
    [GAP_NOT_IN_CAPTURE] = { "not-in-capture", NULL, false },
    [GAP_OWNERS_ELSEWHERE] = { "owners-elsewhere",
        "look in other PID namespaces (nsenter -t PID -a tcpwhy); a descriptor may also be on its way between two "
        "processes, an io_uring fixed file, or the kernel's own socket (NFS, CIFS, a VPN)",
        false },
    [GAP_OWNERS_HIDDEN] = { "owners-hidden",
        "run as root with all capabilities, or grant CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH", false },
    [GAP_OWNERS_UNSETTLED] = { "owners-unsettled",
        "look again, and find what starts processes so fast; the owner may also be in another PID namespace (nsenter "
        "-t PID -a tcpwhy), or the kernel itself (NFS, CIFS, a VPN)",
        false },
    [GAP_PROCESSES_UNNAMED] = { "processes-unnamed",
        "ask for the output of tasklist (or Get-Process), of the same moment, and give it with --tasks FILE", false },
    [GAP_RATES_UNKNOWN] = { "rates-unknown", "run tcpwhy again", false },
    [GAP_ROWS_LEFT_OUT] = { "rows-left-out", "ask for the whole output, in a file", true },
    [GAP_ROWS_TOO_LONG] = { "rows-too-long", "take a snapshot: tcpwhy capture", false },
    [GAP_SEVERAL_LOOKS] = { "several-looks",
        "what stays and what grows from one to the next, if each is in a file of its own: tcpwhy diff FIRST … LAST",
        false },
    [GAP_SNAPSHOT_INCOMPLETE] = { "snapshot-incomplete", "ask for the file as it was saved", true },
    [GAP_STATES_UNKNOWN] = { "states-unknown", "say what the word means: --state-name WORD=STATE", true },
    [GAP_TIMES_OF_FILES] = { "times-of-files",
        "--interval SECS, if they are wrong: the time from one capture to the next", false },
    [GAP_TIMES_UNKNOWN] = { "times-unknown",
        "give them in order, earliest first; --interval SECS says how far apart they are", false },
    [GAP_TRACKED_STATES] = { "tracked-states", "on the host that is an end of them: ss -tanpiemo, as root", true },
};

bool gap_is_about_owners(enum gap_kind kind)
{
    return kind == GAP_OWNERS_HIDDEN || kind == GAP_OWNERS_ELSEWHERE || kind == GAP_OWNERS_UNSETTLED;
}

enum gap_kind gap_find(const char *id)
{
    unsigned kind = 0;
    while (kind < GAP_KIND_COUNT && strcmp(gap_infos[kind].id, id) != 0)
        kind++;
    return kind;
}
