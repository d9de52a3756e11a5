#include "act/drill/net.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum { REQUEST_BYTES = 1024, RECEIVE_BYTES = 32 * 1024 };

/* The type makes the buffers aligned for netlink headers. */
typedef struct nlmsghdr request_buffer[REQUEST_BYTES / sizeof(struct nlmsghdr)];
typedef struct nlmsghdr receive_buffer[RECEIVE_BYTES / sizeof(struct nlmsghdr)];

/* Sends a request and waits for the acknowledgement. Returns 0 or a negative errno. */
static int send_request(int protocol, const void *request, size_t length)
{
    struct mnl_socket *socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
    if (socket == NULL)
        return -errno;
    int result = 0;
    receive_buffer answer;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(socket, request, length) < 0)
        result = -errno;
    for (int more = MNL_CB_OK; result == 0 && more > MNL_CB_STOP;) {
        ssize_t got = mnl_socket_recvfrom(socket, answer, sizeof answer);
        /*
         * The error of an nf_tables batch has the sequence number of the failed message, so all numbers are accepted.
         */
        more = got < 0 ? -1 : mnl_cb_run(answer, (size_t)got, 0, 0, NULL, NULL);
        if (more < 0)
            result = -errno;
    }
    mnl_socket_close(socket);
    return result;
}

static struct nlmsghdr *begin(void *buffer, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = type;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    header->nlmsg_seq = 1;
    return header;
}

static int send_route_request(const struct nlmsghdr *header, const char *interface, const char *what, struct error *err)
{
    int result = send_request(NETLINK_ROUTE, header, header->nlmsg_len);
    if (result < 0)
        return error_set(err, result, interface, "%s in the drill's network namespace: %s", what, strerror(-result));
    return 0;
}

int drill_net_up(const char *interface, struct error *err)
{
    request_buffer buffer;
    struct nlmsghdr *header = begin(buffer, RTM_NEWLINK, 0);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof *link);
    link->ifi_index = (int)if_nametoindex(interface);
    link->ifi_flags = link->ifi_change = IFF_UP;
    return send_route_request(header, interface, "cannot be brought up", err);
}

int drill_net_pair(const char *interface, const char *other, int other_netns, struct error *err)
{
    request_buffer buffer;
    struct nlmsghdr *header = begin(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(header, IFLA_IFNAME, interface);
    struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);
    mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
    mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(header, IFLA_IFNAME, other);
    mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)other_netns);
    mnl_attr_nest_end(header, peer);
    mnl_attr_nest_end(header, data);
    mnl_attr_nest_end(header, info);
    return send_route_request(header, interface, "the veth pair cannot be made", err);
}

