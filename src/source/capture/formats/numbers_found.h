#pragma once
/*
 * Lines that tell about a host without being rows of connections: numbers of connections by state (sort | uniq -c, awk,
 * Group-Object, grep -c), counters (ss -s, netstat -s, nstat, /proc/net/sockstat) and settings (sysctl, netsh, ulimit).
 * They may be all of a text, and they may stand beside the rows of another format.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/setting.h"
#include "model/state.h"

enum { NUMBERS_ROW_MAX = 8, NUMBERS_TABLE_ROWS_MAX = 64, LOG_SOURCE_LINES = 6, NUMBERS_ENDED_MAX = 16 };

/* Ports from one to another. */
struct port_span {
    uint32_t first, last;
};

/* What was found, and what the line before makes of the next one. */
struct numbers {
    uint64_t state_lines, summary_lines, counter_lines, setting_lines;

    /* state_counts.c */
    uint8_t asked_state;  /* enum conn_state that the command before asked for */
    bool asked;           /* the command before prints one number */
    bool groups_by_pid;   /* … or a table by process */
    bool by_other;        /* some number is of connections in a state that is not LISTEN */
    uint8_t group_order;  /* a heading "Count Name": 1; "Name Count": 2; none: 0 */
    uint64_t group_count; /* "Count : 710" of a list, until its "Name : CloseWait" comes */
    bool has_group_count;
    uint8_t heading[NUMBERS_ROW_MAX]; /* a line of states, of which the next has the numbers */
    unsigned heading_count;

    /* counter_lines.c */
    struct net_values values;
    struct net_values earlier; /* counters that came a second time, as they were at first */
    bool has_earlier;
    const char *names; /* "TcpExt: ListenOverflows …", of which the next line has the values */

    /* log_lines.c */
    uint64_t log_lines;
    uint8_t log_event;        /* 1 + enum log_message whose number was read, and its words were not yet; 0: none */
    uint8_t log_after_source; /* lines in which the number of an event is one of TCP's */

    /* setting_lines.c */
    int pending;          /* 1 + enum setting whose file the command before prints; 0: none */
    unsigned netsh;       /* enum netsh: which table of netsh is open */
    bool netsh_is_v6;     /* … and the protocol */
    bool has_v4_range;    /* a range of IPv4 was read: one of IPv6 does not replace it */
    const char *reserved; /* ports, as net.ipv4.ip_local_reserved_ports lists them; NULL: not known */
    struct port_span excluded[NUMBERS_TABLE_ROWS_MAX];
    unsigned excluded_count;
    uint32_t files_limit; /* descriptors that a process may have, by ulimit -n; 0: not known */
    bool asked_files;

    /* ended_lines.c */
    uint32_t ended[NUMBERS_ENDED_MAX]; /* PIDs that a command asked for, and there was no such process */
    unsigned ended_count;
    uint32_t alive[NUMBERS_ENDED_MAX]; /* PIDs that taskkill found: they were there when the rows were made */
    unsigned alive_count;
    uint32_t asked_pid; /* the command before asks for it; 0: none does */
    bool asked_by_search;
};
