/*
 * Every family of metrics. A new one needs a row here, a few lines that write its samples, and an entry in
 * docs/MONITORING.md.
 */
#include "report/metrics/families.h"

#define NETNS "netns"
#define LISTENER NETNS, "address", "port", "process"

const struct metric_family metric_families[METRIC_COUNT] = {
    [METRIC_BUILD_INFO] = { "tcpwhy_build_info", METRIC_GAUGE, NULL, { "version" },
        "Which tcpwhy wrote this; always 1." },
    [METRIC_SNAPSHOT_TIMESTAMP] = { "tcpwhy_snapshot_timestamp_seconds", METRIC_GAUGE, "seconds", { 0 },
        "When the host was looked at, since 1970." },
    [METRIC_SCRAPE_DURATION] = { "tcpwhy_scrape_duration_seconds", METRIC_GAUGE, "seconds", { 0 },
        "How long tcpwhy took to look at the host and to diagnose it." },
    [METRIC_VERDICT] = { "tcpwhy_verdict", METRIC_GAUGE, NULL, { 0 },
        "The worst finding: 0 healthy, 1 warning, 2 critical." },
    [METRIC_GAPS] = { "tcpwhy_gaps", METRIC_GAUGE, NULL, { "id" },
        "What could not be seen, for instance because a permission is missing; always 1." },
    [METRIC_CONNECTIONS] = { "tcpwhy_connections", METRIC_GAUGE, NULL, { "state", NETNS, "process" },
        "Connections by state and the process that holds them, empty where none does." },
    [METRIC_FINDINGS] = { "tcpwhy_findings", METRIC_GAUGE, NULL, { "id", "severity", "owner" },
        "Findings by the process that has to act, empty where none on this host has." },
    [METRIC_FINDING_CONNECTIONS] = { "tcpwhy_finding_connections", METRIC_GAUGE, NULL, { "id", "severity", "owner" },
        "Connections that these findings are about." },
    [METRIC_IGNORED] = { "tcpwhy_ignored_connections", METRIC_GAUGE, "connections", { "id" },
        "Connections of findings that the configuration says to ignore." },
    [METRIC_OLDEST_AGE] = { "tcpwhy_oldest_age_seconds", METRIC_GAUGE, "seconds", { "cause" },
        "For how long the oldest connection of a finding has been stuck, at least." },
    [METRIC_OPEN_FDS] = { "tcpwhy_process_open_fds", METRIC_GAUGE, NULL, { "process", "pid" },
        "Open descriptors of the processes with TCP sockets that are nearest to their limit." },
    [METRIC_MAX_FDS] = { "tcpwhy_process_max_fds", METRIC_GAUGE, NULL, { "process", "pid" },
        "Descriptors that these processes may have open." },
    [METRIC_PORTS_USED] = { "tcpwhy_ports_used_ratio", METRIC_GAUGE, "ratio",
        { NETNS, "source", "destination", "port" },
        "Share of the local ports that connections to a destination have used up, from 1 % on." },
    [METRIC_ACCEPT_QUEUE] = { "tcpwhy_accept_queue_connections", METRIC_GAUGE, "connections", { LISTENER },
        "Connections that wait to be accepted; of several sockets on one port, at the fullest." },
    [METRIC_ACCEPT_QUEUE_LIMIT] = { "tcpwhy_accept_queue_limit_connections", METRIC_GAUGE, "connections", { LISTENER },
        "The backlog of that listener: with more than that in the queue, connections are dropped." },
    [METRIC_LISTENER_DROPS] = { "tcpwhy_listener_drops", METRIC_COUNTER, NULL, { LISTENER },
        "Connections that a listener has dropped, at most: its own counter, as far as ListenDrops allows." },
    [METRIC_ORPHANS] = { "tcpwhy_orphans", METRIC_GAUGE, NULL, { 0 },
        "Closed sockets of the whole host that are not finished." },
    [METRIC_ORPHANS_LIMIT] = { "tcpwhy_orphans_limit", METRIC_GAUGE, NULL, { 0 },
        "How many there may be, net.ipv4.tcp_max_orphans; it begins to act at a quarter." },
    [METRIC_MEMORY] = { "tcpwhy_memory_bytes", METRIC_GAUGE, "bytes", { 0 }, "Memory of all TCP sockets of the host." },
    [METRIC_MEMORY_PRESSURE] = { "tcpwhy_memory_pressure_bytes", METRIC_GAUGE, "bytes", { 0 },
        "From where on the kernel shrinks windows and buffers, the second number of net.ipv4.tcp_mem." },
    [METRIC_MEMORY_LIMIT] = { "tcpwhy_memory_limit_bytes", METRIC_GAUGE, "bytes", { 0 },
        "From where on it drops packets, the third number of net.ipv4.tcp_mem." },
    [METRIC_TIME_WAIT] = { "tcpwhy_time_wait_sockets", METRIC_GAUGE, NULL, { NETNS },
        "Mini-sockets in TIME_WAIT and FIN_WAIT_2, as the kernel counts them." },
    [METRIC_TIME_WAIT_LIMIT] = { "tcpwhy_time_wait_sockets_limit", METRIC_GAUGE, NULL, { NETNS },
        "How many there may be, net.ipv4.tcp_max_tw_buckets." },
    [METRIC_RETRANSMITTED] = { "tcpwhy_retransmitted_segments", METRIC_COUNTER, NULL, { NETNS },
        "Segments sent again (RetransSegs)." },
    [METRIC_TIMEOUTS] = { "tcpwhy_retransmission_timeouts", METRIC_COUNTER, NULL, { NETNS },
        "Retransmission timeouts (TCPTimeouts)." },
    [METRIC_ABORTS] = { "tcpwhy_aborts", METRIC_COUNTER, NULL, { NETNS, "reason" },
        "Connections that the kernel aborted: closed with data unread, out of memory or with too many orphans, given "
        "up after a timeout, or with their linger time over (TCPAbortOnClose, Memory, Timeout, Linger)." },
    [METRIC_ACCEPT_QUEUE_OVERFLOWS] = { "tcpwhy_accept_queue_overflows", METRIC_COUNTER, NULL, { NETNS },
        "Connections dropped at a full accept queue (ListenOverflows)." },
    [METRIC_LISTEN_DROPS] = { "tcpwhy_listen_drops", METRIC_COUNTER, NULL, { NETNS },
        "Connections dropped at listeners for any reason (ListenDrops)." },
    [METRIC_REQUEST_QUEUE_FULL] = { "tcpwhy_request_queue_full", METRIC_COUNTER, NULL, { NETNS, "action" },
        "SYNs that met a full request queue, and what was done with them (TCPReqQFullDoCookies, TCPReqQFullDrop)." },
    [METRIC_SYN_COOKIES] = { "tcpwhy_syn_cookies", METRIC_COUNTER, NULL, { NETNS, "event" },
        "SYN cookies sent, received back, and received that were not valid." },
    [METRIC_TIME_WAIT_OVERFLOWS] = { "tcpwhy_time_wait_overflows", METRIC_COUNTER, NULL, { NETNS },
        "Connections closed without TIME_WAIT, for its limit was reached (TCPTimeWaitOverflow)." },
    [METRIC_MEMORY_PRESSURES] = { "tcpwhy_memory_pressures", METRIC_COUNTER, NULL, { NETNS },
        "How often TCP came under memory pressure (TCPMemoryPressures)." },
    [METRIC_OPENS] = { "tcpwhy_opens", METRIC_COUNTER, NULL, { NETNS, "direction" },
        "Connections opened by this side and by the other (ActiveOpens, PassiveOpens)." },
    [METRIC_FAILED_OPENS] = { "tcpwhy_failed_opens", METRIC_COUNTER, NULL, { NETNS },
        "Connections that failed before they were established (AttemptFails)." },
    [METRIC_RESETS] = { "tcpwhy_resets", METRIC_COUNTER, NULL, { NETNS },
        "Connections that went from ESTABLISHED or CLOSE_WAIT to CLOSED: resets, time-outs and keepalive "
        "(EstabResets)." },
    [METRIC_RESETS_SENT] = { "tcpwhy_resets_sent", METRIC_COUNTER, NULL, { NETNS },
        "Segments sent with RST (OutRsts)." },
};

const struct metric_family *metrics_family_at(size_t index)
{
    return index < METRIC_COUNT ? &metric_families[index] : NULL;
}
