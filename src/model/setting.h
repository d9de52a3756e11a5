#pragma once
/*
 * The settings and counters of a host that matter for TCP connections. Two tables in setting.c give the name, the place
 * where Linux keeps it, and the unit. A value that could not be read is unknown.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting {
    SETTING_FIN_TIMEOUT,
    SETTING_MAX_ORPHANS,
    SETTING_ORPHAN_RETRIES,
    SETTING_MAX_TW_BUCKETS,
    SETTING_TW_REUSE,
    SETTING_TW_REUSE_DELAY,
    SETTING_RETRIES2,
    SETTING_RTO_MAX,
    SETTING_RTO_MIN,
    SETTING_SYN_RETRIES,
    SETTING_SYN_LINEAR_TIMEOUTS,
    SETTING_SYNACK_RETRIES,
    SETTING_MAX_SYN_BACKLOG,
    SETTING_SYNCOOKIES,
    SETTING_SOMAXCONN,
    SETTING_ABORT_ON_OVERFLOW,
    SETTING_TIMESTAMPS,
    SETTING_KEEPALIVE_TIME,
    SETTING_KEEPALIVE_INTERVAL,
    SETTING_KEEPALIVE_PROBES,
    SETTING_PORT_RANGE_FIRST,
    SETTING_PORT_RANGE_LAST,
    SETTING_RESERVED_PORTS, /* how many of the range are reserved */
    SETTING_MEM_LOW,
    SETTING_MEM_PRESSURE,
    SETTING_MEM_LIMIT,
    SETTING_COUNT
};

enum counter {
    /* /proc/net/sockstat: current values */
    COUNTER_SOCKETS_IN_USE, /* per namespace */
    COUNTER_ORPHANS,        /* whole host */
    COUNTER_TIME_WAIT,      /* per namespace, FIN_WAIT_2 mini-sockets included */
    COUNTER_ALLOCATED,      /* whole host */
    COUNTER_MEMORY_PAGES,   /* whole host */
    /* /proc/net/netstat and snmp: counted since the namespace was created */
    COUNTER_LISTEN_OVERFLOWS,
    COUNTER_LISTEN_DROPS,
    COUNTER_TIME_WAIT_OVERFLOW,
    COUNTER_ABORT_ON_CLOSE,
    COUNTER_ABORT_ON_MEMORY,
    COUNTER_ABORT_ON_TIMEOUT,
    COUNTER_ABORT_ON_LINGER,
    COUNTER_REQ_Q_FULL_DO_COOKIES,
    COUNTER_REQ_Q_FULL_DROP,
    COUNTER_SYNCOOKIES_SENT,
    COUNTER_SYNCOOKIES_RECV,
    COUNTER_SYNCOOKIES_FAILED,
    COUNTER_TIMEOUTS,
    COUNTER_MEMORY_PRESSURES,
    COUNTER_ACTIVE_OPENS,
    COUNTER_PASSIVE_OPENS,
    COUNTER_ATTEMPT_FAILS,
    COUNTER_ESTAB_RESETS,
    COUNTER_CURR_ESTAB,
    COUNTER_RETRANS_SEGS,
    COUNTER_OUT_RSTS,
    COUNTER_ABORT_ON_DATA,
    COUNTER_PRUNE_CALLED,
    COUNTER_TIME_WAITED,
    COUNTER_COUNT
};

struct setting_info {
    const char *name; /* sysctl: "net.ipv4.tcp_fin_timeout" */
    const char *unit; /* "s", "ms", "us", "pages", "" */
    uint8_t word;     /* which number of the file */
};

enum counter_file { COUNTER_FILE_SOCKSTAT, COUNTER_FILE_NETSTAT, COUNTER_FILE_SNMP };

struct counter_info {
    const char *name; /* the kernel's: "ListenOverflows" */
    const char *line; /* the word that its line starts with, without the colon: "TcpExt" */
    enum counter_file file;
};

extern const struct setting_info setting_infos[SETTING_COUNT];
extern const struct counter_info counter_infos[COUNTER_COUNT];

/* The values of one network namespace. */
struct net_values {
    int64_t settings[SETTING_COUNT];
    int64_t counters[COUNTER_COUNT];
    bool has_setting[SETTING_COUNT];
    bool has_counter[COUNTER_COUNT];
    uint64_t counters_at_ms; /* when the counters were read, since 1970; 0: when the snapshot was taken */
};

/* The value; the fallback if the value is unknown (pass the kernel's default). `values` may be NULL. */
int64_t setting_value(const struct net_values *values, enum setting setting, int64_t fallback);

/* The longest pause between retransmissions, or the kernel's default. */
uint64_t setting_rto_max_ms(const struct net_values *values);
