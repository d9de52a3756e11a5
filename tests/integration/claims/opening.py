"""Handshakes, accept queues and local ports."""

import contextlib
import errno
import os
import resource
import socket
import struct
import time

from claims import claim
from claims import stage

LOOPBACKS = [f"127.0.0.{number}" for number in range(2, 6)]


# --- SYN and SYN-ACK --------------------------------------------------------------------------------------------------


def _give_up_on_syn(retries, linear):
    path = stage.Path()
    path.vanish()
    stage.setting("net.ipv4.tcp_syn_retries", retries)
    with contextlib.suppress(stage.NotHere):  # before 6.5 none is linear
        stage.setting("net.ipv4.tcp_syn_linear_timeouts", linear)
    elapsed, error = stage.seconds_until_error(stage.trying((path.there_address, 9)))
    if error != "ETIMEDOUT":
        raise AssertionError(error)
    # The default would be 6. On a busy host a SYN can still wait to be sent when its timer runs out. The kernel counts
    # that time-out, and does not count a retransmission.
    return elapsed, stage.counter("TCPTimeouts") - 1


@claim("syn-sent-unanswered", "Older kernels: 1, 3, 7, 15, 31, 63 s", 6.5, 25, "s", waits_s=7)
def syn_without_linear_timeouts():
    return _give_up_on_syn(2, 0)[0]


@claim("syn-sent-unanswered", "the first four SYNs follow a second apart, then the pauses double: 1, 2, 3, 4, 5, 7",
       6.8, 30, "s until the sixth is sent again", waits_s=8, since="6.5")
def syn_with_linear_timeouts():
    """With the settings of a new namespace. Doubling from the first on it would be 63 s, and 6 s without any."""
    path = stage.Path()
    path.vanish()
    begun = time.monotonic()
    conn = stage.trying((path.there_address, 9))
    assert conn
    return stage.seconds_until(lambda: stage.rows(stage.SYN_SENT)[0].retransmits >= 6, begun)


@claim("sysctls", "6 retransmissions of a SYN", 2, 4, "time-outs before the one that ends it", waits_s=7)
def syn_retries_are_retransmissions():
    return _give_up_on_syn(2, 0)[1]


def _checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _send_syn(source, destination, port):
    """From a host that will not answer."""
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    segment = struct.pack(">HHIIBBHHH", 40000, port, 7, 0, 5 << 4, 2, 64000, 0, 0)
    checksum = _checksum(addresses + struct.pack(">BBH", 0, 6, len(segment)) + segment)
    segment = segment[:16] + struct.pack(">H", checksum) + segment[18:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.bind((source, 0))
        raw.sendto(segment, (destination, 0))


@claim("syn-recv-unanswered", "The count rises with the kernel's own timer (after 1, 3, 7, 15, 31 s)", 2.5, 20, "s",
       waits_s=3)
def syn_ack_with_one_retry():
    """With one retransmission after 1 s the end comes after 3 s."""
    path = stage.Path()
    stage.setting("net.ipv4.tcp_synack_retries", 1)
    with socket.create_server((path.here_address, 0)) as listener:
        stage.ip("neighbor", "add", "10.9.0.77", "lladdr", "02:00:00:00:00:02", "dev", "cable", "nud", "permanent")
        stage.enter(path.there)
        stage.ip("address", "add", "10.9.0.77/32", "dev", "far")
        path.vanish(["input"])
        _send_syn("10.9.0.77", path.here_address, listener.getsockname()[1])
        stage.enter(path.here)
        stage.wait_for(lambda: stage.rows(stage.SYN_RECV), "SYN_RECEIVED")
        return stage.seconds_until(lambda: not stage.rows(stage.SYN_RECV))


@claim("errors", "The SYN was answered with a reset: nobody listens on that address and port.", "ECONNREFUSED")
def a_closed_port_refuses():
    stage.new_netns()
    return stage.error_of(stage.connected, ("127.0.0.1", 9))


# --- the accept queue -------------------------------------------------------------------------------------------------


def _full(clients, backlog=3):
    listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    conns = [stage.trying(listener.getsockname()) for _ in range(clients)]
    stage.wait_for(lambda: stage.queue_of(listener)[0] == backlog + 1, "a full queue")
    return listener, conns


@claim("listen", "One more than the backlog may wait: the queue is full when Recv-Q is *greater* than Send-Q.", [4, 3])
def one_more_than_the_backlog_waits():
    stage.new_netns()
    return list(stage.queue_of(_full(10)[0]))


@claim("errors", "A full accept queue does **not** refuse on Linux: it drops, and the client waits", [6, "SYN_SENT"],
       waits_s=2)
def a_full_queue_drops():
    stage.new_netns()
    _kept = _full(10)
    time.sleep(2)
    waiting = stage.rows(stage.SYN_SENT)
    return [len(waiting), "SYN_SENT"]


@claim("sysctls", "A SYN that finds the queue full is dropped with either value", 6, unit="in SYN_SENT", waits_s=2)
def abort_on_overflow_resets_no_syn():
    stage.new_netns()
    stage.setting("net.ipv4.tcp_abort_on_overflow", 1)
    _kept = _full(10)
    time.sleep(2)
    return len(stage.rows(stage.SYN_SENT))


@claim("counters", "ListenOverflows: a SYN, or the last ACK of a handshake, found the accept queue full", 6, 60,
       "ListenOverflows", waits_s=2)
def listen_overflows_count_dropped_syns():
    stage.new_netns()
    _kept = _full(10)
    time.sleep(1.5)
    return stage.counter("ListenOverflows")


@claim("established", "the connection may still be waiting in the accept queue", [0, 0])
def established_without_a_process():
    stage.new_netns()
    listener = socket.create_server(("127.0.0.1", 0))
    conns = [stage.connected(listener.getsockname()) for _ in range(2)]
    port = listener.getsockname()[1]
    assert conns
    return [row.inode for row in stage.rows(stage.ESTABLISHED) if row.local == port]


@claim("close-wait", "| 1 or more | none, no inode | still in the accept queue: the listener does not accept", [1, 0])
def close_wait_that_was_never_accepted():
    stage.new_netns()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stage.connected(listener.getsockname()).close()
        stage.wait_for(lambda: stage.rows(stage.CLOSE_WAIT))
        row = stage.rows(stage.CLOSE_WAIT)[0]
        return [row.recv_q, row.inode]


@claim("errors", "`accept()` that fails with EMFILE leaves the connection in the queue", ["EMFILE", 1])
def accept_without_descriptors():
    stage.new_netns()
    listener = socket.create_server(("127.0.0.1", 0))
    _conn = stage.connected(listener.getsockname())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))), hard))
    spare = []
    with contextlib.suppress(OSError):
        while True:
            spare.append(os.dup(0))
    error = stage.error_of(listener.accept)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return [error, stage.queue_of(listener)[0]]


