#pragma once
/*
 * How far apart in time two hosts were read, or two network namespaces of one host. A connection that only one of them
 * has may have been opened or closed in between.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"

struct unknown_times {
    int64_t later_ms;    /* by the clocks, how much later the other host was read; negative: earlier */
    uint64_t reading_ms; /* how long the reading of both took */
    bool same_host;
    bool is_measured;    /* measured_ms is known */
    int64_t measured_ms; /* later_ms, but more exact: from what both ends of one connection remember */
};

struct unknown_times unknown_times_of(
    const struct snapshot *snapshot, const struct host *own, const struct host *other);
/* A connection that has received nothing for at least this long existed when the other host was read. */
uint64_t unknown_times_needed_ms(const struct unknown_times *times);
/* The time in which a connection may have ended after its own host was read and before the other host was. */
uint64_t unknown_times_open_ms(const struct unknown_times *times);

enum dating {
    DATING_NONE,    /* not possible: data has passed meanwhile, or the ends show no clocks */
    DATING_AGREES,  /* what both ends remember fits the times of the snapshots */
    DATING_DIFFERS, /* it does not fit: one of the clocks, or the time of a file, is wrong */
};

/* Measures the time between the two snapshots with a connection that both have: `conn` is on the own host. */
enum dating unknown_times_measure(struct unknown_times *times, const struct conn *conn, const struct conn *row);
