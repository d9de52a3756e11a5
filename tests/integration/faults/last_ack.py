"""Connections that stay in LAST_ACK: both sides have closed, and the service's FIN is not acknowledged."""

import socket
import subprocess

from faults.close_wait import half_closes_and_stops_reading
from faults.stage import is_maker
from faults.wire import (
    REQUEST, accepting, connect, lose_no_more, lose_packets, read_to_end, wait_until_half_closed, write_until_full)


def reads_to_the_end_then_closes(address, count):
    listener, conns = yield from accepting(address, count)
    for conn in conns:
        read_to_end(conn)
    yield
    for conn in conns:
        conn.close()
    yield


def closes_then_vanishes(address, port, count, link=None, one_way=False):
    """The peer closes first. Then it receives nothing more from the service. In its third step it does again."""
    conns = [connect(address, port) for _ in range(count)]
    for conn in conns:
        conn.sendall(REQUEST)
        conn.shutdown(socket.SHUT_WR)
    yield
    wait_until_half_closed(conns)
    for conn in conns:
        conn.close()
    if link:
        subprocess.run(["ip", "link", "set", link, "down"], check=True)
    else:
        lose_packets(port, one_way)
    yield
    lose_no_more(port)
    yield


def _unanswered(stage, address, service_netns, peer_netns, count, **loss):
    service, peers, port = stage.start_pair(
        "gone-service", reads_to_the_end_then_closes(address, count), "gone-peer",
        lambda port: closes_then_vanishes(address, port, count, **loss), service_netns, peer_netns)
    service.step()
    peers.step()
    service.step()
    return peers, {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}


@is_maker
def last_ack_unanswered(stage, address, service_netns, peer_netns, count=3, link=None, one_way=False):
    """The peer has vanished: packets are lost both ways; with one_way only those to the peer; with `link` its link is
    down."""
    _, said = _unanswered(stage, address, service_netns, peer_netns, count, link=link, one_way=one_way)
    yield said


@is_maker
def last_ack_answered_late(stage, address, service_netns, peer_netns, count=3):
    """A look-alike: a few packets are lost, then the acknowledgements arrive (second step)."""
    peers, said = _unanswered(stage, address, service_netns, peer_netns, count)
    yield said
    peers.step()
    yield said


@is_maker
def last_ack_zero_window(stage, address="127.0.0.1", service_netns=None, peer_netns=None, count=3):
    """The peer has half-closed and stopped reading. The server has written more than the window allows, and closed."""

    def server():
        listener, conns = yield from accepting(address, count)
        for conn in conns:
            read_to_end(conn)
            write_until_full(conn)
            conn.close()
        yield

    service, peers, port = stage.start_pair(
        "window-service", server(), "window-peer",
        lambda port: half_closes_and_stops_reading(address, port, count), service_netns, peer_netns)
    service.step()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}
