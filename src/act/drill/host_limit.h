#pragma once
/*
 * A setting that only the whole host has; a network namespace has none of its own. A drill lowers it and restores it.
 *
 * The file in /proc/sys stays open. Its name does not exist in the drill's network namespace, but the descriptor still
 * refers to the host's setting. Child processes inherit the descriptor and can restore the setting.
 */
#include <sys/types.h>

#include "base/error.h"

struct host_limit {
    int fd; /* -1: none */
    char before[64];
};

/* Opens a setting, such as "net.ipv4.tcp_mem", and reads it. Returns 0, or a negative errno; then limit->fd is -1. */
int host_limit_open(struct host_limit *limit, const char *name, struct error *err);
int host_limit_set(const struct host_limit *limit, const char *value, struct error *err);
/* Restores the value that host_limit_open() read. Several processes may call it, and more than once. */
void host_limit_put_back(const struct host_limit *limit);
void host_limit_close(struct host_limit *limit);

/*
 * The number after `word` in the line "TCP:" of /proc/net/sockstat; 0 if there is none.
 */
unsigned long host_tcp_count(const char *word);
