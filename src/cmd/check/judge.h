#pragma once
/* The input of both ways to judge: by thresholds and by the diagnosis. */
#include "model/diagnosis.h"
#include "model/policy.h"
#include "cmd/check/samples.h"

struct judging {
    const struct diagnosis *diagnosis;
    const struct policy *policy;
    struct samples *samples; /* of earlier runs; NULL: growth is unknown */
    uint64_t window_ms;      /* the time over which growth is measured */
    bool ages_hold;          /* the age of a finding does not shrink between two runs while nothing changes */
    bool verbose;
};
