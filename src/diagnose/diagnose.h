#pragma once
/*
 * From a snapshot to findings: the cause of each connection, folded by cause, owner and service, judged and worded.
 * A pure function: no I/O, no clock, nothing kept.
 */
#include "base/error.h"
#include "model/diagnosis.h"
#include "model/select.h"

/*
 * Diagnoses the connections that the selection takes in (NULL: all); the others still serve as proof, for instance as
 * the other end of a connection. Returns 0, or -ENOMEM. The snapshot must outlive the diagnosis.
 */
int diagnose(const struct snapshot *snapshot, const struct selection *selection, struct diagnosis *ret_diagnosis);

/*
 * The states, as STATE_BIT()s, that a snapshot has to hold for this selection: those that were asked for and what judges
 * them. With `findings`, also what a finding about them tells of: the other ends, and the ports that they use up; else the
 * causes of the connections are all that is wanted. 0: all states.
 */
uint32_t diagnose_states(const struct selection *selection, bool findings);

/* The findings that exist, for completion and documentation: returns an id, or NULL past the end. */
const char *diagnose_finding_id(unsigned index);
