#include "source/linux/sock_diag.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>

#include "source/linux/inet_diag.h"
#include "source/linux/duplicates.h"

enum {
    /* The kernel fills at most 32 KiB for one read of a dump: netlink_dump(). */
    RECEIVE_BYTES = 32 * 1024,
};

struct dump {
    struct snapshot *snapshot;
    uint32_t netns;
};

static int add_message(const struct nlmsghdr *header, void *data)
{
    struct dump *dump = data;
    struct conn conn;
    /* A message that cannot be parsed is ignored: a newer kernel may have other states. */
    if (inet_diag_parse(mnl_nlmsg_get_payload(header), mnl_nlmsg_get_payload_len(header), &conn) < 0)
        return MNL_CB_OK;
    conn.netns = dump->netns;
    struct conn *added = snapshot_add_conn(dump->snapshot);
    if (added == NULL) {
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    *added = conn;
    return MNL_CB_OK;
}

/*
 * Dumps both address families in one walk over the kernel's tables. Only the older request TCPDIAG_GETSOCK can do this:
 * inet_diag_dump_compat() in net/ipv4/inet_diag.c. SOCK_DIAG_BY_FAMILY would need two walks. A walk is expensive on a
 * loaded host, because all network namespaces share one table of connections.
 */
static int dump_all(struct mnl_socket *socket, struct dump *dump)
{
    enum { SEQUENCE = 1 };
    char request[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct inet_diag_req))];
    struct nlmsghdr *header = mnl_nlmsg_put_header(request);
    header->nlmsg_type = TCPDIAG_GETSOCK;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = SEQUENCE;
    struct inet_diag_req *query = mnl_nlmsg_put_extra_header(header, sizeof *query);
    query->idiag_family = AF_UNSPEC;
    query->idiag_ext = 1U << (INET_DIAG_INFO - 1) | 1U << (INET_DIAG_SKMEMINFO - 1);
    query->idiag_states = states_to_linux(snapshot_states(dump->snapshot));
    if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
        return -errno;

    _Static_assert(RECEIVE_BYTES % sizeof(struct nlmsghdr) == 0, "whole words");
    struct nlmsghdr buffer[RECEIVE_BYTES / sizeof(struct nlmsghdr)];
    int result;
    do {
        ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
        if (length < 0 && errno == EINTR) {
            result = MNL_CB_OK;
            continue;
        }
        if (length < 0)
            return -errno;
        result = mnl_cb_run(buffer, (size_t)length, SEQUENCE, mnl_socket_get_portid(socket), add_message, dump);
    } while (result > MNL_CB_STOP);
    return result < 0 ? -errno : 0;
}

int sock_diag_read(struct snapshot *snapshot, uint32_t netns)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    if (socket == NULL)
        return -errno;
    size_t first = snapshot->conn_count;
    struct dump dump = { .snapshot = snapshot, .netns = netns };
    int result = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
    if (result == 0)
        result = dump_all(socket, &dump);
    mnl_socket_close(socket);
    if (result == 0)
        duplicates_drop(snapshot, first);
    else
        snapshot->conn_count = first;
    return result;
}
