#pragma once
/* The diagnosis as a plugin's words: tcpwhy check without thresholds. */
#include "cmd/check/judge.h"
#include "report/plugin.h"

/* Whether there is anything whose growth is worth knowing: a healthy host needs no file. */
bool verdict_wants_samples(const struct diagnosis *diagnosis);

/*
 * As grave as the diagnosis, or graver where a finding grows so fast that its process will soon run out of descriptors.
 */
enum plugin_status verdict_judge(const struct judging *judging, struct plugin *plugin);
