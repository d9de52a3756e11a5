#pragma once
/* /proc/net/tcp and tcp6 as a capture. */
#include "source/capture/format.h"

/* Reads one line: see format.h. */
enum line_kind proc_net_tcp_row(struct capture *capture, const struct line *line);
