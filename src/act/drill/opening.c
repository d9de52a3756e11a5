/* Drills about the handshake and about established connections. */
#include "act/drill/opening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/drill/wire.h"

/* Begins role->count connections and does not wait for them. */
static int begin_connections(struct role *role, struct error *err)
{
    while (role->conn_count < role->count) {
        int fd = wire_connect_begin(role, err);
        if (fd < 0)
            return fd;
        role->conns[role->conn_count++] = fd;
    }
    return 0;
}

static int replace_connection(const struct role *role, unsigned index)
{
    int fd = wire_connect_begin(role, NULL);
    if (fd < 0)
        return fd;
    close(role->conns[index]);
    role->conns[index] = fd;
    return 0;
}

/* --- SYN_SENT ----------------------------------------------------------------------------------------------------- */

int client_connects_unanswered(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(role_receive(role, NULL, err));
    return begin_connections(role, err);
}

/* The kernel ends an attempt after about two minutes (tcp_syn_retries). The client tries again, as a pool does. */
int client_connects_unanswered_tick(struct role *role, struct error *err)
{
    (void)err;
    for (unsigned i = 0; i < role->conn_count; i++) {
        struct pollfd waiting = { .fd = role->conns[i], .events = POLLOUT };
        if (poll(&waiting, 1, 0) > 0)
            TRY(replace_connection(role, i));
    }
    return 0;
}

int peer_listens_unreachable(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    TRY(role_drop_packets(role, DROP_TO_PEER, err));
    return role_send(role, 0, err);
}

/* --- SYN_RECEIVED ------------------------------------------------------------------------------------------------- */

int service_just_listens(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    return role_receive(role, NULL, err);
}

int service_waits_for_acks(struct role *role, struct error *err)
{
    TRY(wire_serve(role, WIRE_BACKLOG_FACTOR * role->count, err));
    return role_receive(role, NULL, err);
}

int peer_receives_nothing(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(role_drop_packets(role, DROP_TO_PEER, err));
    TRY(begin_connections(role, err));
    return role_send(role, 0, err);
}

/* The service drops a half-open connection after 63 s (tcp_synack_retries 5), so the peer makes new ones before. */
int peer_receives_nothing_tick(struct role *role, struct error *err)
{
    (void)err;
    for (unsigned i = 0; i < role->conn_count; i++)
        TRY(replace_connection(role, i));
    return 0;
}

/* One's complement sum of 16-bit words (RFC 1071). */
static uint32_t sum_words(const void *data, size_t length, uint32_t sum)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    return sum;
}

static uint16_t fold_sum(uint32_t sum)
{
    while (sum > UINT16_MAX)
        sum = (sum & UINT16_MAX) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* Sends a SYN from the made-up sender with that number, in 198.18.0.0/15, which is for benchmarks (RFC 2544). */
static int send_syn(const struct role *role, uint32_t sender)
{
    enum { SENDERS_NETWORK = 0xc6120000, SENDERS = 1 << 17, FIRST_PORT = 1024, PORTS = 60000, OFFSET_WORDS = 5 };
    struct {
        struct iphdr ip;
        struct tcphdr tcp;
    } packet = {
        .ip = { .version = IPVERSION,
            .ihl = OFFSET_WORDS,
            .ttl = IPDEFTTL,
            .protocol = IPPROTO_TCP,
            .saddr = htonl(SENDERS_NETWORK + sender % SENDERS),
            .daddr = role->here.s_addr },
        .tcp = { .source = htons((uint16_t)(FIRST_PORT + sender % PORTS)),
            .dest = htons(role->port),
            .seq = htonl(sender),
            .doff = OFFSET_WORDS,
            .syn = 1,
            .window = htons(UINT16_MAX) },
    };
    uint32_t sum = sum_words(&packet.ip.saddr, 2 * sizeof packet.ip.saddr, IPPROTO_TCP + sizeof packet.tcp);
    packet.tcp.check = fold_sum(sum_words(&packet.tcp, sizeof packet.tcp, sum));
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = role->here };
    ssize_t sent = sendto(role->conns[0], &packet, sizeof packet, 0, (const struct sockaddr *)&to, sizeof to);
    return sent == sizeof packet ? 0 : -errno;
}

static int send_syns(const struct role *role, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        TRY(send_syn(role, (uint32_t)random() + 1));
    return 0;
}

