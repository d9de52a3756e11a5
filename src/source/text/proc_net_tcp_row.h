#pragma once
/*
 * A row of /proc/net/tcp or tcp6: proc(5), Documentation/networking/proc_net_tcp.rst. Pure: text in, a connection out.
 */
#include <stdbool.h>

#include "model/conn.h"

/* One row (without its newline). Returns 0, or -EBADMSG for the heading and anything else. */
int proc_parse_net_tcp_row(const char *row, bool ipv6, struct conn *ret_conn);
