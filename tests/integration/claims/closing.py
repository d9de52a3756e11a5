"""What comes after close(): FINs, resets, time-outs, and the states between."""

import os
import socket
import struct
import subprocess
import time

from claims import claim
from claims import stage

KEEPALIVE = dict(keepalive=True, TCP_KEEPIDLE=3, TCP_KEEPINTVL=2, TCP_KEEPCNT=2)


def _reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


# --- CLOSE_WAIT -------------------------------------------------------------------------------------------------------


@claim("close-wait", "The FIN itself counts as 1 in Recv-Q on Linux", 1, unit="in Recv-Q")
def an_unread_fin_counts_one():
    stage.new_netns()
    conn, peer = stage.pair()
    peer.close()
    stage.wait_for(lambda: stage.row_of(conn).state == stage.CLOSE_WAIT)
    return stage.row_of(conn).recv_q


@claim("close-wait", "and n means n-1 bytes before it", 8, unit="in Recv-Q for 7 bytes")
def bytes_before_an_unread_fin():
    stage.new_netns()
    conn, peer = stage.pair()
    peer.sendall(b"goodbye")
    peer.close()
    stage.wait_for(lambda: stage.row_of(conn).state == stage.CLOSE_WAIT)
    return stage.row_of(conn).recv_q


@claim("close-wait-leak", "Recv-Q is 0 although the program has not seen the end of stream; its next read would return "
       "it at once", [0, ""])
def the_trap_of_a_fin_with_data():
    stage.new_netns()
    conn, peer = stage.pair()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    peer.sendall(b"GET\n")
    peer.shutdown(socket.SHUT_WR)  # the FIN goes with the data that waits
    stage.wait_for(lambda: stage.row_of(conn).state == stage.CLOSE_WAIT)
    conn.recv(4)
    return [stage.row_of(conn).recv_q, conn.recv(4).decode()]


@claim("close-wait", "There is no setting for it", [8, 0], waits_s=4)
def nothing_ends_close_wait():
    stage.new_netns()
    stage.setting("net.ipv4.tcp_fin_timeout", 1)
    conn, peer = stage.pair()
    peer.shutdown(socket.SHUT_WR)
    time.sleep(4)
    row = stage.row_of(conn)
    return [row.state, row.timer]


@claim("close-wait", "If data lies unread, `close()` sends a reset instead, and the row is gone at once",
       ["ECONNRESET", "no row", 1])
def close_with_unread_data():
    stage.new_netns()
    conn, peer = stage.pair()
    peer.sendall(b"unread")
    stage.wait_for(lambda: stage.row_of(conn).recv_q == 6)
    ports = stage.ports_of(conn)
    conn.close()
    error = stage.error_of(peer.recv, 1)
    row = stage.row_of(ports)
    return [error, "no row" if row is None else row.state, stage.counter("TCPAbortOnClose")]


@claim("socket-options", "In CLOSE_WAIT the row goes, the descriptor stays.", ["ETIMEDOUT", "no row", True], waits_s=8)
def keepalive_in_close_wait():
    path = stage.Path()
    conn, peer = path.connect(**KEEPALIVE)
    peer.shutdown(socket.SHUT_WR)
    stage.wait_for(lambda: stage.row_of(conn).state == stage.CLOSE_WAIT)
    ports = stage.ports_of(conn)
    path.vanish()
    _, error = stage.seconds_until_error(conn)
    row = stage.row_of(ports)
    return [error, "no row" if row is None else row.state, conn.fileno() >= 0]


@claim("close-wait-leak", "- `ss -K`: the connection goes, the descriptor stays", ["no row", True])
def killing_a_close_wait():
    stage.new_netns()
    conn, peer = stage.pair()
    peer.shutdown(socket.SHUT_WR)
    stage.wait_for(lambda: stage.row_of(conn).state == stage.CLOSE_WAIT)
    ports = stage.ports_of(conn)
    subprocess.run(["ss", "-K", "state", "close-wait"], check=True, capture_output=True)
    row = stage.row_of(ports)
    if row is not None:
        raise stage.NotHere("the kernel has no CONFIG_INET_DIAG_DESTROY")
    return ["no row", conn.fileno() >= 0]


