#pragma once
/*
 * What differs between the operating systems that a snapshot may come from: defaults, names, commands. platform.c has
 * one row for each. Findings take their commands from here, so that nobody on Windows is told to run ss.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/diagnosis.h"
#include "model/snapshot.h"

/* A fix. platform_fill() replaces "{}" in the command by a PID or an address. */
struct platform_fix {
    const char *text, *command;
};

struct platform {
    const char *os;         /* as in snapshot.os; NULL: any other */
    const char *name;       /* "Windows" */
    bool counts_fin;        /* a FIN counts 1 in Recv-Q and Send-Q; false: these count data only */
    bool owner_has_it_open; /* the shown owner has a descriptor; false: it may be the process that created the socket */

    uint16_t port_first, port_last;  /* the default range of ephemeral ports */
    const char *port_range;          /* what the system calls this range */
    struct platform_fix show_ports;  /* shows the range, and errors about it */
    struct platform_fix widen_ports; /* text NULL: the rule makes its own fix */
    const char *reserve_setting;     /* the setting that keeps a list of ports out of the range; NULL: there is none */
    const char *reserve_port;        /* command that keeps a port, {}, out of the range; NULL: there is none */
    const char *no_port;             /* how connect() fails without a free port */
    const char *bound_first; /* what helps programs that bind an address before they connect; NULL: there is nothing */
    const char *ports_wont_help;

    unsigned time_wait_s;       /* how long TIME_WAIT lasts; 0: it depends on settings */
    const char *time_wait_life; /* "Each ends by itself within 60 s" */
    const char *time_wait_wont_help;
    const char *time_wait_reuse; /* why a setting for reuse does not help a service; NULL: there is no such setting */
    const char *fin_wait_2_life; /* what limits FIN_WAIT_2 after close() */
    const char *fin_wait_2_half_closed; /* what limits FIN_WAIT_2 after shutdown() only */
    const char *fin_wait_2_wont_help;
    const char *close_wait_wont_help;
    const char
        *sent_fin_wont_help; /* what settings of other states are for; follows "None of these affects LAST_ACK" */
    const char *handshake_wont_help;

    const char *rows;            /* command that shows the connections with all details */
    const char *port_users;      /* command that shows what uses the ephemeral ports; NULL: `rows` shows it */
    struct platform_fix owners;  /* shows who holds the connections */
    struct platform_fix restart; /* {}: PID */
    struct platform_fix service; /* shows what runs in a process; {}: PID; text NULL: there is no such fix */
    const char *threads;         /* command that shows where the threads of a process wait; {}: PID */
    const char *threads_cost;    /* what that command does to the process; or NULL */
    const char *packets;         /* command that shows the packets to and from an address, {} */
    const char *route;           /* command that shows the route to an address, {}, and the packet filters */
    const char *kill_sockets;    /* why ending sockets from outside does not help, or NULL */
};

/* The row of the snapshot's operating system. Never NULL. */
const struct platform *platform_of(const struct snapshot *snapshot);
/* The text with each "{}" replaced by `what`, in the arena. NULL for NULL. */
const char *platform_fill(struct arena *arena, const char *text, const char *what);
