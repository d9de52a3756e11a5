/* The known formats, one row each. docs/CAPTURES.md describes what is read of each. */
#include "source/capture/formats/conntrack.h"
#include "source/capture/formats/lsof.h"
#include "source/capture/formats/netstat.h"
#include "source/capture/formats/numbers.h"
#include "source/capture/formats/powershell.h"
#include "source/capture/formats/proc_net_tcp.h"
#include "source/capture/formats/ss.h"
#include "source/capture/formats/tcpview.h"

#define ROWS(function) .recognise = rows_recognise, .parse = rows_parse, .row = (function)

const struct format formats[] = {
    {
        .id = "snapshot",
        .title = "a snapshot of tcpwhy",
        .is_snapshot = true,
        .recognise = saved_recognise,
        .parse = saved_parse,
    },
    {
        .id = "capture-windows-netstat",
        .title = "Windows netstat",
        .os = "windows",
        .state_bytes = sizeof(struct windows_netstat),
        ROWS(windows_netstat_row),
    },
    {
        .id = "capture-linux-netstat",
        .title = "netstat (net-tools)",
        .os = "linux",
        ROWS(linux_netstat_row),
    },
    {
        .id = "capture-ss",
        .title = "ss",
        .os = "linux",
        .state_bytes = sizeof(struct ss),
        .finish = ss_end_part,
        ROWS(ss_row),
    },
    {
        .id = "capture-proc-net-tcp",
        .title = "/proc/net/tcp",
        .os = "linux",
        ROWS(proc_net_tcp_row),
    },
    {
        .id = "capture-bsd-netstat",
        .title = "netstat (BSD, macOS)",
        .state_bytes = sizeof(struct bsd_netstat),
        ROWS(bsd_netstat_row),
    },
    {
        .id = "capture-solaris-netstat",
        .title = "netstat (Solaris)",
        .os = "solaris",
        .state_bytes = sizeof(struct solaris_netstat),
        ROWS(solaris_netstat_row),
    },
    {
        .id = "capture-lsof",
        .title = "lsof",
        .row_for_descriptor = true,
        .state_bytes = sizeof(struct lsof),
        .finish = lsof_finish,
        ROWS(lsof_row),
    },
    {
        .id = "capture-powershell-table",
        .title = "Get-NetTCPConnection",
        .os = "windows",
        .state_bytes = sizeof(struct powershell_table),
        ROWS(powershell_table_row),
    },
    {
        .id = "capture-powershell-list",
        .title = "Get-NetTCPConnection | Format-List",
        .os = "windows",
        .takes_blank_lines = true,
        .state_bytes = sizeof(struct powershell_list),
        .finish = powershell_list_finish,
        ROWS(powershell_list_row),
    },
    {
        .id = "capture-powershell-csv",
        .title = "Get-NetTCPConnection | ConvertTo-Csv",
        .os = "windows",
        .state_bytes = sizeof(struct powershell_csv),
        ROWS(powershell_csv_row),
    },
    {
        .id = "capture-powershell-json",
        .title = "Get-NetTCPConnection | ConvertTo-Json",
        .os = "windows",
        .recognise = powershell_json_recognise,
        .parse = powershell_json_parse,
    },
    {
        .id = "capture-conntrack",
        .title = "connection tracking (conntrack)",
        .os = "linux",
        .state_bytes = sizeof(struct conntrack),
        .finish = conntrack_finish,
        ROWS(conntrack_row),
    },
    {
        .id = "capture-tcpview",
        .title = "TCPView",
        .os = "windows",
        ROWS(tcpview_row),
    },
    /* After the formats of known systems, which fit the same rows better. */
    {
        .id = "capture-table",
        .title = "a table of connections",
        .is_of_any_system = true,
        .row_for_descriptor = true, /* equal endpoints in two rows do not mean a second snapshot */
        ROWS(plain_table_row),
    },
    /* The last one: rows say more than numbers. */
    {
        .id = "capture-numbers",
        .title = "numbers of connections",
        .is_counts = true,
        .recognise = numbers_recognise,
        .parse = rows_parse,
        .row = numbers_line,
    },
    { .id = NULL },
};
