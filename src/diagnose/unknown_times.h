#pragma once
/* The moments at which the two hosts of a connection were seen, or two network namespaces of one host. */
#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"

struct unknown_times {
    int64_t later_ms;    /* by its clock the other host was seen so much later; negative: earlier */
    uint64_t reading_ms; /* how long it took to read both */
    bool same_host;
    bool is_measured; /* what both ends of a connection remember says so too, more exactly: */
    int64_t measured_ms;
};

struct unknown_times unknown_times_of(
    const struct snapshot *snapshot, const struct host *own, const struct host *other);
/* For how long nothing must have come on a connection, that it was there when the other host was seen. */
uint64_t unknown_times_needed_ms(const struct unknown_times *times);
/* How long the snapshots left open for a connection to end unseen: at its own host it was seen, and then no more. */
uint64_t unknown_times_open_ms(const struct unknown_times *times);

enum dating {
    DATING_NONE,    /* something has passed meanwhile, or the clocks are not known */
    DATING_AGREES,  /* what both ends remember fits the times of the snapshots */
    DATING_DIFFERS, /* one of the clocks, or the time of a file, is wrong */
};

/* Measures the time between by a connection of which both ends were seen: `conn` is on the own host. */
enum dating unknown_times_measure(struct unknown_times *times, const struct conn *conn, const struct conn *row);