@claim("close-wait", 'Performance Monitor\'s "TCPv4\\Connections Established" counts ESTABLISHED *and* CLOSE_WAIT', 2)
def curr_estab_counts_close_wait():
    """Linux counts CurrEstab as RFC 1213 defines it: ESTABLISHED and CLOSE_WAIT."""
    stage.new_netns()
    _conn, _peer = stage.pair()
    before = stage.counter("CurrEstab")
    _peer.shutdown(socket.SHUT_WR)
    stage.wait_for(lambda: stage.row_of(_conn).state == stage.CLOSE_WAIT)
    return before if stage.counter("CurrEstab") == 1 else -1


# --- FIN_WAIT_1, LAST_ACK: nobody answers -----------------------------------------------------------------------------


@claim("last-ack", "Send-Q 1 is the FIN alone.", [1, 0])
def last_ack_with_a_fin_alone():
    path = stage.Path()
    conn, peer = path.connect()
    peer.shutdown(socket.SHUT_WR)
    stage.wait_for(lambda: stage.row_of(conn).state == stage.CLOSE_WAIT)
    path.vanish()
    ports = stage.ports_of(conn)
    conn.recv(1)
    conn.close()
    row = stage.row_of(ports)
    assert row.state == stage.LAST_ACK, row.state
    return [row.send_q, row.inode]


@claim("fin-wait-1-unanswered", "not a lost segment or two: 1.4 s at the least", 6.8, 60,
       "retransmission time-outs, of 200 ms at the least", waits_s=2)
def three_retransmissions_of_a_fin():
    path = stage.Path()
    conn, _peer = path.connect()
    path.vanish()
    ports = stage.ports_of(conn)
    rto, begun = stage.rto_s(conn), time.monotonic()
    conn.close()
    return round(stage.seconds_until(lambda: stage.row_of(ports).retransmits >= 3, begun) / rto, 1)


@claim("last-ack", "orphan, no answer | at least 102 s", 1.3, 40,
       "s with tcp_orphan_retries 2", waits_s=3)
def orphan_retries_end_an_orphan():
    """
    The time-outs double. With 2 retries and the shortest time-out of 200 ms they are 0.2 + 0.4 + 0.8 = 1.4 s; with 8
    retries 102.2 s. The kernel gives up when the last one has run out.
    """
    path = stage.Path()
    stage.setting("net.ipv4.tcp_orphan_retries", 2)
    conn, _peer = path.connect()
    path.vanish()
    ports = stage.ports_of(conn)
    begun = time.monotonic()
    conn.close()
    return stage.seconds_until(lambda: stage.row_of(ports) is None, begun)


@claim("established-unanswered", "`tcp_retries2` (15) ends it, 924.6 s after the first timeout at the least", 2.8, 30,
       "s with tcp_retries2 3", waits_s=7)
def retries2_ends_a_connection():
    """As with 15: the sum of the doubling time-outs, 0.2 + 0.4 + 0.8 + 1.6 s."""
    path = stage.Path()
    stage.setting("net.ipv4.tcp_retries2", 3)
    conn, _peer = path.connect()
    path.vanish()
    begun = time.monotonic()
    conn.sendall(b"lost")
    elapsed, error = stage.seconds_until_error(conn, begun)
    assert error == "ETIMEDOUT", error
    return elapsed


@claim("counters", "The retransmission timer ran out, each time it does", 2, 9, "TCPTimeouts", waits_s=5)
def timeouts_are_counted_each():
    path = stage.Path()
    stage.setting("net.ipv4.tcp_retries2", 3)
    conn, _peer = path.connect()
    path.vanish()
    conn.sendall(b"lost")
    stage.seconds_until_error(conn)
    return stage.counter("TCPTimeouts")


@claim("socket-options", "how long data may stay unacknowledged, or the peer's window closed, before the connection is "
       "ended with ETIMEDOUT", 1.8, 30, "s for 2 s", waits_s=3)
def user_timeout_with_data():
    path = stage.Path()
    conn, _peer = path.connect(TCP_USER_TIMEOUT=2000)
    path.vanish()
    begun = time.monotonic()
    conn.sendall(b"lost")
    elapsed, error = stage.seconds_until_error(conn, begun)
    assert error == "ETIMEDOUT", error
    return elapsed


def _fill(conn):
    """Sends until the buffers of both ends are full. The peer reads nothing."""
    conn.setblocking(False)
    last = time.monotonic()
    while time.monotonic() - last < 1:
        try:
            conn.send(bytes(65536))
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.05)


@claim("last-ack-zero-window", "`TCP_USER_TIMEOUT` on Linux caps the probing", "ETIMEDOUT", waits_s=5)
def user_timeout_with_a_zero_window():
    path = stage.Path()
    conn, _peer = path.connect(TCP_USER_TIMEOUT=2000)
    _fill(conn)
    return stage.seconds_until_error(conn)[1]


