#pragma once
/* What a saved snapshot consists of: one table for each kind of line, which writes it and reads it. */
#include "source/capture/record.h"

/* The lines, in the order in which they are written; "type" is the first key of each. */
#define SAVED_LINE_SNAPSHOT "snapshot" /* struct snapshot */
#define SAVED_LINE_NETNS "netns"
#define SAVED_LINE_CGROUP "cgroup"
#define SAVED_LINE_PROCESS "process"
#define SAVED_LINE_CONN "connection"
#define SAVED_LINE_GAP "gap"
#define SAVED_LINE_END "end"

extern const struct record saved_snapshot; /* struct snapshot */
extern const struct record saved_netns;    /* struct netns */
extern const struct record saved_values;   /* struct net_values, but for settings and counters */
extern const struct record saved_cgroup;   /* struct cgroup */
extern const struct record saved_process;  /* struct process, but for its waits */
extern const struct record saved_wait;     /* struct wait_place */
extern const struct record saved_conn;     /* struct conn, but for its holders */
extern const struct record saved_holder;   /* struct saved_holder */
extern const struct record saved_gap;      /* struct gap */

/* struct holder without what makes the list. */
struct saved_holder {
    uint32_t process;
    int fd;
    bool close_on_exec;
};
