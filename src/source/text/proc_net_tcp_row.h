#pragma once
/*
 * Parses a row of /proc/net/tcp or tcp6: proc(5), Documentation/networking/proc_net_tcp.rst. Pure: text in, connection
 * out.
 */
#include <stdbool.h>

#include "model/conn.h"

/* The row must have no newline. Returns 0, or -EBADMSG for the heading and for any other text. */
int proc_parse_net_tcp_row(const char *row, bool ipv6, struct conn *ret_conn);
