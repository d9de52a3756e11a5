#pragma once
/* Turns the diagnosis into the output of a plugin: tcpwhy check without thresholds. */
#include "cmd/check/judge.h"
#include "report/plugin.h"

/* True if a finding exists whose growth matters. Without one, no state file is needed. */
bool verdict_wants_samples(const struct diagnosis *diagnosis);

/*
 * Writes the result and returns its status: that of the verdict, or a worse one if a finding grows so fast that its
 * process will soon have no free descriptor.
 */
enum plugin_status verdict_judge(const struct judging *judging, struct plugin *plugin);
