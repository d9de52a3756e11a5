#pragma once
/* Limited resources: descriptors, ports, accept queues. */
#include "report/metrics/parts.h"

void metrics_write_descriptors(struct metrics *metrics);
void metrics_write_ports(struct metrics *metrics);
void metrics_write_listeners(struct metrics *metrics);
