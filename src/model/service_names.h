#pragma once
/*
 * Names of services as netstat and ss print them without -n, with their ports. Source: /etc/services, which follows
 * IANA's registry.
 */
#include <stddef.h>
#include <stdint.h>

/* The port of the service; 0 if the name is unknown. */
uint16_t service_port(const char *name, size_t length);
