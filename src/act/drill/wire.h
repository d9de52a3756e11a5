#pragma once
/*
 * Socket operations for the roles of drills. "All" means the connections in role->conns. The functions return 0, or a
 * negative errno with err filled, unless a comment says otherwise.
 */
#include "act/drill/role.h"

/* Returns from the calling function if the step fails. */
#define TRY(step)                                                                                                      \
    do {                                                                                                               \
        int try_result = (step);                                                                                       \
        if (try_result < 0)                                                                                            \
            return try_result;                                                                                         \
    } while (0)

enum {
    WIRE_SMALL_BUFFER = 4096, /* bytes for SO_RCVBUF; the kernel doubles them */
    WIRE_BACKLOG_FACTOR = 8,  /* a backlog this many times the number of connections is never nearly full */
};

/* Listens on the role's address, and sends the port to the other role. */
int wire_serve(struct role *role, unsigned backlog, struct error *err);
/* Receives the port of the service from the other role. */
int wire_find_service(struct role *role, struct error *err);
/* Accepts role->count connections. */
int wire_accept_all(struct role *role, struct error *err);
/* Connects to the service until there are `count` connections. receive_buffer: bytes for SO_RCVBUF; 0: the default. */
int wire_connect_all(struct role *role, unsigned count, int receive_buffer, struct error *err);
/* Begins to connect to the service and does not wait. Returns a descriptor or a negative errno. */
int wire_connect_begin(const struct role *role, struct error *err);
/* Send one request on all, and read one request from all. */
int wire_send_request(struct role *role, struct error *err);
int wire_read_request(struct role *role, struct error *err);
/* Reads from all until the end of the stream. */
int wire_read_to_end(struct role *role, struct error *err);
/* Writes to all until the peer's window and the send buffer are full. */
int wire_write_until_full(struct role *role, struct error *err);
int wire_shutdown_all(struct role *role, struct error *err);
void wire_close_all(struct role *role);
/* As wire_close_all(), but sends a reset instead of a FIN. */
void wire_reset_all(struct role *role);
/* Waits until all are in that state of include/net/tcp_states.h, such as TCP_FIN_WAIT2; at most 10 s. */
int wire_wait_state(const struct role *role, uint8_t state, struct error *err);
