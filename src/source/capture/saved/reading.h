#pragma once
/* The state of reading a file of saved snapshots. For the files of this folder only. */
#include "base/json_read.h"
#include "source/capture/format.h"

/* A file contains the snapshot of one host, or of several hosts one after the other. */
struct reading {
    struct capture *capture;
    struct snapshot *snapshot; /* that is being read now */
    struct json_reader json;
    bool begun;             /* the first line of the snapshot was read */
    bool is_previous;       /* it is the previous snapshot of a host; the current one follows */
    bool has_previous;      /* the same host's previous snapshot was read before this one */
    bool previous_is_cut;   /* some of that previous snapshot could not be read */
    bool ended;             /* its last line was read */
    uint64_t announced;     /* number of connections that its last line states */
    uint64_t hosts;         /* number of hosts that the first lines state; 0: they do not */
    struct snapshot *parts; /* the hosts before this one */
    size_t part_count, part_capacity;
    struct wait_place *waits; /* of the process that is being read */
    size_t wait_count, wait_capacity;
};

/* Read the rest of their lines. Return 0, -EINVAL if the line is not understood, or -ENOMEM. */
int saved_read_netns(struct reading *reading);
int saved_read_cgroup(struct reading *reading);
int saved_read_process(struct reading *reading);
int saved_read_total(struct reading *reading);
int saved_read_gap(struct reading *reading);
int saved_read_conn(struct reading *reading);
int saved_read_end(struct reading *reading);

/*
 * Reads the first line of a snapshot; head.c. The snapshot before it is complete then. Returns 0; -EINVAL if the line
 * is not understood; another errno with err filled if the file cannot be used.
 */
int saved_read_head(struct reading *reading, const struct line *line, struct error *err);

/*
 * Ends a snapshot, as far as the file contains it; parts.c. If something is missing, a gap says so. Returns 0, or
 * -EBADMSG with err filled if no connection could be read.
 */
int saved_finish(struct reading *reading, struct error *err);
/*
 * Stores the snapshot as one of several, because another host follows. Returns 0 or a negative errno with err filled.
 */
int saved_next_part(struct reading *reading, struct error *err);
/* Joins the hosts into one snapshot, if there are several. Returns 0 or a negative errno with err filled. */
int saved_join_parts(struct reading *reading, struct error *err);
