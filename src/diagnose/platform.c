#include "diagnose/platform.h"

#include <string.h>

/*
 * Sources. Windows: Microsoft's pages on netsh dynamicport ("The default dynamic port range for TCP/IP has changed"),
 * on TcpTimedWaitDelay, on Set-NetTCPSetting, and the events of the source Tcpip. macOS and FreeBSD: tcp(4), ip(4),
 * sysctl(8). Solaris: the Tunable Parameters Reference Manual. AIX: the descriptions of the commands no and rmsock.
 */
static const struct platform platforms[] = {
    {
        .os = "linux",
        .name = "Linux",
        .counts_fin = true,
        .owner_has_it_open = true,
        .port_first = 32768,
        .port_last = 60999,
        .port_range = "ip_local_port_range",
        .show_ports = { "See what is set on that host.",
            "sysctl net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports net.ipv4.tcp_tw_reuse" },
        .reserve_setting = "net.ipv4.ip_local_reserved_ports",
        .no_port = "EADDRNOTAVAIL (\"Cannot assign requested address\")",
        .bound_first = "set IP_BIND_ADDRESS_NO_PORT",
        .ports_wont_help =
            "tcp_fin_timeout: it does not shorten TIME_WAIT, which is fixed at 60 s (FIN_WAIT_2 it does). "
            "tcp_max_tw_buckets is another limit.",
        .time_wait_s = 60,
        .time_wait_life = "Each ends by itself within 60 s",
        .time_wait_wont_help =
            "tcp_fin_timeout: it is about FIN_WAIT_2. TIME_WAIT is fixed at 60 s; no setting of Linux shortens it.",
        .time_wait_reuse = "tcp_tw_reuse: it concerns outgoing connections only.",
        .fin_wait_2_life = "Where the program has closed, the kernel drops them by itself after 60 s (tcp_fin_timeout)",
        .fin_wait_2_half_closed = "nothing limits them while it keeps the descriptor, unless keepalive is on",
        .fin_wait_2_wont_help =
            "tcp_fin_timeout: it starts with close(). Nothing limits FIN_WAIT_2 while a descriptor is open.",
        .close_wait_wont_help =
            "tcp_fin_timeout, tcp_tw_reuse, TcpTimedWaitDelay: they concern FIN_WAIT_2 and TIME_WAIT. "
            "CLOSE_WAIT has no timer of its own.",
        .sent_fin_wont_help =
            "tcp_fin_timeout is for FIN_WAIT_2, tcp_tw_reuse for TIME_WAIT, tcp_syn_retries for the handshake",
        .handshake_wont_help = "More tcp_syn_retries: the same silence, for longer.",
        .rows = "sudo ss -tanpiemo",
        .port_users = "ss -tan | awk '{print $5}' | sort | uniq -c | sort -rn | head",
        .owners = { "Find out who holds them: run tcpwhy as root, and in other PID namespaces. The kernel's own "
                    "clients (NFS, CIFS, iSCSI) have no process.",
            "sudo ss -tanpie" },
        .restart = { "End the process in its usual way and start it again: the kernel closes its descriptors with it.",
            "kill -TERM {}" },
        .threads = "eu-stack -p {}   # Java: jstack {}; more, and slower: gdb -p {} -batch -ex 'thread apply all bt'",
        .threads_cost =
            "The process stands still meanwhile: with eu-stack for a moment, with gdb until it has loaded all "
            "symbols.",
        .packets = "tcpdump -ni any 'host {} and tcp'",
        .route = "ip route get {}; nft list ruleset",
        .kill_sockets = "Killing the sockets from outside (ss -K): the connection goes, the leaked descriptor stays.",
    },
    {
        .os = "windows",
        .name = "Windows",
        .port_first = 49152,
        .port_last = 65535,
        .port_range = "the dynamic port range",
        .show_ports = { "See what is set, what is excluded, and whether Windows has complained: event 4231 says that "
                        "every port was in use, event 4227 that a port came again too soon.",
            "netsh int ipv4 show dynamicport tcp; netsh int ipv4 show excludedportrange protocol=tcp; Get-WinEvent "
            "-FilterHashtable @{LogName='System'; ProviderName='Tcpip'; Id=4227,4231} -MaxEvents 20" },
        .widen_ports = { "Widen the range to 55,535 ports (elevated prompt). First see that no service listens there; "
                         "IPv6 has a range of its own (netsh int ipv6).",
            "netsh int ipv4 set dynamicport tcp start=10000 num=55535" },
        .reserve_port = "netsh int ipv4 add excludedportrange protocol=tcp startport={} numberofports=1",
        .no_port = "WSAENOBUFS (10055) or WSAEADDRINUSE (10048)",
        .bound_first = "set SO_REUSE_UNICASTPORT in it (its range: Set-NetTCPSetting -AutoReusePortRangeStartPort and "
                       "-AutoReusePortRangeNumberOfPorts)",
        .ports_wont_help =
            "MaxUserPort in the registry: since Windows Vista the dynamic range is set with netsh, or with "
            "Set-NetTCPSetting -DynamicPortRangeStartPort; an old value that an installer left may still override "
            "it, so look. And "
            "\"start=10000 num=1000\", which is found as an example, shrinks 16,384 ports to 1,000.",
        .time_wait_life =
            "Each ends by itself, after TcpTimedWaitDelay (0 to 300 s; documented defaults differ, from 1 to "
            "4 minutes)",
        .time_wait_wont_help =
            "Set-NetTCPSetting: it has no parameter for TIME_WAIT. TcpTimedWaitDelay (registry, restart "
            "needed) does shorten it, but is not needed where no ports run short.",
        .fin_wait_2_life = "Where the program has closed, Windows drops them by itself after a few minutes",
        .fin_wait_2_half_closed =
            "what limits them is not documented for today's versions (Windows 2000 to Server 2003: 2 to 5 minutes)",
        .fin_wait_2_wont_help = "TcpTimedWaitDelay: it concerns TIME_WAIT only.",
        .close_wait_wont_help =
            "TcpTimedWaitDelay: it concerns TIME_WAIT only. CLOSE_WAIT has no timer of its own, and no "
            "registry value or Set-NetTCPSetting ends it.",
        .sent_fin_wont_help =
            "TcpTimedWaitDelay is for TIME_WAIT, Set-NetTCPSetting -InitialRtoMs and -MaxSynRetransmissions for the "
            "handshake",
        .handshake_wont_help =
            "Set-NetTCPSetting -MaxSynRetransmissions or -InitialRtoMs: the same silence, for longer.",
        .rows = "netstat -ano",
        .port_users = "Get-NetTCPConnection | Group-Object RemoteAddress,RemotePort,OwningProcess | Sort-Object Count "
                      "-Descending | Select-Object -First 10 Count,Name",
        .owners = { "Find out who holds them, from an elevated prompt.",
            "Get-NetTCPConnection | Group-Object State,OwningProcess | Sort-Object Count -Descending | "
            "Select-Object -First 20 Count,Name; tasklist" },
        .restart = { "Restart the service by its name: Windows closes its sockets with it. taskkill without /F only "
                     "asks a program's windows, and a service has none; with /F it ends at once, and loses what it has "
                     "in memory.",
            "Restart-Service -Name (Get-CimInstance Win32_Service -Filter 'ProcessId={}').Name   # no service: "
            "taskkill /F "
            "/PID {}" },
        .service = { "See which service it is.",
            "Get-CimInstance Win32_Service -Filter 'ProcessId={}'; Get-Process -Id {}" },
        .threads = "procdump -r -ma {}   # Java: jstack {}; .NET: dotnet-stack report -p {}",
        .threads_cost =
            "-r dumps a copy, and stops the process only while that is made; the file is as large as its memory.",
        .packets =
            "pktmon filter add -i {}; pktmon start --capture; Start-Sleep 30; pktmon stop; pktmon etl2pcap PktMon.etl",
        .route = "Test-NetConnection {} -InformationLevel Detailed; Get-NetFirewallProfile   # on or off; rules: "
                 "Get-NetFirewallRule",
        .kill_sockets = "Ending the connections from outside (TCPView, SetTcpEntry): the leaked handle stays.",
    },
    {
        .os = "macos",
        .name = "macOS",
        .owner_has_it_open = true,
        .port_first = 49152,
        .port_last = 65535,
        .port_range = "net.inet.ip.portrange.first and last",
        .show_ports = { "See what is set on that host.", "sysctl net.inet.ip.portrange" },
        .widen_ports = { "Widen the range to 55,536 ports. First see that no service listens there.",
            "sudo sysctl net.inet.ip.portrange.first=10000" },
        .no_port = "EADDRNOTAVAIL (\"Can't assign requested address\")",
        .ports_wont_help = "More descriptors (ulimit -n): ports are short, not descriptors.",
        .time_wait_s = 30,
        .time_wait_life = "Each ends by itself after twice net.inet.tcp.msl, 30 s",
        .time_wait_wont_help =
            "kern.ipc.somaxconn, ulimit -n: TIME_WAIT takes neither a place in a queue nor a descriptor.",
        .fin_wait_2_life = "Where the program has closed, the kernel drops them by itself after about a minute",
        .fin_wait_2_half_closed = "what limits them differs by version",
        .fin_wait_2_wont_help = "net.inet.tcp.msl: it concerns TIME_WAIT.",
        .close_wait_wont_help = "net.inet.tcp.msl: it concerns TIME_WAIT. CLOSE_WAIT has no timer of its own.",
        .sent_fin_wont_help = "net.inet.tcp.msl is for TIME_WAIT, net.inet.tcp.keepinit for the handshake",
        .handshake_wont_help = "A longer net.inet.tcp.keepinit: the same silence, for longer.",
        .rows = "sudo lsof -nP -iTCP -Tqs",
        .owners = { "Find out who holds them.", "sudo lsof -nP -iTCP" },
        .restart = { "End the process in its usual way and start it again: the kernel closes its descriptors with it.",
            "kill -TERM {}" },
        .threads = "sample {}   # Java: jstack {}",
        .threads_cost = "It stops the process many times for a moment.",
        .packets = "sudo tcpdump -ni any 'host {} and tcp'",
        .route = "route -n get {}; sudo pfctl -sr",
    },
    {
        .os = "solaris",
        .name = "Solaris",
        .owner_has_it_open = true,
        .port_first = 32768,
        .port_last = 65535,
        .port_range = "smallest_anon_port and largest_anon_port",
        .show_ports = { "See what is set on that host.",
            "ipadm show-prop -p smallest_anon_port,largest_anon_port tcp" },
        .widen_ports = { "Widen the range to 55,536 ports. First see that no service listens there.",
            "ipadm set-prop -p smallest_anon_port=10000 tcp" },
        .no_port = "EADDRNOTAVAIL (\"Can't assign requested address\")",
        .ports_wont_help = "More descriptors: ports are short, not descriptors.",
        .time_wait_s = 60,
        .time_wait_life = "Each ends by itself after tcp_time_wait_interval, 60 s",
        .time_wait_wont_help = "More descriptors: TIME_WAIT takes none.",
        .fin_wait_2_life =
            "Where the program has closed, the kernel drops them by itself after tcp_fin_wait_2_flush_interval, 60 s",
        .fin_wait_2_half_closed = "what limits them differs by version",
        .fin_wait_2_wont_help = "tcp_time_wait_interval: it concerns TIME_WAIT.",
        .close_wait_wont_help = "tcp_time_wait_interval: it concerns TIME_WAIT. CLOSE_WAIT has no timer of its own.",
        .sent_fin_wont_help = "tcp_time_wait_interval is for TIME_WAIT, tcp_ip_abort_cinterval for the handshake",
        .handshake_wont_help = "A longer tcp_ip_abort_cinterval: the same silence, for longer.",
        .rows = "netstat -anu -f inet -f inet6 -P tcp",
        .owners = { "Find out who holds them.", "netstat -anu -f inet -P tcp   # older: pfiles /proc/*" },
        .restart = { "End the process in its usual way and start it again (svcadm restart): the kernel closes its "
                     "descriptors with it.",
            "kill -TERM {}" },
        .threads = "pstack {}   # Java: jstack {}",
        .threads_cost = "The process stands still for a moment.",
        .packets = "snoop -r host {} and tcp",
        .route = "route -n get {}; ipfstat -io",
    },
    {
        .os = "aix",
        .name = "AIX",
        .owner_has_it_open = true,
        .port_first = 32768,
        .port_last = 65535,
        .port_range = "tcp_ephemeral_low and tcp_ephemeral_high",
        .show_ports = { "See what is set on that host.", "no -o tcp_ephemeral_low -o tcp_ephemeral_high" },
        .widen_ports = { "Widen the range to 55,536 ports. First see that no service listens there.",
            "no -p -o tcp_ephemeral_low=10000" },
        .no_port = "EADDRNOTAVAIL (\"Can't assign requested address\")",
        .ports_wont_help = "More descriptors (ulimit -n): ports are short, not descriptors.",
        .time_wait_s = 15,
        .time_wait_life = "Each ends by itself after tcp_timewait, 15 s unless it was changed",
        .time_wait_wont_help = "More descriptors (ulimit -n): TIME_WAIT takes none.",
        .fin_wait_2_life =
            "Where the program has closed, the kernel drops them by itself after tcp_finwait2, which counts "
            "half-seconds",
        .fin_wait_2_half_closed = "what limits them differs by version",
        .fin_wait_2_wont_help = "tcp_timewait: it concerns TIME_WAIT.",
        .close_wait_wont_help =
            "tcp_timewait, tcp_finwait2: they concern TIME_WAIT and FIN_WAIT_2. CLOSE_WAIT has no timer "
            "of its own.",
        .sent_fin_wont_help =
            "tcp_timewait is for TIME_WAIT, tcp_finwait2 for FIN_WAIT_2, tcp_keepinit for the handshake",
        .handshake_wont_help = "A longer tcp_keepinit: the same silence, for longer.",
        .rows = "netstat -Aan",
        .owners = { "Find out who holds them: rmsock names the process of a socket, by its address in the first column "
                    "of netstat -Aan.",
            "netstat -Aan; rmsock ADDRESS tcpcb   # a socket that no process holds is ended at once" },
        .restart = { "End the process in its usual way and start it again: the kernel closes its descriptors with it.",
            "kill -TERM {}" },
        .threads = "procstack {}   # Java: kill -QUIT {} writes a javacore",
        .packets = "tcpdump -n host {} and tcp",
        .route = "traceroute {}; lsfilt -s v4 -O",
    },
    {
        /* A device, an unknown program, or several systems together: the fixes have no commands. */
        .os = "",
        .name = "this system",
        .owner_has_it_open = true,
        .port_first = 10000,
        .port_last = 65535,
        .port_range = "the range of ports for outgoing connections",
        .show_ports = { "See which range of ports is set on that host.", NULL },
        .no_port = "an error that says that no address or port is free",
        .ports_wont_help = "More descriptors: ports are short, not descriptors.",
        .time_wait_life = "Each ends by itself after one to four minutes",
        .time_wait_wont_help = "More descriptors: TIME_WAIT takes none.",
        .fin_wait_2_life = "Where the program has closed, most systems drop them by themselves after a minute or more",
        .fin_wait_2_wont_help = "The maximum segment lifetime: it concerns TIME_WAIT.",
        .close_wait_wont_help =
            "The maximum segment lifetime: it concerns TIME_WAIT. CLOSE_WAIT has no timer of its own.",
        .sent_fin_wont_help =
            "the maximum segment lifetime is for TIME_WAIT, the time-out of the handshake for opening",
        .handshake_wont_help = "A longer time-out of the handshake: the same silence, for longer.",
        .rows = "netstat -an",
        .owners = { "Find out who holds them: with what lists the system's connections and their processes.", NULL },
        .restart = { "End the program in its usual way and start it again: its sockets are closed with it.", NULL },
    },
    {
        .os = NULL,
        .name = "this system",
        .owner_has_it_open = true,
        .port_first = 10000,
        .port_last = 65535,
        .port_range = "net.inet.ip.portrange.first and last",
        .show_ports = { "See what is set on that host.", "sysctl net.inet.ip.portrange" },
        .no_port = "EADDRNOTAVAIL (\"Can't assign requested address\")",
        .ports_wont_help = "More descriptors (ulimit -n): ports are short, not descriptors.",
        .time_wait_s = 60,
        .time_wait_life = "Each ends by itself after twice the maximum segment lifetime, mostly 60 s",
        .time_wait_wont_help = "More descriptors (ulimit -n): TIME_WAIT takes none.",
        .fin_wait_2_life = "Where the program has closed, most kernels drop them by themselves after a minute",
        .fin_wait_2_half_closed = "what limits them differs by system and version",
        .fin_wait_2_wont_help = "The maximum segment lifetime (net.inet.tcp.msl): it concerns TIME_WAIT.",
        .close_wait_wont_help =
            "The maximum segment lifetime (net.inet.tcp.msl): it concerns TIME_WAIT. CLOSE_WAIT has no timer of its "
            "own.",
        .sent_fin_wont_help = "the maximum segment lifetime is for TIME_WAIT, net.inet.tcp.keepinit for the handshake",
        .handshake_wont_help = "A longer time-out of the handshake: the same silence, for longer.",
        .rows = "netstat -an; lsof -nP -iTCP",
        .owners = { "Find out who holds them.", "lsof -nP -iTCP   # FreeBSD: sockstat -P tcp" },
        .restart = { "End the process in its usual way and start it again: the kernel closes its descriptors with it.",
            "kill -TERM {}" },
        .threads = "gdb -p {} -batch -ex 'thread apply all bt'   # Java: jstack {}; FreeBSD: procstat -kk {}",
        .threads_cost = "The process stands still until gdb has loaded all symbols.",
        .packets = "tcpdump -ni \"$(route -n get {} | awk '/interface:/ {print $2}')\" 'host {} and tcp'",
        .route = "route -n get {}",
    },
};

/* True for several hosts, for numbers without rows, and for a table that any system may have printed. */
static bool is_of_any_system(const struct snapshot *snapshot)
{
    return snapshot->host_count > 0 || snapshot->counts_only ||
        (snapshot->source != NULL && strcmp(snapshot->source, "capture-table") == 0);
}

const struct platform *platform_of(const struct snapshot *snapshot)
{
    const struct platform *platform = platforms;
    const char *os = snapshot->os;
    /* Only snapshots that unit tests make, as the Linux source would, have neither `os` nor `origin`. */
    if (snapshot->os == NULL && snapshot->origin == NULL)
        return platform;
    if (os == NULL && is_of_any_system(snapshot))
        os = "";
    while (platform->os != NULL && (os == NULL || strcmp(platform->os, os) != 0))
        platform++;
    return platform;
}

const char *platform_fill(struct arena *arena, const char *text, const char *what)
{
    const char *place;
    const char *filled = "";
    if (text == NULL)
        return NULL;
    while ((place = strstr(text, "{}")) != NULL) {
        filled = arena_printf(arena, "%s%.*s%s", filled, (int)(place - text), text, what);
        text = place + 2;
    }
    return arena_printf(arena, "%s%s", filled, text);
}
