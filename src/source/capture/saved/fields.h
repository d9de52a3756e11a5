#pragma once
/* The contents of a saved snapshot. One table for each type of line drives its writer and its reader. */
#include "model/setting.h"
#include "source/capture/saved/json_record.h"

/* The types of lines, in the order in which they are written. "type" is the first key of each line. */
#define SAVED_LINE_SNAPSHOT "snapshot" /* struct snapshot */
#define SAVED_LINE_NETNS "netns"
#define SAVED_LINE_CGROUP "cgroup"
#define SAVED_LINE_PROCESS "process"
#define SAVED_LINE_CONN "connection"
#define SAVED_LINE_TOTAL "total"
#define SAVED_LINE_GAP "gap"
#define SAVED_LINE_END "end"

extern const struct record saved_snapshot; /* struct snapshot */
extern const struct record saved_netns;    /* struct netns */
extern const struct record saved_values;   /* struct net_values, except settings and counters */
extern const struct record saved_cgroup;   /* struct cgroup */
extern const struct record saved_process;  /* struct process, except its waits */
extern const struct record saved_wait;     /* struct wait_place */
extern const struct record saved_conn;     /* struct conn, except its holders */
extern const struct record saved_holder;   /* struct saved_holder */
extern const struct record saved_total;    /* struct total */
extern const struct record saved_gap;      /* struct gap */

/* struct holder without the links of its list. */
struct saved_holder {
    uint32_t process;
    int fd; /* -1: unknown */
    bool close_on_exec;
};

/*
 * Write settings and counters as the members "settings" and "counters" of an open object. A setting is a number. If its
 * file in /proc/sys has several numbers, it is an array, in which null is unknown.
 */
void saved_write_settings(struct json *json, const struct net_values *values);
void saved_write_counters(struct json *json, const struct net_values *values);
/* Read these members' values. Return 0 or -EINVAL. Names that this version does not know are skipped. */
int saved_read_settings(struct json_reader *json, struct net_values *values);
int saved_read_counters(struct json_reader *json, struct net_values *values);
