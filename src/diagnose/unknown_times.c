#include "diagnose/unknown_times.h"

enum {
    MARGIN_MS = 1000,
    CLOCKS_APART_MS = 500, /* clocks that agree may differ by this much */
    TICKS_MS = 20,         /* the kernel's clocks tick: USER_HZ is 100 at the least */
    ROWS_A_MS = 100,       /* a kernel prints at least this many */
};

struct unknown_times unknown_times_of(const struct snapshot *snapshot, const struct host *own, const struct host *other)
{
    uint64_t rows_ms = snapshot->conn_count / ROWS_A_MS; /* a text does not say how long it took */
    if (own == other)
        return (struct unknown_times){
            .reading_ms = (own != NULL ? own->elapsed_us : snapshot->elapsed_us) / 1000 + rows_ms, .same_host = true
        };
    return (struct unknown_times){ .later_ms = (int64_t)(other->taken_at_ms - own->taken_at_ms),
        .reading_ms = (own->elapsed_us + (uint64_t)other->elapsed_us) / 1000 + rows_ms };
}

uint64_t unknown_times_needed_ms(const struct unknown_times *times)
{
    return (times->later_ms < 0 ? (uint64_t)-times->later_ms : 0) + times->reading_ms + MARGIN_MS;
}

uint64_t unknown_times_open_ms(const struct unknown_times *times)
{
    bool is_known = times->same_host || times->is_measured;
    int64_t later = times->is_measured ? times->measured_ms : times->later_ms;
    return (later > 0 ? (uint64_t)later : 0) + times->reading_ms + (is_known ? TICKS_MS : CLOCKS_APART_MS);
}

static int64_t least(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

static bool is_near(int64_t one, int64_t other)
{
    return one - other <= CLOCKS_APART_MS && other - one <= CLOCKS_APART_MS;
}

/*
 * If no data has passed since the earlier snapshot, both ends remember the same moment: one when it sent the last data,
 * the other when it received them. The difference of the two ages is the time between the snapshots.
 */
enum dating unknown_times_measure(struct unknown_times *times, const struct conn *conn, const struct conn *row)
{
    if (times->same_host || !conn_has(conn, CONN_TCP_INFO) || !conn_has(row, CONN_TCP_INFO))
        return DATING_NONE;
    int64_t by_sent = (int64_t)row->last_data_recv_ms - conn->last_data_sent_ms;
    int64_t by_received = (int64_t)row->last_data_sent_ms - conn->last_data_recv_ms;
    bool is_silent = least(row->last_data_sent_ms, row->last_data_recv_ms) >= times->later_ms &&
        least(conn->last_data_sent_ms, conn->last_data_recv_ms) >= -times->later_ms;
    if (!is_silent || !is_near(by_sent, by_received))
        return DATING_NONE;
    if (!is_near(by_received, times->later_ms))
        return DATING_DIFFERS;
    int64_t measured = by_sent > by_received ? by_sent : by_received;
    if (!times->is_measured || measured > times->measured_ms)
        times->measured_ms = measured;
    times->is_measured = true;
    return DATING_AGREES;
}
