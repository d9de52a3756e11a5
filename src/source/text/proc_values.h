#pragma once
/*
 * Parses the settings and counters of /proc. Pure and bounded: text in, values out. A text of another form yields fewer
 * values, never an error. Formats: Documentation/networking/ip-sysctl.rst, snmp_counter.rst.
 */
#include "model/setting.h"

/* Parses a whole counter file. Sets the values of those counters of counter_infos that are in it. */
void proc_parse_counters(const char *text, enum counter_file file, struct net_values *values);
/*
 * Parses the text of the sysctl file that holds `setting`. SETTING_RESERVED_PORTS needs both ends of the port range,
 * which must have been parsed before.
 */
void proc_parse_setting(const char *text, enum setting setting, struct net_values *values);
/* Counts the ports from `first` to `last` in a list such as "8080,9000-9010", which must be in ascending order. */
unsigned proc_count_reserved_ports(const char *text, unsigned first, unsigned last);
