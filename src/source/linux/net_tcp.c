#include "source/linux/net_tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "source/text/proc_net_tcp_row.h"
#include "source/linux/duplicates.h"

static int read_table(struct snapshot *snapshot, uint32_t netns, const char *path, bool ipv6)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    char *line = NULL;
    size_t capacity = 0;
    int result = 0;
    errno = 0;
    while (result == 0 && getline(&line, &capacity, file) > 0) {
        struct conn conn;
        if (proc_parse_net_tcp_row(line, ipv6, &conn) < 0)
            continue; /* it is the heading */
        if ((snapshot_states(snapshot) & STATE_BIT(conn.state)) == 0)
            continue;
        struct conn *added = snapshot_add_conn(snapshot);
        if (added == NULL) {
            result = -ENOMEM;
        } else {
            *added = conn;
            added->netns = netns;
        }
    }
    if (result == 0 && errno == ENOMEM) /* getline() has ended for want of memory, not at the end of the file */
        result = -ENOMEM;
    if (result == 0 && ferror(file))
        result = -EIO;
    free(line);
    fclose(file);
    return result;
}

int net_tcp_read(struct snapshot *snapshot, uint32_t netns)
{
    /* /proc/net is the namespace of the main thread, which may be another one: proc(5). */
    size_t first = snapshot->conn_count;
    int result = read_table(snapshot, netns, "/proc/thread-self/net/tcp", false);
    if (result < 0)
        return result;
    result = read_table(snapshot, netns, "/proc/thread-self/net/tcp6", true);
    if (result < 0 && result != -ENOENT) /* -ENOENT: a kernel without IPv6 */
        return result;
    duplicates_drop(snapshot, first);
    return 0;
}
