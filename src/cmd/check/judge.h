#pragma once
/* What the two ways to judge, by thresholds and by the diagnosis, are given. */
#include "model/diagnosis.h"
#include "model/policy.h"
#include "cmd/check/samples.h"

struct judging {
    const struct diagnosis *diagnosis;
    const struct policy *policy;
    struct samples *samples; /* of earlier runs; NULL: nothing is known of growth */
    uint64_t window_ms;      /* over which growth is measured */
    bool ages_hold;          /* no age of a finding shrinks between two runs while nothing changes */
    bool verbose;
};
