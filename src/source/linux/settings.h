#pragma once
/* Reads the settings and counters of the calling thread's network namespace. */
#include "model/setting.h"

/* Reads settings and counters. A value that cannot be read stays unknown. */
void settings_read(struct net_values *values);
/* Reads only the counters. */
void settings_read_counters(struct net_values *values);