@claim("established", "Send-Q above 0, zero-window probe | the peer's program does not read", [stage.PERSIST, True],
       waits_s=2)
def zero_window_probes():
    path = stage.Path()
    conn, _peer = path.connect()
    _fill(conn)
    stage.wait_for(lambda: stage.row_of(conn).timer == stage.PERSIST)
    row = stage.row_of(conn)
    return [row.timer, row.send_q > 0]


# --- FIN_WAIT_2 and TIME_WAIT -----------------------------------------------------------------------------------------


@claim("fin-wait-2", "Orphan on Linux: `net.ipv4.tcp_fin_timeout`, 60 s by default", 1.5, 30, "s for 3 s", waits_s=3)
def fin_timeout_ends_an_orphan():
    stage.new_netns()
    stage.setting("net.ipv4.tcp_fin_timeout", 3)
    conn, _peer = stage.pair()
    ports = stage.ports_of(conn)
    begun = time.monotonic()
    conn.close()
    stage.wait_for(lambda: stage.row_of(ports).state == stage.FIN_WAIT_2)
    return stage.seconds_until(lambda: stage.row_of(ports) is None, begun)


@claim("fin-wait-2", "or TCP_LINGER2 for one socket", 1.5, 30, "s for 3 s", waits_s=3)
def linger2_ends_an_orphan():
    stage.new_netns()
    conn, _peer = stage.pair(TCP_LINGER2=3)
    ports = stage.ports_of(conn)
    begun = time.monotonic()
    conn.close()
    return stage.seconds_until(lambda: stage.row_of(ports) is None, begun)


@claim("fin-wait-2-held", "- `tcp_fin_timeout`: it starts with `close()`.", [5, 0], waits_s=4)
def fin_wait_2_that_is_held():
    stage.new_netns()
    stage.setting("net.ipv4.tcp_fin_timeout", 1)
    conn, _peer = stage.pair()
    conn.shutdown(socket.SHUT_WR)
    time.sleep(4)
    row = stage.row_of(conn)
    return [row.state, row.timer]


@claim("fin-wait-2-held", "ETIMEDOUT after 7 s with idle 3 s, interval 2 s, 2 probes", 6.8, 30, "s", waits_s=8)
def keepalive_in_fin_wait_2():
    path = stage.Path()
    begun = time.monotonic()
    conn, _peer = path.connect(**KEEPALIVE)
    conn.shutdown(socket.SHUT_WR)
    stage.wait_for(lambda: stage.row_of(conn).state == stage.FIN_WAIT_2)
    path.vanish()
    elapsed, error = stage.seconds_until_error(conn, begun)
    assert error == "ETIMEDOUT", error
    return elapsed


@claim("socket-options", "ends it when the peer has vanished; a program that waits gets ETIMEDOUT", "ETIMEDOUT",
       waits_s=8)
def keepalive_in_established():
    path = stage.Path()
    conn, _peer = path.connect(**KEEPALIVE)
    path.vanish()
    return stage.seconds_until_error(conn)[1]


@claim("socket-options", "It ends no connection whose peer's kernel answers", "ESTABLISHED", waits_s=9)
def keepalive_with_a_peer_that_answers():
    path = stage.Path()
    conn, _peer = path.connect(**KEEPALIVE)
    time.sleep(9)
    return "ESTABLISHED" if stage.row_of(conn).state == stage.ESTABLISHED else "gone"


@claim("established-unanswered", "- Keepalive for data that is already unacknowledged: it does not run then.", True,
       waits_s=9)
def keepalive_with_unacknowledged_data():
    path = stage.Path()
    conn, _peer = path.connect(**KEEPALIVE)
    path.vanish()
    conn.sendall(b"lost")
    time.sleep(9)
    return stage.row_of(conn) is not None


@claim("time-wait", "Linux: 60 s, fixed when the kernel is built. No sysctl changes it", 50, 60.5, "s left")
def time_wait_is_60_s():
    stage.new_netns()
    stage.setting("net.ipv4.tcp_fin_timeout", 3)
    conn, peer = stage.pair()
    ports = stage.ports_of(conn)
    conn.close()
    peer.recv(1)
    peer.close()
    stage.wait_for(lambda: stage.row_of(ports).state == stage.TIME_WAIT)
    return stage.row_of(ports).timer_ticks / os.sysconf("SC_CLK_TCK")


