#pragma once
/*
 * A diagnosis built by hand, for tests of the reports. Every member of a finding is used, and all text from outside is
 * as hostile as possible.
 */
#include "model/diagnosis.h"

struct sick_host {
    struct snapshot snapshot;
    struct diagnosis diagnosis;
};

void sick_host_init(struct sick_host *host);
/* The same host without problems: no findings, one note, no gap. */
void healthy_host_init(struct sick_host *host);
void sick_host_deinit(struct sick_host *host);

/* The name of the first finding's owner: an escape sequence, a newline, a stray byte and a right-to-left override. */
#define SICK_HOST_HOSTILE_NAME                                                                                         \
    "e\033[31mvil\n\xff\xe2\x80\xae"                                                                                   \
    "cod"
