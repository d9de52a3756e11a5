/*
 * There are three ways to examine a closed socket. The best one that is permitted is used:
 *
 *   eBPF iterator        it finds both endpoints and the time of the end
 *   pidfd_getfd(2)       a duplicate of the descriptor has the local endpoint, and poll(2) tells that the connection
 *                        has ended; this changes nothing, whereas SO_ERROR would take the error away from the owner
 *   extended attribute   the protocol's name, from /proc/PID/fd/N: it tells only that the socket is TCP and in no table
 */
#include "source/linux/closed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash_index.h"
#include "base/memory.h"
#include "model/conn_hash.h"
#include "model/holders.h"
#include "source/linux/bpf/bpf_closed.h"
#include "source/linux/inet_diag.h"
#include "source/linux/proc_text.h"

enum {
    MANY = 10,              /* fewer sockets on the whole host are not searched */
    CANDIDATES_MAX = 65536, /* no more are examined */
    TRANSIENT_MS = 250,     /* a program that closes its sockets has done so by then */
};

/* A socket that is in no table. */
struct candidate {
    uint32_t holder; /* index of its first holder */
    bool is_ended;   /* its connection has ended, or may have ended: it will be added to the snapshot */
    bool is_dated;   /* `conn` has the time of the end */
    struct conn conn;
};

struct search {
    struct snapshot *snapshot;
    struct candidate *items; /* candidates of one process are neighbours */
    size_t count, capacity;
    struct hash_index by_inode;
};

/* --- estimate ----------------------------------------------------------------------------------------------------- */

/* A mini-socket is no struct sock: the kernel's sockets_allocated does not count it. */
static bool is_mini(const struct conn *conn)
{
    return conn->state == STATE_TIME_WAIT || conn->state == STATE_SYN_RECEIVED ||
        (conn->state == STATE_FIN_WAIT_2 && conn->timer == TIMER_TIME_WAIT);
}

bool closed_may_be_held(const struct snapshot *snapshot)
{
    if (snapshot->netns_count == 0 || snapshot->states != 0)
        return false;
    int64_t allocated = 0, seen = 0;
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        const struct net_values *values = &snapshot->net_values[i];
        if (values->has_counter[COUNTER_ALLOCATED] && values->counters[COUNTER_ALLOCATED] > allocated)
            allocated = values->counters[COUNTER_ALLOCATED];
    }
    if (allocated < MANY)
        return false;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        seen += !is_mini(&snapshot->conns[i]);
    return allocated - seen >= MANY;
}

/* --- candidates --------------------------------------------------------------------------------------------------- */

/* Marks the holders that are no candidates: those of known connections, and all but the first holder of each socket. */
static bool *mark_known(const struct snapshot *snapshot)
{
    bool *known = xcalloc(snapshot->holder_count + 1, sizeof *known);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        for (uint32_t h = snapshot->conns[i].holder; h != NO_INDEX; h = snapshot->holders[h].next)
            known[h] = true;
    }
    for (size_t i = 0; i < snapshot->holder_count; i++) {
        if (snapshot->holders[i].next != NO_INDEX)
            known[snapshot->holders[i].next] = true;
    }
    return known;
}

static void find_candidates(struct search *search)
{
    const struct snapshot *snapshot = search->snapshot;
    bool *known = mark_known(snapshot);
    for (size_t i = 0; i < snapshot->holder_count && search->count < CANDIDATES_MAX; i++) {
        if (known[i])
            continue;
        xvec_grow((void **)&search->items, search->count, &search->capacity, sizeof *search->items);
        search->items[search->count++] = (struct candidate){ .holder = (uint32_t)i };
    }
    free(known);
}

static const struct holder *holder_of(const struct search *search, const struct candidate *candidate)
{
    return &search->snapshot->holders[candidate->holder];
}

static const struct process *process_of(const struct search *search, const struct candidate *candidate)
{
    return &search->snapshot->processes[holder_of(search, candidate)->process];
}

static void write_path(const struct search *search, const struct candidate *candidate, char path[64])
{
    snprintf(path, 64, "/proc/%u/fd/%u", process_of(search, candidate)->pid, holder_of(search, candidate)->fd);
}