/* The service's answers go to the spoofed senders; the peer's side drops them. */
int peer_floods(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(role_drop_packets(role, DROP_TO_PEER, err));
    int fd = role_socket(role, AF_INET, SOCK_RAW, IPPROTO_RAW, err);
    if (fd < 0)
        return fd;
    role->conns[0] = fd;
    int result = send_syns(role, 2 * role->count);
    if (result < 0)
        return error_set(err, result, "raw socket", "%s", strerror(-result));
    role->conn_count = role->count;
    return role_send(role, 0, err);
}

int peer_floods_tick(struct role *role, struct error *err)
{
    enum { SYNS_PER_TICK = 20 };
    (void)err;
    return send_syns(role, SYNS_PER_TICK);
}

/* --- the accept queue --------------------------------------------------------------------------------------------- */

/* An accept queue holds one connection more than the backlog: sk_acceptq_is_full() in include/net/sock.h. */
int service_with_short_queue(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count - 1, err));
    TRY(role_receive(role, NULL, err));
    role->conn_count = role->count;
    return 0;
}

int peer_overflows_queue(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(wire_connect_all(role, role->count, 0, err));
    for (unsigned queued = role->count; role->conn_count < 2 * queued; role->conn_count++) {
        int fd = wire_connect_begin(role, err);
        if (fd < 0)
            return fd;
        role->conns[role->conn_count] = fd;
    }
    return role_send(role, 0, err);
}

/* Fills the accept queue up to the backlog and no further, and sends nothing. */
int peer_waits_in_queue(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(wire_connect_all(role, role->count, 0, err));
    return role_send(role, 0, err);
}

/* Replaces a connection that the full queue does not take, as a client does that has lost patience. */
int peer_overflows_queue_tick(struct role *role, struct error *err)
{
    (void)err;
    return replace_connection(role, role->count + (unsigned)random() % role->count);
}

/* --- ESTABLISHED -------------------------------------------------------------------------------------------------- */

static int accept_and_read(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    TRY(wire_accept_all(role, err));
    return wire_read_request(role, err);
}

int service_sends_unanswered(struct role *role, struct error *err)
{
    TRY(accept_and_read(role, err));
    TRY(role_send(role, 0, err));
    TRY(role_receive(role, NULL, err));
    return wire_send_request(role, err);
}

int service_sends_until_full(struct role *role, struct error *err)
{
    TRY(accept_and_read(role, err));
    return wire_write_until_full(role, err);
}

int service_leaves_data_unread(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    return wire_accept_all(role, err);
}

int peer_sends_data(struct role *role, struct error *err)
{
    enum { REQUESTS = 100 };
    TRY(wire_find_service(role, err));
    TRY(wire_connect_all(role, role->count, 0, err));
    for (unsigned i = 0; i < REQUESTS; i++)
        TRY(wire_send_request(role, err));
    return 0;
}

int service_idles(struct role *role, struct error *err)
{
    return accept_and_read(role, err);
}

int peer_idles(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(wire_connect_all(role, role->count, 0, err));
    return wire_send_request(role, err);
}

/* --- self-connect ------------------------------------------------------------------------------------------------- */

/*
 * Connects a socket to its own address and port. The kernel does this by chance if a client tries again and again and
 * the local port becomes the port that it connects to. Here bind() makes it happen at the first attempt.
 */
int client_connects_to_itself(struct role *role, struct error *err)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr = role->here };
    socklen_t length = sizeof own;
    int fd = role_socket(role, AF_INET, SOCK_STREAM, 0, err);
    if (fd < 0)
        return fd;
    role->conns[role->conn_count++] = fd;
    if (bind(fd, (const struct sockaddr *)&own, sizeof own) < 0 ||
        getsockname(fd, (struct sockaddr *)&own, &length) < 0 ||
        connect(fd, (const struct sockaddr *)&own, sizeof own) < 0)
        return error_set(err, -errno, "connect", "%s", strerror(errno));
    role->port = ntohs(own.sin_port);
    return role_send(role, role->port, err);
}

/* The service that the client meant: it fails to bind its port. */
int peer_needs_the_port(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    const struct sockaddr_in wanted = { .sin_family = AF_INET, .sin_port = htons(role->port), .sin_addr = role->here };
    const int yes = 1;
    int fd = role_socket(role, AF_INET, SOCK_STREAM, 0, err);
    if (fd < 0)
        return fd;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool bound = bind(fd, (const struct sockaddr *)&wanted, sizeof wanted) == 0;
    int why = errno;
    close(fd);
    if (!bound && why == EADDRINUSE)
        return 0;
    return error_set(err, bound ? -EEXIST : -why, "bind", "the port was to be taken, and was %s",
        bound ? "free" : "refused for another reason");
}
