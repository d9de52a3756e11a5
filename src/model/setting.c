#include "model/setting.h"

const struct setting_info setting_infos[SETTING_COUNT] = {
    [SETTING_FIN_TIMEOUT] = { "net.ipv4.tcp_fin_timeout", "s", 0 },
    [SETTING_MAX_ORPHANS] = { "net.ipv4.tcp_max_orphans", "", 0 },
    [SETTING_ORPHAN_RETRIES] = { "net.ipv4.tcp_orphan_retries", "", 0 },
    [SETTING_MAX_TW_BUCKETS] = { "net.ipv4.tcp_max_tw_buckets", "", 0 },
    [SETTING_TW_REUSE] = { "net.ipv4.tcp_tw_reuse", "", 0 },
    [SETTING_TW_REUSE_DELAY] = { "net.ipv4.tcp_tw_reuse_delay", "ms", 0 },
    [SETTING_RETRIES2] = { "net.ipv4.tcp_retries2", "", 0 },
    [SETTING_RTO_MAX] = { "net.ipv4.tcp_rto_max_ms", "ms", 0 },
    [SETTING_RTO_MIN] = { "net.ipv4.tcp_rto_min_us", "us", 0 },
    [SETTING_SYN_RETRIES] = { "net.ipv4.tcp_syn_retries", "", 0 },
    [SETTING_SYN_LINEAR_TIMEOUTS] = { "net.ipv4.tcp_syn_linear_timeouts", "", 0 },
    [SETTING_SYNACK_RETRIES] = { "net.ipv4.tcp_synack_retries", "", 0 },
    [SETTING_MAX_SYN_BACKLOG] = { "net.ipv4.tcp_max_syn_backlog", "", 0 },
    [SETTING_SYNCOOKIES] = { "net.ipv4.tcp_syncookies", "", 0 },
    [SETTING_SOMAXCONN] = { "net.core.somaxconn", "", 0 },
    [SETTING_ABORT_ON_OVERFLOW] = { "net.ipv4.tcp_abort_on_overflow", "", 0 },
    [SETTING_TIMESTAMPS] = { "net.ipv4.tcp_timestamps", "", 0 },
    [SETTING_KEEPALIVE_TIME] = { "net.ipv4.tcp_keepalive_time", "s", 0 },
    [SETTING_KEEPALIVE_INTERVAL] = { "net.ipv4.tcp_keepalive_intvl", "s", 0 },
    [SETTING_KEEPALIVE_PROBES] = { "net.ipv4.tcp_keepalive_probes", "", 0 },
    [SETTING_PORT_RANGE_FIRST] = { "net.ipv4.ip_local_port_range", "", 0 },
    [SETTING_PORT_RANGE_LAST] = { "net.ipv4.ip_local_port_range", "", 1 },
    [SETTING_RESERVED_PORTS] = { "net.ipv4.ip_local_reserved_ports", "", 0 },
    [SETTING_MEM_LOW] = { "net.ipv4.tcp_mem", "pages", 0 },
    [SETTING_MEM_PRESSURE] = { "net.ipv4.tcp_mem", "pages", 1 },
    [SETTING_MEM_LIMIT] = { "net.ipv4.tcp_mem", "pages", 2 },
};

const struct counter_info counter_infos[COUNTER_COUNT] = {
    [COUNTER_SOCKETS_IN_USE] = { "inuse", "TCP", COUNTER_FILE_SOCKSTAT },
    [COUNTER_ORPHANS] = { "orphan", "TCP", COUNTER_FILE_SOCKSTAT },
    [COUNTER_TIME_WAIT] = { "tw", "TCP", COUNTER_FILE_SOCKSTAT },
    [COUNTER_ALLOCATED] = { "alloc", "TCP", COUNTER_FILE_SOCKSTAT },
    [COUNTER_MEMORY_PAGES] = { "mem", "TCP", COUNTER_FILE_SOCKSTAT },
    [COUNTER_LISTEN_OVERFLOWS] = { "ListenOverflows", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_LISTEN_DROPS] = { "ListenDrops", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_TIME_WAIT_OVERFLOW] = { "TCPTimeWaitOverflow", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_ABORT_ON_CLOSE] = { "TCPAbortOnClose", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_ABORT_ON_MEMORY] = { "TCPAbortOnMemory", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_ABORT_ON_TIMEOUT] = { "TCPAbortOnTimeout", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_ABORT_ON_LINGER] = { "TCPAbortOnLinger", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_REQ_Q_FULL_DO_COOKIES] = { "TCPReqQFullDoCookies", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_REQ_Q_FULL_DROP] = { "TCPReqQFullDrop", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_SYNCOOKIES_SENT] = { "SyncookiesSent", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_SYNCOOKIES_RECV] = { "SyncookiesRecv", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_SYNCOOKIES_FAILED] = { "SyncookiesFailed", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_TIMEOUTS] = { "TCPTimeouts", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_MEMORY_PRESSURES] = { "TCPMemoryPressures", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_ACTIVE_OPENS] = { "ActiveOpens", "Tcp", COUNTER_FILE_SNMP },
    [COUNTER_PASSIVE_OPENS] = { "PassiveOpens", "Tcp", COUNTER_FILE_SNMP },
    [COUNTER_ATTEMPT_FAILS] = { "AttemptFails", "Tcp", COUNTER_FILE_SNMP },
    [COUNTER_ESTAB_RESETS] = { "EstabResets", "Tcp", COUNTER_FILE_SNMP },
    [COUNTER_CURR_ESTAB] = { "CurrEstab", "Tcp", COUNTER_FILE_SNMP },
    [COUNTER_RETRANS_SEGS] = { "RetransSegs", "Tcp", COUNTER_FILE_SNMP },
    [COUNTER_OUT_RSTS] = { "OutRsts", "Tcp", COUNTER_FILE_SNMP },
    [COUNTER_ABORT_ON_DATA] = { "TCPAbortOnData", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_PRUNE_CALLED] = { "PruneCalled", "TcpExt", COUNTER_FILE_NETSTAT },
    [COUNTER_TIME_WAITED] = { "TW", "TcpExt", COUNTER_FILE_NETSTAT },
};

int64_t setting_value(const struct net_values *values, enum setting setting, int64_t fallback)
{
    return values != NULL && values->has_setting[setting] ? values->settings[setting] : fallback;
}

uint64_t setting_rto_max_ms(const struct net_values *values)
{
    enum { RTO_MAX_MS = 120 * 1000 }; /* TCP_RTO_MAX in include/net/tcp.h */
    return (uint64_t)setting_value(values, SETTING_RTO_MAX, RTO_MAX_MS);
}
