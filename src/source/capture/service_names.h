#pragma once
/*
 * Names of services as netstat and ss print them without -n, and their ports: IANA's registry, as /etc/services has it.
 */
#include <stddef.h>
#include <stdint.h>

/* The port of the service; 0: the name is not known. */
uint16_t service_port(const char *name, size_t length);