# --- local ports ------------------------------------------------------------------------------------------------------


def _ten_ports():
    stage.new_netns()
    stage.setting("net.ipv4.ip_local_port_range", "40000 40009")
    return [socket.create_server((address, 80), backlog=64) for address in LOOPBACKS]


def _open(count, prepare=lambda conn: None):
    """Connects to the addresses in turn; how many came about, and the errors of the others."""
    kept, errors = [], set()
    for number in range(count):
        conn = socket.socket()
        try:
            prepare(conn)
            conn.connect((LOOPBACKS[number % len(LOOPBACKS)], 80))
            kept.append(conn)
        except OSError as e:
            errors.add(errno.errorcode[e.errno])
    return kept, sorted(errors)


def _bind(*options):
    def prepare(conn):
        for level, option in options:
            conn.setsockopt(level, option, 1)
        conn.bind(("127.0.0.1", 0))
    return prepare


@claim("port-exhaustion", "| `connect()` | source, destination, destination port | EADDRNOTAVAIL |",
       [40, ["EADDRNOTAVAIL"]])
def ports_of_connect():
    _servers = _ten_ports()
    kept, errors = _open(44, lambda conn: None)
    return [len(kept), errors]


@claim("port-exhaustion", "the source address, over all destinations | EADDRINUSE", [10, ["EADDRINUSE"]])
def ports_of_bind():
    _servers = _ten_ports()
    kept, errors = _open(40, _bind())
    return [len(kept), errors]


@claim("port-exhaustion", "(measured: 10 ports carry 10 connections with it", [10, ["EADDRINUSE"]])
def ports_of_bind_with_reuseaddr():
    _servers = _ten_ports()
    kept, errors = _open(40, _bind((socket.SOL_SOCKET, socket.SO_REUSEADDR)))
    return [len(kept), errors]


@claim("port-exhaustion", "and 40 to four destinations with IP_BIND_ADDRESS_NO_PORT).", [40, []])
def ports_of_bind_without_port():
    _servers = _ten_ports()
    kept, errors = _open(40, _bind((socket.IPPROTO_IP, stage.IP_BIND_ADDRESS_NO_PORT)))
    return [len(kept), errors]


@claim("sysctls", "less the reserved ones.", 8, unit="connections to one destination")
def reserved_ports_are_left_out():
    _servers = _ten_ports()
    stage.setting("net.ipv4.ip_local_reserved_ports", "40000-40001")
    kept, _ = _open(44)
    return sum(conn.getpeername()[0] == LOOPBACKS[0] for conn in kept)


@claim("port-exhaustion", "`connect()` passes their ports over", 9, unit="connections to one destination")
def bound_ports_are_passed_over():
    _servers = _ten_ports()
    bound = socket.socket()
    bound.bind(("127.0.0.1", 40004))
    kept, _ = _open(44)
    return sum(conn.getpeername()[0] == LOOPBACKS[0] for conn in kept)