/* True if the descriptor still refers to the same socket. */
static bool is_still_held(const struct search *search, const struct candidate *candidate)
{
    char path[64], link[64];
    uint32_t inode;
    write_path(search, candidate, path);
    ssize_t length = readlink(path, link, sizeof link);
    return length > 0 && proc_parse_socket_link(link, (size_t)length, &inode) &&
        inode == holder_of(search, candidate)->inode;
}

/*
 * The extended attribute is the name of the socket's struct proto: sockfs_xattr_get() in net/socket.c. It is "TCP" or
 * "TCPv6"; other sockets have "MPTCP", "UNIX-STREAM", "NETLINK", …
 */
static bool is_tcp(const struct search *search, const struct candidate *candidate, bool *ret_ipv6)
{
    char path[64], name[32];
    write_path(search, candidate, path);
    ssize_t length = getxattr(path, "system.sockprotoname", name, sizeof name - 1);
    if (length <= 0)
        return false;
    name[length] = '\0';
    *ret_ipv6 = strcmp(name, "TCPv6") == 0;
    return *ret_ipv6 || strcmp(name, "TCP") == 0;
}

/* Removes the candidates that are no TCP sockets; most of them are UNIX sockets. Only the protocol is known so far. */
static void filter_tcp(struct search *search)
{
    size_t count = 0;
    for (size_t i = 0; i < search->count; i++) {
        struct candidate *candidate = &search->items[i];
        bool ipv6;
        if (!is_tcp(search, candidate, &ipv6) || !is_still_held(search, candidate))
            continue;
        candidate->conn = (struct conn){ .state = STATE_CLOSED,
            .ipv6 = ipv6,
            .inode = holder_of(search, candidate)->inode,
            .netns = process_of(search, candidate)->netns,
            .holder = NO_INDEX,
            .present = CONN_INODE };
        candidate->conn.local = candidate->conn.remote = ip_from_v4((const uint8_t[4]){ 0 });
        search->items[count++] = *candidate;
    }
    search->count = count;
}

/* --- examination by eBPF ------------------------------------------------------------------------------------------ */

static uint32_t find_netns(const struct snapshot *snapshot, uint64_t inode)
{
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        if (snapshot->netns[i].inode == inode)
            return (uint32_t)i;
    }
    return NO_INDEX;
}

static int add_details(const struct bpf_closed_conn *closed, void *data)
{
    struct search *search = data;
    struct hash_walk walk = hash_index_walk(&search->by_inode, hash_number(closed->conn.inode));
    uint32_t index;
    while ((index = hash_walk_next(&search->by_inode, &walk)) != HASH_NONE) {
        struct candidate *candidate = &search->items[index];
        if (candidate->conn.inode != closed->conn.inode)
            continue;
        uint32_t netns = find_netns(search->snapshot, closed->netns_inode);
        candidate->conn = closed->conn;
        candidate->conn.netns = netns;
        candidate->is_ended = closed->was != BPF_CLOSED_NEW && netns != NO_INDEX;
        candidate->is_dated = conn_has(&closed->conn, CONN_TCP_INFO);
    }
    return 0;
}

/* Returns 0, or a negative errno if eBPF cannot be used; then no candidate has been examined. */
static int read_by_bpf(struct search *search)
{
    struct bpf_closed_reader *reader;
    int result = bpf_closed_open(&reader);
    if (result < 0)
        return result;
    hash_index_init(&search->by_inode, search->count);
    for (size_t i = 0; i < search->count && result == 0; i++)
        hash_index_add(&search->by_inode, hash_number(search->items[i].conn.inode), (uint32_t)i);
    const struct process *last = NULL;
    for (size_t i = 0; i < search->count && result == 0; i++) {
        const struct process *process = process_of(search, &search->items[i]);
        if (process != last)
            result = bpf_closed_read(reader, process->pid, add_details, search);
        last = process;
    }
    hash_index_deinit(&search->by_inode);
    bpf_closed_close(reader);
    return result;
}

/* --- examination by a duplicate of the descriptor ----------------------------------------------------------------- */

static void set_local(const struct sockaddr_storage *address, struct conn *conn)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        conn->local = ip_from_v4((const uint8_t *)&v4->sin_addr);
        conn->local_port = ntohs(v4->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        conn->local = ip_from_v6((const uint8_t *)&v6->sin6_addr);
        conn->local_port = ntohs(v6->sin6_port);
    }
}

