#pragma once
/* How `tcpwhy list` shows what a finding is about. */
#include "model/diagnosis.h"

/* Sets list_options and lists_cause. The causes must be final. */
void list_options_set(struct diagnosis *diagnosis, struct finding *finding);
