#pragma once
/*
 * A diagnosis put together by hand, for the tests of the reports: every member of a finding is used, and what comes from
 * outside is as hostile as it can be.
 */
#include "model/diagnosis.h"

struct sample {
    struct snapshot snapshot;
    struct diagnosis diagnosis;
};

void sample_init(struct sample *sample);
/* The same host with nothing wrong: no findings, one note, no gap. */
void sample_init_healthy(struct sample *sample);
void sample_deinit(struct sample *sample);

/* The name of the first finding's owner: an escape sequence, a newline, a stray byte, and a right-to-left override. */
#define SAMPLE_HOSTILE_NAME "e\033[31mvil\n\xff\xe2\x80\xae" "cod"
