#include "act/drill/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

static const char request[] = "GET /\r\n";

enum {
    REQUEST_BYTES = sizeof request - 1,
    PATIENCE_MS = 10 * 1000,
};

static int failed(const char *what, struct error *err)
{
    int code = errno != 0 ? -errno : -EIO;
    return error_set(err, code, what, "%s", strerror(-code));
}

int wire_serve(struct role *role, unsigned backlog, struct error *err)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = role->is_peer ? role->there : role->here };
    socklen_t length = sizeof address;
    int fd = role_socket(role, AF_INET, SOCK_STREAM, 0, err);
    if (fd < 0)
        return fd;
    role->listener = fd;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, (int)backlog) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return failed("listen", err);
    role->port = ntohs(address.sin_port);
    return role_send(role, role->port, err);
}

int wire_find_service(struct role *role, struct error *err)
{
    uint32_t port = 0;
    int result = role_receive(role, &port, err);
    role->port = (uint16_t)port;
    return result;
}

int wire_accept_all(struct role *role, struct error *err)
{
    while (role->conn_count < role->count) {
        struct pollfd waiting = { .fd = role->listener, .events = POLLIN };
        errno = ETIMEDOUT;
        /* Without SOCK_CLOEXEC, as in programs whose children inherit their descriptors. */
        int fd = poll(&waiting, 1, PATIENCE_MS) > 0 ? accept(role->listener, NULL, NULL) : -1;
        if (fd < 0)
            return failed("accept", err);
        role->conns[role->conn_count++] = fd;
    }
    return 0;
}

static struct sockaddr_in service_address(const struct role *role)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(role->port), .sin_addr = role->is_peer ? role->here : role->there
    };
}

int wire_connect_all(struct role *role, unsigned count, int receive_buffer, struct error *err)
{
    const struct sockaddr_in service = service_address(role);
    while (role->conn_count < count) {
        int fd = role_socket(role, AF_INET, SOCK_STREAM, 0, err);
        if (fd < 0)
            return fd;
        role->conns[role->conn_count++] = fd;
        if (receive_buffer != 0)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        if (connect(fd, (const struct sockaddr *)&service, sizeof service) < 0)
            return failed("connect", err);
    }
    return 0;
}

int wire_connect_begin(const struct role *role, struct error *err)
{
    const struct sockaddr_in service = service_address(role);
    int fd = role_socket(role, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, err);
    if (fd < 0)
        return fd;
    if (connect(fd, (const struct sockaddr *)&service, sizeof service) == 0 || errno == EINPROGRESS)
        return fd;
    int result = failed("connect", err);
    close(fd);
    return result;
}

int wire_send_request(struct role *role, struct error *err)
{
    for (unsigned i = 0; i < role->conn_count; i++) {
        if (send(role->conns[i], request, REQUEST_BYTES, MSG_NOSIGNAL) != REQUEST_BYTES)
            return failed("send", err);
    }
    return 0;
}

int wire_read_request(struct role *role, struct error *err)
{
    char bytes[REQUEST_BYTES];
    for (unsigned i = 0; i < role->conn_count; i++) {
        if (recv(role->conns[i], bytes, sizeof bytes, MSG_WAITALL) != REQUEST_BYTES)
            return failed("recv", err);
    }
    return 0;
}

int wire_read_to_end(struct role *role, struct error *err)
{
    char bytes[4096];
    for (unsigned i = 0; i < role->conn_count; i++) {
        ssize_t got;
        while ((got = recv(role->conns[i], bytes, sizeof bytes, 0)) > 0)
            ;
        if (got < 0)
            return failed("recv", err);
    }
    return 0;
}

int wire_write_until_full(struct role *role, struct error *err)
{
    static const char bytes[16384] = "x";
    const int send_buffer = 65536; /* without this the kernel lets the buffer grow to megabytes */
    for (unsigned i = 0; i < role->conn_count; i++) {
        setsockopt(role->conns[i], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
        while (send(role->conns[i], bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ;
        if (errno != EAGAIN)
            return failed("send", err);
    }
    return 0;
}

int wire_shutdown_all(struct role *role, struct error *err)
{
    for (unsigned i = 0; i < role->conn_count; i++) {
        if (shutdown(role->conns[i], SHUT_WR) < 0)
            return failed("shutdown", err);
    }
    return 0;
}

void wire_close_all(struct role *role)
{
    for (unsigned i = 0; i < role->conn_count; i++)
        close(role->conns[i]);
}

/* With SO_LINGER and a time of 0, close() sends a reset: __tcp_close() in net/ipv4/tcp.c. */
void wire_reset_all(struct role *role)
{
    const struct linger at_once = { .l_onoff = 1 };
    for (unsigned i = 0; i < role->conn_count; i++)
        setsockopt(role->conns[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    wire_close_all(role);
}

int wire_wait_state(const struct role *role, uint8_t state, struct error *err)
{
    enum { STEP_MS = 5 };
    unsigned waited_ms = 0;
    for (unsigned i = 0; i < role->conn_count; i++) {
        struct tcp_info info = { 0 };
        socklen_t length = sizeof info;
        while (getsockopt(role->conns[i], IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state != state) {
            if ((waited_ms += STEP_MS) > PATIENCE_MS)
                return error_set(err, -ETIMEDOUT, NULL, "a connection did not come into its state");
            clock_sleep_ms(STEP_MS);
        }
    }
    return 0;
}
