#pragma once
/*
 * Makes a diagnosis from a snapshot: it finds the cause of each connection, folds connections with the same cause,
 * owner and service into groups, and makes a finding from each group. It does no I/O, reads no clock, and keeps no
 * state.
 */
#include "base/error.h"
#include "model/diagnosis.h"
#include "model/policy.h"
#include "model/select.h"

/*
 * Diagnoses the connections of the selection (NULL: all). The other connections are still evidence, for example as the
 * other end of a connection. The policy (NULL: the defaults) sets the limits, and the known findings that do not count.
 * Snapshot and policy must outlive the diagnosis. Release it with diagnosis_deinit().
 */
void diagnose(const struct snapshot *snapshot, const struct selection *selection, const struct policy *policy,
    struct diagnosis *ret_diagnosis);

/*
 * The states, as STATE_BIT()s, that a snapshot must contain to diagnose this selection: the selected states, and those
 * that the rules need to find the causes. With `findings`, also the states that findings need: those of the other ends
 * and of all connections that use up ports. Without it, only the causes will be right. 0: all states.
 */
uint32_t diagnose_states(const struct selection *selection, bool findings);

/* The findings that exist, for completion and documentation: returns an id, or NULL past the end. */
const char *diagnose_finding_id(unsigned index);
/* The default limits of this finding, and which limits have an effect on it: one bit for each index of limit_infos. */
const struct limits *diagnose_finding_limits(unsigned index);
uint32_t diagnose_finding_settable(unsigned index);
