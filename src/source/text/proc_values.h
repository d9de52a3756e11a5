#pragma once
/*
 * Settings and counters as /proc has them. Pure and bounded: text in, values out; a text that is not as expected yields
 * less, never an error. Format: Documentation/networking/ip-sysctl.rst, snmp_counter.rst.
 */
#include "model/setting.h"

/* A counter file as a whole: sets those of counter_infos that are in it. */
void proc_parse_counters(const char *text, enum counter_file file, struct net_values *values);
/* A sysctl file: sets the settings that are read from the sysctl `name`. */
void proc_parse_setting(const char *text, enum setting setting, struct net_values *values);
/* How many ports between first and last a list like "8080,9000-9010" reserves. */
unsigned proc_count_reserved_ports(const char *text, unsigned first, unsigned last);
