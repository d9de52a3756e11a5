#include "model/host.h"

const struct host *hosts_of_conn(const struct snapshot *snapshot, const struct conn *conn)
{
    const struct netns *netns = snapshot_netns(snapshot, conn);
    return netns != NULL ? netns->host : NULL;
}

const char *hosts_words_on(const struct host *host, struct arena *arena)
{
    return host != NULL ? arena_printf(arena, " on %s", host->name) : "";
}
