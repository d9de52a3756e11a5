#pragma once
/*
 * A limit of the whole host that a drill lowers, and that is put back: no network namespace has its own.
 *
 * What is kept is a descriptor of the file in /proc/sys, not its name: the name leads nowhere in the drill's network
 * namespace, while the descriptor goes on meaning the host's and is inherited by whoever has to put it back.
 */
#include <sys/types.h>

#include "base/error.h"

struct host_limit {
    int fd; /* -1: none */
    char before[64];
};

/* "net.ipv4.tcp_mem". Returns 0, or a negative errno with err filled and limit->fd -1. */
int host_limit_open(struct host_limit *limit, const char *name, struct error *err);
int host_limit_set(const struct host_limit *limit, const char *value, struct error *err);
/* As it was when it was opened. May be called by several, and again. */
void host_limit_put_back(const struct host_limit *limit);
void host_limit_close(struct host_limit *limit);

/*
 * What the whole host has of it now: the number after `word` in the line TCP of /proc/net/sockstat; 0 if there is none.
 */
unsigned long host_tcp_count(const char *word);