/*
 * True if the connection has ended. tcp_done() shuts both directions down, so poll() reports POLLRDHUP (tcp_poll()). A
 * socket on which connect() was never called has no local port. A socket whose non-blocking connect() failed looks as
 * if its connection had ended.
 */
static bool has_ended(int fd, struct candidate *candidate)
{
    struct tcp_info info;
    struct sockaddr_storage address = { 0 };
    struct stat status;
    socklen_t length = sizeof info, address_length = sizeof address, cookie_length = sizeof candidate->conn.cookie;
    memset(&info, 0, sizeof info);
    struct pollfd ended = { .fd = fd, .events = POLLRDHUP };
    if (fstat(fd, &status) < 0 || (uint32_t)status.st_ino != candidate->conn.inode ||
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 || info.tcpi_state != TCP_CLOSE ||
        getsockname(fd, (struct sockaddr *)&address, &address_length) < 0)
        return false;
    set_local(&address, &candidate->conn);
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &candidate->conn.cookie, &cookie_length) == 0)
        candidate->conn.present |= CONN_COOKIE;
    return poll(&ended, 1, 0) > 0 && (ended.revents & POLLRDHUP) != 0 && candidate->conn.local_port != 0;
}

/*
 * pidfd_getfd(2) needs PTRACE_MODE_ATTACH_REALCREDS. A candidate whose descriptor may not be duplicated counts as
 * ended.
 */
static void read_duplicates(struct search *search)
{
    const struct process *last = NULL;
    int process_fd = -1;
    for (size_t i = 0; i < search->count; i++) {
        struct candidate *candidate = &search->items[i];
        const struct process *process = process_of(search, candidate);
        if (process != last) {
            if (process_fd >= 0)
                close(process_fd);
            process_fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
        }
        last = process;
        int fd = process_fd < 0 ? -1
                                : (int)syscall(SYS_pidfd_getfd, process_fd, (int)holder_of(search, candidate)->fd, 0);
        candidate->is_ended = fd < 0 || has_ended(fd, candidate);
        if (fd >= 0)
            close(fd);
    }
    if (process_fd >= 0)
        close(process_fd);
}

/* --- the search --------------------------------------------------------------------------------------------------- */

/* A connection without an age may have ended just now. This gives its program a moment to close the socket. */
static void drop_transient(struct search *search)
{
    size_t undated = 0;
    for (size_t i = 0; i < search->count; i++)
        undated += search->items[i].is_ended && !search->items[i].is_dated;
    if (undated < MANY)
        return;
    clock_sleep_ms(TRANSIENT_MS);
    for (size_t i = 0; i < search->count; i++) {
        struct candidate *candidate = &search->items[i];
        if (candidate->is_ended && !candidate->is_dated)
            candidate->is_ended = is_still_held(search, candidate);
    }
}

static int add(struct search *search, const struct candidate *candidate)
{
    struct snapshot *snapshot = search->snapshot;
    struct conn *conn = snapshot_add_conn(snapshot);
    if (conn == NULL)
        return -ENOMEM;
    *conn = candidate->conn;
    conn->netns = conn->netns < snapshot->netns_count ? conn->netns : 0;
    conn->holder = candidate->holder;
    for (const struct holder *h = holders_first(snapshot, conn); h != NULL; h = holders_next_process(snapshot, h))
        holders_process(snapshot, h)->tcp_sockets++;
    return 0;
}

int closed_find(struct snapshot *snapshot, size_t unmatched, bool streams_only, bool with_bpf)
{
    bool wanted = (snapshot_states(snapshot) & STATE_BIT(STATE_CLOSED)) != 0;
    bool all = snapshot->states == 0;
    if (!wanted || unmatched < MANY || (all && !streams_only && !closed_may_be_held(snapshot)))
        return 0;
    struct search search = { .snapshot = snapshot };
    int result = 0;
    find_candidates(&search);
    filter_tcp(&search);
    if (search.count >= MANY) {
        if (!with_bpf || read_by_bpf(&search) < 0)
            read_duplicates(&search);
        drop_transient(&search);
        for (size_t i = 0; i < search.count && result == 0; i++) {
            if (search.items[i].is_ended)
                result = add(&search, &search.items[i]);
        }
    }
    free(search.items);
    return result;
}
