#include "model/holders.h"

unsigned holders_count_processes(const struct snapshot *snapshot, const struct conn *conn)
{
    unsigned processes = 0;
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h))
        processes++;
    return processes;
}

void holders_drop(struct snapshot *snapshot, const struct conn *conn)
{
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h))
        holders_process(snapshot, h)->tcp_sockets--;
}
