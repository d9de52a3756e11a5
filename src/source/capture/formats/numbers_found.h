#pragma once
/*
 * Lines about a host that are not rows of connections: counts of connections by state (sort | uniq -c, awk,
 * Group-Object, grep -c), counters (ss -s, netstat -s, nstat, /proc/net/sockstat) and settings (sysctl, netsh, ulimit).
 * A text may consist only of them, or have them between the rows of another format.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/setting.h"
#include "model/state.h"

enum { NUMBERS_ROW_MAX = 8, NUMBERS_TABLE_ROWS_MAX = 64, LOG_SOURCE_LINES = 6, NUMBERS_ENDED_MAX = 16 };
enum { DESCRIPTOR_LISTS_MAX = 8 };

/* "90 -> socket:[23049313]" in the list of a process's descriptors. */
struct socket_link {
    uint32_t inode, fd;
    uint32_t list; /* index into numbers.descriptors */
};

/* What the last command counts. */
enum descriptor_question {
    DESCRIPTORS_NOT_ASKED,
    DESCRIPTORS_ALL,
    DESCRIPTORS_AND_TOTAL,
    DESCRIPTORS_OF_SOCKETS,
};

/* The descriptors of a process. */
struct descriptor_list {
    uint32_t pid;             /* 0: unknown */
    uint32_t open, sockets;   /* how many are in the text */
    uint32_t lowest, highest; /* numbers; of a list that was cut, about `highest` are open */
    const char *user;         /* or NULL */
};

/* A range of ports, both ends included. */
struct port_span {
    uint32_t first, last;
};

/* What was found, and what the next line needs to know of the lines before. */
struct numbers {
    uint64_t state_lines, summary_lines, counter_lines, setting_lines;

    /* state_counts.c */
    uint8_t asked_state;  /* enum conn_state: the state that the last command asked for */
    bool asked;           /* the last command prints one number */
    bool groups_by_pid;   /* the last command prints a table by process */
    bool by_other;        /* some count is of a state other than LISTEN and CLOSED */
    uint8_t group_order;  /* heading "Count Name": 1; "Name Count": 2; none: 0 */
    uint64_t group_count; /* "Count : 710" of a list; its "Name : CloseWait" follows */
    bool has_group_count;
    uint8_t heading[NUMBERS_ROW_MAX]; /* a line of states; the next line has their numbers */
    unsigned heading_count;

    /* counter_lines.c */
    struct net_values values;
    struct net_values previous; /* the first values of counters that appear twice */
    bool has_previous;
    const char *names; /* "TcpExt: ListenOverflows …"; the next line has the values */

    /* moment_lines.c */
    uint64_t moment_lines;
    uint32_t now_s; /* the latest moment that the text tells, as moment_parse() reads it; 0: none */

    /* log_lines.c */
    uint64_t log_lines;
    uint8_t log_event;        /* 1 + enum log_message of an event whose number was read; its text may follow; 0: none */
    uint8_t log_after_source; /* number of following lines in which an event number is one of TCP */

    /* setting_lines.c */
    int pending;          /* 1 + enum setting of the file that the last command prints; 0: none */
    unsigned netsh;       /* enum netsh: the table of netsh that is being read */
    bool netsh_is_v6;     /* the table is of IPv6 */
    bool has_v4_range;    /* a range for IPv4 was read, which one for IPv6 does not replace */
    const char *reserved; /* reserved ports as in net.ipv4.ip_local_reserved_ports; NULL: unknown */
    struct port_span excluded[NUMBERS_TABLE_ROWS_MAX];
    unsigned excluded_count;
    uint32_t files_limit;       /* descriptors that a process may have; 0: unknown */
    uint32_t files_hard;        /* the hard limit; 0: unknown */
    bool limits_are_of_process; /* from /proc/PID/limits; else from ulimit -n in a shell */
    bool asked_files;

    /* descriptor_lines.c */
    uint64_t descriptor_lines;
    struct descriptor_list descriptors[DESCRIPTOR_LISTS_MAX];
    unsigned descriptor_lists;
    struct socket_link *links;
    size_t link_count, link_capacity;
    unsigned descriptor_list;            /* 1 + index of the list that is being read; 0: none */
    uint32_t descriptor_pid, limits_pid; /* that the last command names; 0: none */
    enum descriptor_question descriptor_question;

    /* ended_lines.c */
    uint32_t ended[NUMBERS_ENDED_MAX]; /* PIDs that a command asked for, without finding a process */
    unsigned ended_count;
    /* PIDs that taskkill found: these processes existed when the rows were printed */
    uint32_t alive[NUMBERS_ENDED_MAX];
    unsigned alive_count;
    uint32_t asked_pid; /* the PID that the last command asks for; 0: none */
    bool asked_by_search;
};
