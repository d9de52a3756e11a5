"""Connections with little or no traffic."""

import socket
import time

from faults.stage import is_maker
from faults.wire import REQUEST, accepting, connect


@is_maker
def established_idle(stage, address, service_netns, peer_netns, count=30, keepalive=False, say_every_s=None):
    """One request, then silence. But the peer sends something at intervals, or both sides send keepalive probes, if
    asked to."""

    def server():
        listener, conns = yield from accepting(address, count)
        for conn in conns:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, keepalive)
            conn.recv(len(REQUEST), socket.MSG_WAITALL)
        yield
        while say_every_s:
            for conn in conns:
                conn.recv(1)

    def peer(port):
        conns = [connect(address, port) for _ in range(count)]
        for conn in conns:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, keepalive)
            conn.sendall(REQUEST)
        yield
        while say_every_s:
            time.sleep(say_every_s)
            for conn in conns:
                conn.sendall(b"\n")
        yield

    service, peers, port = stage.start_pair("idle-service", server(), "idle-peer", peer, service_netns, peer_netns)
    service.step()
    if say_every_s:
        service.go()
        peers.go()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}
