#pragma once
/*
 * The states of a TCP connection: RFC 9293 §3.3.2, named as Windows and BSD print them.
 *
 * The first eleven have the numbers of Microsoft's MIB_TCP_STATE, so that a number from Windows is the state.
 */
#include <stdbool.h>
#include <stdint.h>

enum conn_state {
    STATE_UNKNOWN = 0,
    STATE_CLOSED = 1,
    STATE_LISTEN = 2,
    STATE_SYN_SENT = 3,
    STATE_SYN_RECEIVED = 4,
    STATE_ESTABLISHED = 5,
    STATE_FIN_WAIT_1 = 6,
    STATE_FIN_WAIT_2 = 7,
    STATE_CLOSE_WAIT = 8,
    STATE_CLOSING = 9,
    STATE_LAST_ACK = 10,
    STATE_TIME_WAIT = 11,
    STATE_BOUND = 12, /* bound, but neither listening nor connected; only some platforms show it */
    STATE_COUNT
};

#define STATE_BIT(state) (1U << (state))

/* "CLOSE_WAIT"; "UNKNOWN" for anything else. */
const char *state_name(enum conn_state state);

/*
 * Parses a state name as netstat, ss, PowerShell, BSD, Solaris or German Windows print it, or a Windows number. Case,
 * spaces, hyphens and underscores do not matter. Returns STATE_UNKNOWN for anything else.
 */
enum conn_state state_parse(const char *text);
/* True if the text may be the beginning of such a name, as at the end of a line that was cut. */
bool state_may_begin(const char *text);

/* A bound socket that neither listens nor connects: TCP_BOUND_INACTIVE in include/net/tcp_states.h, Linux 6.8 */
enum { LINUX_STATE_BOUND = 13 };

/* Converts a number of Linux's net/tcp_states.h. Returns STATE_UNKNOWN for any other number. */
enum conn_state state_from_linux(unsigned kernel_state);
/* Converts STATE_BIT()s to a mask of Linux's state numbers. */
uint32_t states_to_linux(uint32_t states);
