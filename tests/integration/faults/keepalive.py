"""Lasting faults on sockets with keepalive. Each answer to a probe resets a time from which an age is computed.

One service holds all sockets, with a port for each fault and each keepalive time. One peer has the other ends.
"""

import os
import signal
import socket

from faults.stage import die_with_parent
from faults.wire import connect, listen, port_of, read_to_end, write_until_full

COUNT = 12  # of each fault: enough for a warning
TIMES_S = (0, 1, 5, 15, 60)  # 0: no keepalive


def set_keepalive(sock, seconds):
    if seconds:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)


def _nothing(_):
    pass


def _end(sock):
    sock.shutdown(socket.SHUT_WR)


def _send(sock):
    sock.sendall(b"x" * 100)


def _read_and_end(sock):
    read_to_end(sock)
    _end(sock)


def _fill_and_end(sock):
    write_until_full(sock)
    _end(sock)


# Finding: first step of the service, step of the peer, last step of the service
FAULTS = {
    "close-wait-leak": (_nothing, _end, read_to_end),
    "close-wait-unread": (_nothing, _end, _nothing),
    "close-wait-not-accepted": (_nothing, _end, _nothing),
    "close-wait-blocked-writer": (write_until_full, _end, _nothing),
    "fin-wait-2-held": (_end, _nothing, _nothing),
    "last-ack-zero-window": (write_until_full, _end, _read_and_end),
    "fin-wait-1-zero-window": (_fill_and_end, _nothing, _nothing),
    "established-zero-window": (write_until_full, _nothing, _nothing),
    "established-unread": (_nothing, _send, _nothing),
    "established-not-accepted": (_nothing, _nothing, _nothing),
}
# A child of the service also holds these.
INHERITED = {"close-wait-inherited": (_nothing, _end, _nothing)}
# For these, the path to the peer breaks before the last step.
UNANSWERED = {
    "established-unanswered": (_nothing, _nothing, _send),
    "last-ack-unanswered": (_nothing, _end, _read_and_end),
    "fin-wait-1-unanswered": (_nothing, _nothing, _end),
}


def service(address, faults):
    """Reports (fault, seconds, port) of each scene. Then it does its first step, and its last."""
    scenes = []
    for fault in faults:
        for seconds in TIMES_S:
            listener = listen(address)
            set_keepalive(listener, seconds)  # accepted connections inherit it
            scenes.append((fault, seconds, listener, []))
    yield {"scenes": [(fault, seconds, port_of(listener)) for fault, seconds, listener, _ in scenes]}
    for fault, _, listener, conns in scenes:
        if not fault.endswith("-not-accepted"):
            conns += [listener.accept()[0] for _ in range(COUNT)]
    for fault, _, _, conns in scenes:
        for conn in conns:
            faults[fault][0](conn)
    yield
    for fault, _, _, conns in scenes:
        for conn in conns:
            faults[fault][2](conn)
    if "close-wait-inherited" in faults:
        _hold_in_a_child_too()
    yield


def _hold_in_a_child_too():
    if os.fork() == 0:
        die_with_parent()
        signal.pause()


def peer(address, scenes, faults):
    conns = [(fault, connect(address, port, receive_buffer=4096)) for fault, _, port in scenes for _ in range(COUNT)]
    yield
    for fault, conn in conns:
        faults[fault][1](conn)
    yield


def slow_to_close(address, count):
    """A look-alike: idle for a while, then all clients close at once, and the service notices it late."""
    listener = listen(address)
    yield {"port": port_of(listener)}
    conns = [listener.accept()[0] for _ in range(count)]
    for conn in conns:
        set_keepalive(conn, 15)
    yield
    for conn in conns:
        read_to_end(conn)
    yield
    for conn in conns:
        conn.close()
    yield


def clients_that_go(address, port, count):
    conns = [connect(address, port) for _ in range(count)]
    yield
    for conn in conns:
        conn.close()
    yield
