/* The kinds of captures that are known: one row each. What is read of each is in docs/CAPTURES.md. */
#include "source/capture/format.h"

#define ROWS(function) .recognise = rows_recognise, .parse = rows_parse, .row = (function)

const struct format formats[] = {
    { .id = "capture-proc-net-tcp", .title = "/proc/net/tcp", .os = "linux", ROWS(proc_net_tcp_row) },
    { .id = "snapshot",
        .title = "a snapshot of tcpwhy",
        .is_snapshot = true,
        .recognise = saved_recognise,
        .parse = saved_parse },
    { .id = NULL },
};
