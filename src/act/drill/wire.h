#pragma once
/*
 * The socket calls that the roles of drills share. All return 0 or a negative errno with err filled, unless said
 * otherwise. "All" means role->conns.
 */
#include "act/drill/role.h"

/* The first step that fails ends a role. */
#define TRY(step)                                                                                                      \
    do {                                                                                                               \
        int try_result = (step);                                                                                       \
        if (try_result < 0)                                                                                            \
            return try_result;                                                                                         \
    } while (0)

enum {
    WIRE_SMALL_BUFFER = 4096, /* the kernel doubles it */
    WIRE_ROOM = 8,            /* a backlog so many times as long as what comes is not near its end */
};

/* Listens on the role's address, and tells the other role the port. */
int wire_serve(struct role *role, unsigned backlog, struct error *err);
/* Learns from the other role which port it serves. */
int wire_find_service(struct role *role, struct error *err);
/* Accepts role->count connections. */
int wire_accept_all(struct role *role, struct error *err);
/* Connects to the service until there are `count`; receive_buffer in bytes, 0: the kernel's. */
int wire_connect_all(struct role *role, unsigned count, int receive_buffer, struct error *err);
/* Begins to connect, does not wait. Returns a descriptor or a negative errno. */
int wire_connect_begin(const struct role *role, struct error *err);
/* Sends a request on all, and receives it on all. */
int wire_send_request(struct role *role, struct error *err);
int wire_read_request(struct role *role, struct error *err);
/* Reads all to the end of the stream. */
int wire_read_to_end(struct role *role, struct error *err);
/* Writes on all until neither the peer's window nor the send buffer takes more. */
int wire_write_until_full(struct role *role, struct error *err);
int wire_shutdown_all(struct role *role, struct error *err);
void wire_close_all(struct role *role);
/* The same, with a reset. */
void wire_reset_all(struct role *role);
/* Waits until all are in a state of include/net/tcp_states.h (TCP_FIN_WAIT2). */
int wire_wait_state(const struct role *role, uint8_t state, struct error *err);
