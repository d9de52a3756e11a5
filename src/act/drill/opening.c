/* Drills of the handshake and of established connections. */
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

/* Begins role->count connections, without waiting for any. */
static int begin_all(struct role *role, struct error *err)
{
    while (role->conn_count < role->count) {
        int fd = wire_connect_begin(role, err);
        if (fd < 0)
            return fd;
        role->conns[role->conn_count++] = fd;
    }
    return 0;
}

static int begin_again(const struct role *role, unsigned index)
{
    int fd = wire_connect_begin(role, NULL);
    if (fd < 0)
        return fd;
    close(role->conns[index]);
    role->conns[index] = fd;
    return 0;
}

/* --- SYN_SENT ----------------------------------------------------------------------------------------------------- */

int client_waits_for_answer(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(role_hear(role, NULL, err));
    return begin_all(role, err);
}

/* The kernel gives up after two minutes; as a pool does, it tries again. */
int client_waits_for_answer_tick(struct role *role, struct error *err)
{
    (void)err;
    for (unsigned i = 0; i < role->conn_count; i++) {
        struct pollfd waiting = { .fd = role->conns[i], .events = POLLOUT };
        if (poll(&waiting, 1, 0) > 0)
            TRY(begin_again(role, i));
    }
    return 0;
}

int peer_serves_unreachable(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    TRY(role_lose(role, LOSE_TO_PEER, err));
    return role_tell(role, 0, err);
}

/* --- SYN_RECEIVED ------------------------------------------------------------------------------------------------- */

int service_just_listens(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    return role_hear(role, NULL, err);
}

int service_waits_for_acks(struct role *role, struct error *err)
{
    TRY(wire_serve(role, WIRE_ROOM * role->count, err));
    return role_hear(role, NULL, err);
}

int peer_hears_nothing(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(role_lose(role, LOSE_TO_PEER, err));
    TRY(begin_all(role, err));
    return role_tell(role, 0, err);
}

/* The service forgets a half-open connection after 63 s. */
int peer_hears_nothing_tick(struct role *role, struct error *err)
{
    (void)err;
    for (unsigned i = 0; i < role->conn_count; i++)
        TRY(begin_again(role, i));
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

/* A SYN from the sender with that number: 198.18.0.0/15, set aside for benchmarks (RFC 2544). */
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

/* The answers to the spoofed senders are lost at the peer. */
int peer_floods(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(role_lose(role, LOSE_TO_PEER, err));
    int fd = role_socket(role, AF_INET, SOCK_RAW, IPPROTO_RAW, err);
    if (fd < 0)
        return fd;
    role->conns[0] = fd;
    int result = send_syns(role, 2 * role->count);
    if (result < 0)
        return error_set(err, result, "raw socket", "%s", strerror(-result));
    role->conn_count = role->count;
    return role_tell(role, 0, err);
}

int peer_floods_tick(struct role *role, struct error *err)
{
    enum { EACH_TICK = 20 };
    (void)err;
    return send_syns(role, EACH_TICK);
}

/* --- the accept queue --------------------------------------------------------------------------------------------- */

/* The queue holds one more than its backlog: sk_acceptq_is_full() in include/net/sock.h. */
int service_queue_too_short(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count - 1, err));
    TRY(role_hear(role, NULL, err));
    role->conn_count = role->count;
    return 0;
}

int peer_knocks(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(wire_connect_all(role, role->count, 0, err));
    for (unsigned queued = role->count; role->conn_count < 2 * queued; role->conn_count++) {
        int fd = wire_connect_begin(role, err);
        if (fd < 0)
            return fd;
        role->conns[role->conn_count] = fd;
    }
    return role_tell(role, 0, err);
}

/* Silent, and not even one too many. */
int peer_waits_in_queue(struct role *role, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(wire_connect_all(role, role->count, 0, err));
    return role_tell(role, 0, err);
}

/* New ones that are turned away, as clients do that have lost patience. */
int peer_knocks_tick(struct role *role, struct error *err)
{
    (void)err;
    return begin_again(role, role->count + (unsigned)random() % role->count);
}

/* --- ESTABLISHED -------------------------------------------------------------------------------------------------- */

static int accept_and_read(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    TRY(wire_accept_all(role, err));
    return wire_read_request(role, err);
}

int service_sends_unheard(struct role *role, struct error *err)
{
    TRY(accept_and_read(role, err));
    TRY(role_tell(role, 0, err));
    TRY(role_hear(role, NULL, err));
    return wire_send_request(role, err);
}

int service_sends_in_vain(struct role *role, struct error *err)
{
    TRY(accept_and_read(role, err));
    return wire_write_until_full(role, err);
}

int service_leaves_data(struct role *role, struct error *err)
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

/* --- a connection with itself ------------------------------------------------------------------------------------- */

/*
 * As the kernel does by chance where a client tries again and again: the source is the port that it connects to. Bound
 * first, it meets itself at the first attempt.
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
    return role_tell(role, role->port, err);
}

/* The service, which finds its port taken. */
int peer_wants_the_port(struct role *role, struct error *err)
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
