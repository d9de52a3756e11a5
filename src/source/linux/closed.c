/*
 * In three ways, the best that is permitted: an eBPF iterator sees both ends and since when; a duplicate of the
 * descriptor (pidfd_getfd(2)) tells the local end, and by poll(2) that the connection has ended, without changing
 * anything (SO_ERROR would take the error away from its owner); the name of the protocol (an extended attribute of the
 * file in /proc/PID/fd) only that it is a TCP socket which is in no table.
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
#include <time.h>
#include <unistd.h>

#include "base/hash_index.h"
#include "base/memory.h"
#include "model/conn_hash.h"
#include "source/linux/bpf/bpf_closed.h"
#include "source/linux/inet_diag.h"
#include "source/linux/proc_text.h"

enum {
    MANY = 10,              /* sockets, of the whole host */
    CANDIDATES_MAX = 65536, /* more are not looked at */
    PASSING_MS = 250,       /* a program that closes has done so by then */
};

/* A socket that is in no table. */
struct candidate {
    uint32_t holder; /* the first descriptor of it */
    bool is_known;   /* `conn` is filled in, and it is to be added */
    bool is_dated;
    struct conn conn;
};

struct search {
    struct snapshot *snapshot;
    struct candidate *items; /* those of one process stand together */
    size_t count, capacity;
    struct hash_index by_inode;
};

/* --- suspicion -------------------------------------------------------------------------------------------------- */

/* Not a struct sock of its own: sockets_allocated does not count it. */
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

/* The holders of sockets that are in a table; and of the others all but the first of each socket. */
static bool *mark_told(const struct snapshot *snapshot)
{
    bool *told = xcalloc(snapshot->holder_count + 1, sizeof *told);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        for (uint32_t h = snapshot->conns[i].holder; h != NO_INDEX; h = snapshot->holders[h].next)
            told[h] = true;
    }
    for (size_t i = 0; i < snapshot->holder_count; i++) {
        if (snapshot->holders[i].next != NO_INDEX)
            told[snapshot->holders[i].next] = true;
    }
    return told;
}

static void find_candidates(struct search *search)
{
    const struct snapshot *snapshot = search->snapshot;
    bool *told = mark_told(snapshot);
    for (size_t i = 0; i < snapshot->holder_count && search->count < CANDIDATES_MAX; i++) {
        if (told[i])
            continue;
        xvec_grow((void **)&search->items, search->count, &search->capacity, sizeof *search->items);
        search->items[search->count++] = (struct candidate){ .holder = (uint32_t)i };
    }
    free(told);
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

/* Whether the descriptor is still of the same socket. */
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
 * sockfs_xattr_get() in net/socket.c: the name of struct proto, "TCP" or "TCPv6"; "MPTCP", "UNIX-STREAM", "NETLINK" …
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

/*
 * Keeps those that are TCP sockets still: most others are UNIX sockets. What is known of them now is no more than that.
 */
static void keep_tcp(struct search *search)
{
    size_t kept = 0;
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
        search->items[kept++] = *candidate;
    }
    search->count = kept;
}

/* --- by eBPF ------------------------------------------------------------------------------------------------------ */

static uint32_t find_netns(const struct snapshot *snapshot, uint64_t inode)
{
    for (size_t i = 0; i < snapshot->netns_count; i++) {
        if (snapshot->netns[i].inode == inode)
            return (uint32_t)i;
    }
    return NO_INDEX;
}

static int take_closed(const struct bpf_closed_conn *closed, void *data)
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
        candidate->is_known = closed->was != BPF_CLOSED_NEW && netns != NO_INDEX;
        candidate->is_dated = conn_has(&closed->conn, CONN_TCP_INFO);
    }
    return 0;
}

/* Returns 0, or a negative errno where it cannot be done so; then nothing is known yet. */
static int ask_bpf(struct search *search)
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
            result = bpf_closed_read(reader, process->pid, take_closed, search);
        last = process;
    }
    hash_index_deinit(&search->by_inode);
    bpf_closed_close(reader);
    return result;
}

/* --- by a duplicate of the descriptor ----------------------------------------------------------------------------- */

static void take_address(const struct sockaddr_storage *address, struct conn *conn)
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
 * Whether its connection is gone. tcp_done() shuts both directions down, which poll() tells (EPOLLRDHUP in tcp_poll());
 * a socket that was never connected has no local port then, whatever was done to it.
 */
static bool is_gone(int fd, struct candidate *candidate)
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
    take_address(&address, &candidate->conn);
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &candidate->conn.cookie, &cookie_length) == 0)
        candidate->conn.present |= CONN_COOKIE;
    return poll(&ended, 1, 0) > 0 && (ended.revents & POLLRDHUP) != 0 && candidate->conn.local_port != 0;
}

/* PTRACE_MODE_ATTACH is what it takes. */
static void ask_duplicates(struct search *search)
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
        candidate->is_known = fd < 0 || is_gone(fd, candidate);
        if (fd >= 0)
            close(fd);
    }
    if (process_fd >= 0)
        close(process_fd);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

/* What has no age may be of this very moment: a program that closes is given a moment to do so. */
static void drop_passing(struct search *search)
{
    size_t undated = 0;
    for (size_t i = 0; i < search->count; i++)
        undated += search->items[i].is_known && !search->items[i].is_dated;
    if (undated < MANY)
        return;
    const struct timespec moment = { .tv_nsec = PASSING_MS * 1000L * 1000 };
    nanosleep(&moment, NULL);
    for (size_t i = 0; i < search->count; i++) {
        struct candidate *candidate = &search->items[i];
        if (candidate->is_known && !candidate->is_dated)
            candidate->is_known = is_still_held(search, candidate);
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
    uint32_t last = NO_INDEX;
    for (uint32_t h = conn->holder; h != NO_INDEX; h = snapshot->holders[h].next) {
        if (snapshot->holders[h].process != last)
            snapshot->processes[snapshot->holders[h].process].tcp_sockets++;
        last = snapshot->holders[h].process;
    }
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
    keep_tcp(&search);
    if (search.count >= MANY) {
        if (!with_bpf || ask_bpf(&search) < 0)
            ask_duplicates(&search);
        drop_passing(&search);
        for (size_t i = 0; i < search.count && result == 0; i++) {
            if (search.items[i].is_known)
                result = add(&search, &search.items[i]);
        }
    }
    free(search.items);
    return result;
}
