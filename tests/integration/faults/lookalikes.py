"""Look-alikes: they resemble a fault and are none."""

import os
import selectors
import signal
import socket
import time

from faults.stage import die_with_parent, is_maker, set_name
from faults.wire import ANSWER, REQUEST, accepting, connect, listen, port_of, read_to_end

LOOPBACK = "127.0.0.1"


@is_maker
def half_closed_flow(stage, count=3, address=LOOPBACK, interval_s=0.2):
    """The peer has half-closed and continues to read. The service sends data from CLOSE_WAIT (RFC 9293 §3.6.1)."""

    def server():
        listener, conns = yield from accepting(address, count)
        for conn in conns:
            read_to_end(conn)
        yield
        while True:
            for conn in conns:
                conn.sendall(b"x" * 100)
            time.sleep(interval_s)

    def peer(port):
        conns = [connect(address, port) for _ in range(count)]
        selector = selectors.DefaultSelector()
        for conn in conns:
            conn.sendall(REQUEST)
            conn.shutdown(socket.SHUT_WR)
            selector.register(conn, selectors.EVENT_READ)
        yield
        while True:
            for key, _ in selector.select():
                key.fileobj.recv(65536)

    service, peers, port = stage.start_pair("flow-service", server(), "flow-peer", peer)
    service.step()
    service.go()
    peers.go()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}


@is_maker
def half_closed_work(stage, count=12, address=LOOPBACK, service_netns=None, peer_netns=None, answers=False):
    """Peers that half-close and wait, and a server that works on its answer. With `answers` it has answered before it
    read the end of the stream: nobody waits, and the server has forgotten to close."""

    def server():
        listener, conns = yield from accepting(address, count)
        for conn in conns:
            conn.recv(len(REQUEST))
            if answers:
                conn.sendall(ANSWER)
        yield
        for conn in conns:
            read_to_end(conn)
        yield

    def peer(port):
        conns = [connect(address, port) for _ in range(count)]
        for conn in conns:
            conn.sendall(REQUEST)
        yield
        for conn in conns:
            if answers:
                conn.recv(len(ANSWER))
            conn.shutdown(socket.SHUT_WR)
        yield

    service, peers, port = stage.start_pair(
        "work-service", server(), "work-peer", peer, service_netns, peer_netns)
    service.step()
    peers.step()
    service.step()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}


@is_maker
def churn(stage, per_second=40, address=LOOPBACK):
    """Short connections, closed first by the client and the server in turn: TIME_WAIT and FIN_WAIT_2 on both sides."""

    def server():
        listener = listen(address)
        yield {"port": port_of(listener)}
        while True:
            conn = listener.accept()[0]
            if conn.recv(len(REQUEST)) == REQUEST:
                conn.sendall(ANSWER)
            else:
                read_to_end(conn)
            conn.close()

    def client(port):
        yield
        turn = 0
        while True:
            turn += 1
            conn = connect(address, port)
            conn.sendall(REQUEST if turn % 2 else REQUEST.lower())
            if turn % 2:
                read_to_end(conn)
            conn.close()
            time.sleep(1 / per_second)

    service, peers, port = stage.start_pair("churn-service", server(), "churn-client", client)
    service.go()
    peers.go()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port}


@is_maker
def fork_server(stage, count=3, address=LOOPBACK):
    """A child for each connection, which the parent has closed. So each has one holder, which serves it."""

    def server():
        listener = listen(address)
        yield {"port": port_of(listener)}
        children = []
        for _ in range(count):
            conn = listener.accept()[0]
            child = os.fork()
            if child == 0:
                die_with_parent()
                set_name("fork-child")
                listener.close()
                while request := conn.recv(65536):
                    conn.sendall(request)
                    conn.shutdown(socket.SHUT_WR)
                signal.pause()
            conn.close()
            children.append(child)
        yield {"children": children}

    def peer(port):
        conns = [connect(address, port) for _ in range(count)]
        yield
        del conns

    service, peers, port = stage.start_pair("fork-parent", server(), "fork-peer", peer)
    children = service.step()["children"]
    yield {"pid": service.pid, "children": children, "peer_pid": peers.pid, "port": port, "count": count}


@is_maker
def slow_reader(stage, count=3, address=LOOPBACK):
    """Many unread bytes in ESTABLISHED, but the process reads slowly and the peer continues to send."""

    def server():
        listener, conns = yield from accepting(address, count)
        yield
        while True:
            for conn in conns:
                conn.recv(10)
            time.sleep(0.2)

    def peer(port):
        conns = [connect(address, port) for _ in range(count)]
        for conn in conns:
            conn.sendall(b"x" * 50000)
        yield
        while True:
            for conn in conns:
                conn.sendall(b"x" * 10)
            time.sleep(0.2)

    service, peers, port = stage.start_pair("slow-reader", server(), "slow-peer", peer)
    service.step()
    service.go()
    peers.go()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}