int drill_net_address(const char *interface, struct in_addr address, uint8_t prefix_length, struct error *err)
{
    request_buffer buffer;
    struct nlmsghdr *header = begin(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *message = mnl_nlmsg_put_extra_header(header, sizeof *message);
    message->ifa_family = AF_INET;
    message->ifa_prefixlen = prefix_length;
    message->ifa_index = if_nametoindex(interface);
    mnl_attr_put_u32(header, IFA_LOCAL, address.s_addr);
    mnl_attr_put_u32(header, IFA_ADDRESS, address.s_addr);
    return send_route_request(header, interface, "cannot get its address", err);
}

int drill_net_default_route(struct in_addr gateway, struct error *err)
{
    request_buffer buffer;
    struct nlmsghdr *header = begin(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof *route);
    route->rtm_family = AF_INET;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_scope = RT_SCOPE_UNIVERSE;
    route->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(header, RTA_GATEWAY, gateway.s_addr);
    return send_route_request(header, NULL, "the route to the peer cannot be made", err);
}

/* --- dropping packets --------------------------------------------------------------------------------------------- */

static struct nlmsghdr *put_message(struct mnl_nlmsg_batch *batch, uint16_t type, uint16_t flags, unsigned sequence)
{
    bool marks_batch = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;
    struct nlmsghdr *header = mnl_nlmsg_put_header(mnl_nlmsg_batch_current(batch));
    header->nlmsg_type = marks_batch ? type : (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    header->nlmsg_seq = sequence;
    struct nfgenmsg *message = mnl_nlmsg_put_extra_header(header, sizeof *message);
    message->nfgen_family = marks_batch ? AF_UNSPEC : NFPROTO_IPV4;
    message->version = NFNETLINK_V0;
    message->res_id = marks_batch ? htons(NFNL_SUBSYS_NFTABLES) : 0;
    return header;
}

/* The same as `nft add table ip drill-in; add chain ip drill-in drop { type filter hook …; policy drop; }`. */
int drill_net_drop(uint32_t hook, struct error *err)
{
    enum { TABLE = 2, CHAIN };
    const char *table = hook == NF_INET_LOCAL_OUT ? "drill-out" : "drill-in";
    request_buffer buffer;
    struct mnl_nlmsg_batch *batch = xnonnull(mnl_nlmsg_batch_start(buffer, sizeof buffer));
    put_message(batch, NFNL_MSG_BATCH_BEGIN, 0, 1);
    mnl_nlmsg_batch_next(batch);
    struct nlmsghdr *header = put_message(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, TABLE);
    mnl_attr_put_strz(header, NFTA_TABLE_NAME, table);
    mnl_nlmsg_batch_next(batch);
    header = put_message(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK, CHAIN);
    mnl_attr_put_strz(header, NFTA_CHAIN_TABLE, table);
    mnl_attr_put_strz(header, NFTA_CHAIN_NAME, "drop");
    struct nlattr *nest = mnl_attr_nest_start(header, NFTA_CHAIN_HOOK);
    mnl_attr_put_u32(header, NFTA_HOOK_HOOKNUM, htonl(hook));
    mnl_attr_put_u32(header, NFTA_HOOK_PRIORITY, 0);
    mnl_attr_nest_end(header, nest);
    mnl_attr_put_u32(header, NFTA_CHAIN_POLICY, htonl(NF_DROP));
    mnl_attr_put_strz(header, NFTA_CHAIN_TYPE, "filter");
    mnl_nlmsg_batch_next(batch);
    put_message(batch, NFNL_MSG_BATCH_END, 0, CHAIN + 1);
    mnl_nlmsg_batch_next(batch);
    int result = send_request(NETLINK_NETFILTER, mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch));
    mnl_nlmsg_batch_stop(batch);
    if (result < 0)
        return error_set(err, result, "nf_tables",
            "packets cannot be dropped: %s; the kernel needs nf_tables ('modprobe nf_tables' as root)",
            strerror(-result));
    return 0;
}

/* --- ending sockets ----------------------------------------------------------------------------------------------- */

static int destroy_one(const struct nlmsghdr *header, void *data)
{
    struct mnl_socket *destroyer = data;
    const struct inet_diag_msg *found = mnl_nlmsg_get_payload(header);
    request_buffer buffer;
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = SOCK_DESTROY;
    request->nlmsg_flags = NLM_F_REQUEST;
    struct inet_diag_req_v2 *query = mnl_nlmsg_put_extra_header(request, sizeof *query);
    query->sdiag_family = found->idiag_family;
    query->sdiag_protocol = IPPROTO_TCP;
    query->idiag_states = UINT32_MAX;
    query->id = found->id;
    /* No acknowledgement is asked for, and no error is read: a socket that has ended already needs no action. */
    (void)mnl_socket_sendto(destroyer, request, request->nlmsg_len);
    return MNL_CB_OK;
}

void drill_net_destroy_sockets(void)
{
    enum { SEQUENCE = 1 };
    struct mnl_socket *walker = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    struct mnl_socket *destroyer = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    request_buffer buffer;
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request->nlmsg_seq = SEQUENCE;
    struct inet_diag_req_v2 *query = mnl_nlmsg_put_extra_header(request, sizeof *query);
    query->sdiag_family = AF_INET;
    query->sdiag_protocol = IPPROTO_TCP;
    query->idiag_states = UINT32_MAX;
    if (walker != NULL && destroyer != NULL && mnl_socket_sendto(walker, request, request->nlmsg_len) > 0) {
        receive_buffer answer;
        for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
            ssize_t got = mnl_socket_recvfrom(walker, answer, sizeof answer);
            more = got < 0 ? -1 : mnl_cb_run(answer, (size_t)got, SEQUENCE, 0, destroy_one, destroyer);
        }
    }
    if (walker != NULL)
        mnl_socket_close(walker);
    if (destroyer != NULL)
        mnl_socket_close(destroyer);
}
