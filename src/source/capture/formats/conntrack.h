#pragma once
/* What connection tracking prints, and what it counts beside the rows. */
#include "base/buf.h"
#include "base/text.h"
#include "source/capture/format.h"

struct conntrack {
    uint64_t ended; /* entries behind the first FIN or a RST */
};
enum line_kind conntrack_row(struct capture *capture, const struct line *line);
void conntrack_finish(struct capture *capture);
