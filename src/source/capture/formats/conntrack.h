#pragma once
/* Reads the table of connection tracking. */
#include "base/buf.h"
#include "base/text.h"
#include "source/capture/format.h"

struct conntrack {
    uint64_t ended; /* entries after the first FIN or after a RST */
};
enum line_kind conntrack_row(struct capture *capture, const struct line *line);
void conntrack_finish(struct capture *capture);
