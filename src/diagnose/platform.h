#pragma once
/*
 * What differs between the systems that a snapshot may come from, in what is known of them and in what one would do
 * there. One row each, in platform.c; the words of the findings take it from here. Nobody on Windows is told to run ss.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/diagnosis.h"
#include "model/snapshot.h"

/* A fix; "{}" in its command stands for what it is about: a PID, an address. */
struct platform_fix {
    const char *text, *command;
};

struct platform {
    const char *os;         /* as in snapshot.os; NULL: any other */
    const char *name;       /* "Windows" */
    bool counts_fin;        /* a FIN counts 1 in Recv-Q and Send-Q; else only data does */
    bool owner_has_it_open; /* who is named as the owner has a descriptor; else it may have been the last that had */

    /* Ports for outgoing connections, where nothing else is known. */
    uint16_t port_first, port_last;
    const char *port_range;          /* what the range is called there */
    struct platform_fix show_ports;  /* what is set, and what has gone wrong */
    struct platform_fix widen_ports; /* text NULL: the rule knows better */
    const char *reserve_setting;     /* the setting that keeps a list of ports out of the range; NULL: there is none */
    const char *reserve_port;        /* command: keep a port, {}, out of the range; NULL: there is none */
    const char *no_port;             /* how connect() fails without one */
    const char *bound_first; /* for programs that bind a source address before they connect; NULL: no such thing */
    const char *ports_wont_help;

    unsigned time_wait_s;       /* how long TIME_WAIT lasts; 0: it depends */
    const char *time_wait_life; /* "Each ends by itself within 60 s" */
    const char *time_wait_wont_help;
    const char *time_wait_reuse;        /* why it does not help a service, or NULL */
    const char *fin_wait_2_life;        /* of one that is closed here */
    const char *fin_wait_2_half_closed; /* what limits one that a program has only shut down */
    const char *fin_wait_2_wont_help;
    const char *close_wait_wont_help;
    const char
        *sent_fin_wont_help; /* what settings are for, of other states: behind "None of these affects LAST_ACK" */
    const char *handshake_wont_help;

    const char *rows;            /* command: the connections themselves, with all that the system shows of them */
    const char *port_users;      /* command: who uses the ports for outgoing connections; NULL: that is in rows */
    struct platform_fix owners;  /* find out who holds them */
    struct platform_fix restart; /* {}: PID */
    struct platform_fix service; /* what runs in that process; {}: PID; text NULL: nothing to ask */
    const char *threads;         /* command: where its threads hang; {}: PID */
    const char *threads_cost;    /* what that does to the process */
    const char *packets;         /* command: what passes between here and an address */
    const char *route;           /* command: the way to an address, and what filters it */
    const char *kill_sockets;    /* why that does not help, or NULL */
};

/* Never NULL. */
const struct platform *platform_of(const struct snapshot *snapshot);
/* The text with what {} stands for put in; NULL for NULL. */
const char *platform_fill(struct arena *arena, const char *text, const char *what);
