#pragma once
/* What the files that read saved snapshots share. */
#include "base/json_read.h"
#include "source/capture/format.h"

/* Of a file that holds one host, or several one after the other. */
struct reading {
    struct capture *capture;
    struct snapshot *snapshot; /* that is being read */
    struct json_reader json;
    bool begun;             /* the head of the snapshot was read … */
    bool is_previous;       /* … which is the earlier of two */
    bool has_previous;      /* there was one before it … */
    bool previous_is_cut;   /* … of which not all could be read */
    bool ended;             /* its last line was read */
    uint64_t announced;     /* connections, by its last line */
    uint64_t missed;        /* connections beyond what is read */
    uint64_t hosts;         /* that there are, by their heads; 0: they do not say */
    struct snapshot *parts; /* of the hosts before this one */
    size_t part_count, part_capacity;
    struct wait_place *waits; /* of the process that is being read */
    size_t wait_count, wait_capacity;
};

/* Each reads the rest of its line. 0; -EINVAL: not understood; -ENOMEM. */
int saved_read_netns(struct reading *reading);
int saved_read_cgroup(struct reading *reading);
int saved_read_process(struct reading *reading);
int saved_read_total(struct reading *reading);
int saved_read_gap(struct reading *reading);
int saved_read_conn(struct reading *reading);
int saved_read_end(struct reading *reading);

/*
 * A head: head.c. What came before is finished. -EINVAL: not understood; another errno: the whole file is of no use,
 * and err says why.
 */
int saved_read_head(struct reading *reading, const struct line *line, struct error *err);

/*
 * The snapshot is read as far as the file goes; parts.c. What is missing of it becomes a gap. Where nothing of it
 * could be read it is of no use: -EBADMSG, and err says why.
 */
int saved_finish(struct reading *reading, struct error *err);
/* Puts it aside: that of another host follows. */
int saved_next_part(struct reading *reading, struct error *err);
/* Makes one of them all, if there are several. */
int saved_join_parts(struct reading *reading, struct error *err);
