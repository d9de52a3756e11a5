#pragma once
/*
 * From a snapshot to findings: the cause of each connection, folded by cause, owner and service, judged and worded.
 * A pure function: no I/O, no clock, nothing kept.
 */
#include "base/error.h"
#include "model/diagnosis.h"
#include "model/policy.h"
#include "model/select.h"

/*
 * Diagnoses the connections that the selection takes in (NULL: all); the others still serve as proof, for instance as
 * the other end of a connection. The policy (NULL: the defaults) sets limits, and what is known and not to be counted.
 * Snapshot and policy must outlive the diagnosis.
 */
void diagnose(const struct snapshot *snapshot, const struct selection *selection, const struct policy *policy,
    struct diagnosis *ret_diagnosis);

/*
 * The states, as STATE_BIT()s, that a snapshot has to hold for this selection: those that were asked for and what
 * judges them. With `findings`, also what a finding about them tells of: the other ends, and the ports that they use
 * up; else the causes of the connections are all that is wanted. 0: all states.
 */
uint32_t diagnose_states(const struct selection *selection, bool findings);

/* The findings that exist, for completion and documentation: returns an id, or NULL past the end. */
const char *diagnose_finding_id(unsigned index);
/* Of the same: the limits unless a policy has others, and as bits by index into limit_infos those that act on it. */
const struct limits *diagnose_finding_limits(unsigned index);
uint32_t diagnose_finding_settable(unsigned index);