@claim("port-exhaustion", "A socket may have a range of its own within that (IP_LOCAL_PORT_RANGE, Linux 6.3)",
       [40004, 40005], since="6.3")
def a_socket_has_its_own_range():
    _servers = _ten_ports()

    def prepare(conn):
        try:
            conn.setsockopt(socket.IPPROTO_IP, stage.IP_LOCAL_PORT_RANGE, struct.pack("I", 40005 << 16 | 40004))
        except OSError as e:
            raise stage.NotHere(f"IP_LOCAL_PORT_RANGE: {e}") from e

    kept, _ = _open(8, prepare)
    return sorted({conn.getsockname()[1] for conn in kept})


def _reuse_after_time_wait(value, wait_s):
    """Ten connections were closed here first; how many come about from the same ports."""
    _servers = _ten_ports()
    stage.setting("net.ipv4.tcp_tw_reuse", value)
    for _ in range(10):
        conn = stage.connected((LOOPBACKS[0], 80))
        other = _servers[0].accept()[0]
        conn.close()
        other.recv(1)
        other.close()
    stage.wait_for(lambda: len(stage.rows(stage.TIME_WAIT)) == 10, "TIME_WAIT")
    time.sleep(wait_s)
    count = 0
    kept = []
    for _ in range(10):
        conn = socket.socket()
        with contextlib.suppress(OSError):
            conn.connect((LOOPBACKS[0], 80))
            count += 1
        kept.append(conn)
    return count


@claim("sysctls", "0 off, 1 on, 2 on for loopback", 0, unit="connections")
def tw_reuse_off():
    return _reuse_after_time_wait(0, 2.5)


@claim("sysctls", "`connect()` may take over a TIME_WAIT of this host", 10, unit="connections", waits_s=3)
def tw_reuse_on():
    return _reuse_after_time_wait(1, 2.5)


@claim("sysctls", "2 on for loopback (default since 4.19; before 0)", 10, unit="connections", waits_s=3, since="4.19")
def tw_reuse_on_loopback():
    return _reuse_after_time_wait(2, 2.5)


# --- bind() and listen() ----------------------------------------------------------------------------------------------


def _after_time_wait(before, now):
    """`before`, `now`: whether the socket that was there, and the one that is to come, have SO_REUSEADDR."""
    stage.new_netns()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, before)
    listener.bind(("127.0.0.1", 8080))
    listener.listen()
    conn = stage.connected(("127.0.0.1", 8080))
    served = listener.accept()[0]
    served.close()
    conn.recv(1)
    conn.close()
    listener.close()
    stage.wait_for(lambda: stage.rows(stage.TIME_WAIT))
    again = socket.socket()
    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, now)
    return stage.error_of(again.bind, ("127.0.0.1", 8080))


@claim("errors", "connections of that port are still there in any state but CLOSED, and SO_REUSEADDR was not set",
       "EADDRINUSE")
def bind_beside_time_wait():
    return _after_time_wait(False, False)


@claim("errors", "Servers set it, so that TIME_WAIT does not matter.", "none")
def bind_beside_time_wait_with_reuseaddr():
    return _after_time_wait(True, True)


@claim("errors", "Both the old and the new socket must have it.", ["EADDRINUSE", "EADDRINUSE"])
def bind_beside_time_wait_with_one_reuseaddr():
    return [_after_time_wait(False, True), _after_time_wait(True, False)]


def _listen_twice(option):
    stage.new_netns()
    errors = []
    kept = []
    for _ in range(2):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
        errors.append(stage.error_of(lambda: (sock.bind(("127.0.0.1", 8080)), sock.listen())))
        kept.append(sock)
    return errors[1]


@claim("errors", "It does not let two sockets *listen* on one port", "EADDRINUSE")
def two_listeners_with_reuseaddr():
    return _listen_twice(socket.SO_REUSEADDR)


@claim("socket-options", "Several sockets listen on one port", "none")
def two_listeners_with_reuseport():
    return _listen_twice(socket.SO_REUSEPORT)


@claim("errors", "From `bind()`: the address is not one of this host.", "EADDRNOTAVAIL")
def bind_to_an_address_of_another_host():
    stage.new_netns()
    return stage.error_of(socket.socket().bind, ("192.0.2.1", 0))


@claim("bound", "On Linux netstat and /proc/net/tcp do not show them", 0, unit="rows")
def bound_sockets_are_not_in_proc():
    stage.new_netns()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 8080))
    return len(stage.rows())


@claim("bound", "Linux keeps the port of a socket that was bound explicitly", "EADDRINUSE")
def a_reset_socket_keeps_its_port():
    stage.new_netns()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        conn = socket.socket()
        conn.bind(("127.0.0.1", 8080))
        conn.connect(listener.getsockname())
        other = listener.accept()[0]
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()
        stage.wait_for(lambda: not [row for row in stage.rows() if row.local == 8080])
        return stage.error_of(socket.socket().bind, ("127.0.0.1", 8080))
