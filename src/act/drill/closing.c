/*
 * Drills about the states in which a connection ends. Each drill has a service and a peer. Where the order of their
 * steps matters, one waits in role_receive() until the other calls role_send().
 */
#include "act/drill/closing.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/drill/wire.h"

static int serve(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    return wire_accept_all(role, err);
}

static int ask(struct role *role, int receive_buffer, struct error *err)
{
    TRY(wire_find_service(role, err));
    TRY(wire_connect_all(role, role->count, receive_buffer, err));
    return wire_send_request(role, err);
}

/* --- CLOSE_WAIT --------------------------------------------------------------------------------------------------- */

int service_leaks(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    return wire_read_to_end(role, err);
}

int service_does_not_read(struct role *role, struct error *err)
{
    return serve(role, err);
}

int service_does_not_accept(struct role *role, struct error *err)
{
    TRY(wire_serve(role, role->count, err));
    TRY(role_receive(role, NULL, err));
    role->conn_count = 0;
    return 0;
}

/* The helper inherits the descriptors by fork(). The service closes its own. */
int service_with_helper(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    pid_t pid = role_fork("drill-helper");
    if (pid < 0)
        return error_set(err, -errno, "fork", "%s", strerror(errno));
    if (pid == 0) {
        close(role->listener);
        close(role->partner);
        for (;;)
            pause();
    }
    role->owner_pid = pid;
    TRY(wire_read_to_end(role, err));
    wire_close_all(role);
    return 0;
}

int service_with_helper_tick(struct role *role, struct error *err)
{
    (void)err;
    return waitpid(role->owner_pid, NULL, WNOHANG) == 0 ? 0 : -ECHILD;
}

int service_fills_send_buffer(struct role *role, struct error *err)
{
    TRY(service_leaks(role, err));
    return wire_write_until_full(role, err);
}

int peer_requests_and_closes(struct role *role, struct error *err)
{
    TRY(ask(role, 0, err));
    wire_close_all(role);
    return 0;
}

int peer_requests_and_closes_queued(struct role *role, struct error *err)
{
    TRY(peer_requests_and_closes(role, err));
    return role_send(role, 0, err);
}

int peer_half_closes_without_reading(struct role *role, struct error *err)
{
    TRY(ask(role, WIRE_SMALL_BUFFER, err));
    return wire_shutdown_all(role, err);
}

/* --- CLOSED ------------------------------------------------------------------------------------------------------- */

int service_holds_reset_conns(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    TRY(wire_read_request(role, err));
    TRY(role_send(role, 0, err));
    return wire_wait_state(role, TCP_CLOSE, err);
}

int peer_requests_and_resets(struct role *role, struct error *err)
{
    TRY(ask(role, 0, err));
    TRY(role_receive(role, NULL, err));
    wire_reset_all(role);
    return 0;
}

/* --- LAST_ACK ----------------------------------------------------------------------------------------------------- */

int service_closes_after_peer(struct role *role, struct error *err)
{
    TRY(service_leaks(role, err));
    TRY(role_receive(role, NULL, err));
    wire_close_all(role);
    return 0;
}

int service_fills_and_closes_after_peer(struct role *role, struct error *err)
{
    TRY(service_fills_send_buffer(role, err));
    wire_close_all(role);
    return 0;
}

int peer_half_closes_and_vanishes(struct role *role, struct error *err)
{
    TRY(ask(role, 0, err));
    TRY(wire_shutdown_all(role, err));
    TRY(wire_wait_state(role, TCP_FIN_WAIT2, err));
    TRY(role_drop_packets(role, DROP_TO_PEER, err));
    return role_send(role, 0, err);
}

/* --- FIN_WAIT_1 --------------------------------------------------------------------------------------------------- */

/* The request is read, because close() with unread data would send a reset (RFC 9293, section 3.6.1). */
int service_closes_unanswered(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    TRY(wire_read_request(role, err));
    TRY(role_send(role, 0, err));
    TRY(role_receive(role, NULL, err));
    wire_close_all(role);
    return 0;
}

int peer_requests_and_vanishes(struct role *role, struct error *err)
{
    TRY(ask(role, 0, err));
    TRY(role_receive(role, NULL, err));
    TRY(role_drop_packets(role, DROP_TO_PEER, err));
    return role_send(role, 0, err);
}

int service_fills_and_closes(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    TRY(wire_read_request(role, err));
    TRY(wire_write_until_full(role, err));
    wire_close_all(role);
    return 0;
}

int peer_requests_without_reading(struct role *role, struct error *err)
{
    return ask(role, WIRE_SMALL_BUFFER, err);
}

/* --- CLOSING: the FINs cross; the service's is lost, the peer's arrives (RFC 9293, figure 13) --------------------- */

int service_closes_with_peer(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    TRY(wire_read_request(role, err));
    TRY(role_send(role, 0, err));
    TRY(role_receive(role, NULL, err));
    TRY(wire_shutdown_all(role, err));
    TRY(role_send(role, 0, err));
    TRY(wire_wait_state(role, TCP_CLOSING, err));
    TRY(role_send(role, 0, err));
    wire_close_all(role);
    return 0;
}

int peer_closes_simultaneously(struct role *role, struct error *err)
{
    TRY(peer_requests_and_vanishes(role, err));
    TRY(role_receive(role, NULL, err));
    TRY(wire_shutdown_all(role, err));
    TRY(role_receive(role, NULL, err));
    return role_drop_packets(role, DROP_FROM_PEER, err);
}

/* --- FIN_WAIT_2 --------------------------------------------------------------------------------------------------- */

int service_half_closes(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    TRY(wire_read_request(role, err));
    TRY(wire_shutdown_all(role, err));
    return wire_wait_state(role, TCP_FIN_WAIT2, err);
}

int service_closes_first(struct role *role, struct error *err)
{
    TRY(serve(role, err));
    TRY(wire_read_request(role, err));
    wire_close_all(role);
    return 0;
}

int peer_never_closes(struct role *role, struct error *err)
{
    TRY(ask(role, 0, err));
    return wire_read_to_end(role, err);
}
