#pragma once
/* Settings and counters of the network namespace that the calling thread is in. */
#include "model/setting.h"

/* What cannot be read stays unknown. */
void settings_read(struct net_values *values);
/* The counters only. */
void settings_read_counters(struct net_values *values);