@claim("time-wait", "always on the side that closed first", [True, False])
def time_wait_is_on_the_side_that_closed_first():
    stage.new_netns()
    conn, peer = stage.pair()
    first, second = stage.ports_of(conn), stage.ports_of(peer)
    conn.close()
    peer.recv(1)
    peer.close()
    stage.wait_for(lambda: stage.row_of(first).state == stage.TIME_WAIT)
    return [stage.row_of(first) is not None, stage.row_of(second) is not None]


@claim("fin-wait-2", "they occupy their port like TIME_WAIT", 0, unit="connections", waits_s=3, since="6.12")
def tw_reuse_takes_no_fin_wait_2():
    stage.new_netns()
    stage.setting("net.ipv4.ip_local_port_range", "40000 40001")
    stage.setting("net.ipv4.tcp_tw_reuse", 1)
    kept = []
    with socket.create_server(("127.0.0.1", 8080)) as listener:
        for _ in range(2):
            stage.connected(listener.getsockname()).close()
            kept.append(listener.accept()[0])
        stage.wait_for(lambda: len(stage.rows(stage.FIN_WAIT_2)) == 2)
        time.sleep(2.5)
        return int(stage.error_of(stage.connected, listener.getsockname()) == "none")


# --- resets -----------------------------------------------------------------------------------------------------------


@claim("time-wait", "SO_LINGER with time 0: it avoids TIME_WAIT by a reset", ["ECONNRESET", 0])
def linger_0_resets():
    stage.new_netns()
    conn, peer = stage.pair()
    _reset(conn)
    return [stage.error_of(peer.recv, 1), len(stage.rows())]


@claim("socket-options", "| close() with SO_LINGER and time 0 | TCPAbortOnData |", 1)
def linger_0_is_counted():
    stage.new_netns()
    conn, _peer = stage.pair()
    _reset(conn)
    return stage.counter("TCPAbortOnData")


@claim("socket-options", "| data that comes after close() | TCPAbortOnData |", 1)
def data_after_close():
    stage.new_netns()
    conn, peer = stage.pair()
    conn.close()
    peer.recv(1)
    peer.sendall(b"late")
    stage.wait_for(lambda: stage.counter("OutRsts") > 0)
    return stage.counter("TCPAbortOnData") + stage.counter("TCPAbortOnClose")


@claim("errors", "The first write after the peer has closed succeeds; the reset that answers it makes the *next* call "
       "fail.", ["none", "EPIPE"])
def the_first_write_succeeds():
    stage.new_netns()
    conn, peer = stage.pair()
    peer.close()
    stage.wait_for(lambda: stage.row_of(conn).state == stage.CLOSE_WAIT)
    first = stage.error_of(conn.send, b"x")
    stage.wait_for(lambda: stage.counter("OutRsts") > 0)
    return [first, stage.error_of(conn.send, b"x")]


@claim("errors", "A write after this side has shut down its sending side", "EPIPE")
def a_write_after_shutdown():
    stage.new_netns()
    conn, _peer = stage.pair()
    conn.shutdown(socket.SHUT_WR)
    return stage.error_of(conn.send, b"x")


@claim("errors", "on a connection that was reset meanwhile", "ENOTCONN")
def shutdown_after_a_reset():
    stage.new_netns()
    conn, peer = stage.pair()
    _reset(peer)
    stage.error_of(conn.recv, 1)
    return stage.error_of(conn.shutdown, socket.SHUT_WR)


@claim("errors", "With SO_RCVTIMEO or SO_SNDTIMEO it is the time-out.", "EAGAIN")
def a_receive_timeout():
    stage.new_netns()
    conn, _peer = stage.pair()
    conn.settimeout(None)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 200_000))
    return stage.error_of(conn.recv, 1)


# --- close() that lingers ---------------------------------------------------------------------------------------------


@claim("socket-options", "Time above 0: close() waits in FIN_WAIT_1, CLOSING and LAST_ACK", 1.8, 25, "s for 2 s",
       waits_s=2)
def a_close_that_lingers():
    path = stage.Path()
    conn, _peer = path.connect()
    path.vanish()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 2))
    conn.settimeout(None)
    begun = time.monotonic()
    conn.close()
    return round(time.monotonic() - begun, 2)


@claim("fin-wait-2-held", "a `close()` that lingers does not wait in this state", 0, 25, "s for 30 s")
def a_close_that_lingers_in_fin_wait_2():
    stage.new_netns()
    conn, _peer = stage.pair()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
    conn.settimeout(None)
    begun = time.monotonic()
    conn.close()
    return round(time.monotonic() - begun, 2)
