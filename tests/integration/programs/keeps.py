"""Programs that keep descriptors of TCP sockets that no table shows, and look-alikes: keeps.py ROLE [COUNT].

Each prints "ready" and then waits. Its peers are threads or a child, so that one command is one scene.
"""
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
import time

kept = []


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def in_child(work):
    """Peers in a process of their own, which ends: then only the parent's side is reset."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def listen():
    return socket.create_server(("127.0.0.1", 0), backlog=512)


def accepted(count, then):
    """`count` accepted connections. Their clients do what `then` says, all at once."""
    listener = listen()
    address = listener.getsockname()

    def clients():
        listener.close()
        sockets = [socket.create_connection(address) for _ in range(count)]
        time.sleep(0.3)
        for client in sockets:
            then(client)

    child = in_child(clients)
    kept.append(listener)
    connections = [listener.accept()[0] for _ in range(count)]
    os.waitpid(child, 0)
    return connections


def reset_by_peers(count):
    kept.extend(accepted(count, reset))


def shut_down_only(count):
    """The program takes shutdown() for close(): both ends send their FINs, and the descriptor stays."""
    connections = accepted(count, lambda client: client.close())
    for connection in connections:
        connection.shutdown(socket.SHUT_RDWR)
    kept.extend(connections)


def workers(count):
    """Twelve workers of one listener, with a few connections each."""
    listener = listen()
    for _ in range(12):
        if os.fork() == 0:
            kept.extend(listener.accept()[0] for _ in range(count))
            signal.pause()

    def clients():
        sockets = [socket.create_connection(listener.getsockname()) for _ in range(12 * count)]
        time.sleep(0.5)
        for client in sockets:
            reset(client)

    kept.append(listener)
    os.waitpid(in_child(clients), 0)


def refused(count, blocking):
    free = socket.create_server(("127.0.0.1", 0))
    address = free.getsockname()
    free.close()
    for _ in range(count):
        client = socket.socket()
        client.setblocking(blocking)
        try:
            client.connect(address)
        except (ConnectionRefusedError, BlockingIOError):
            pass
        kept.append(client)


def pool(count):
    """The server resets the connections of a pool. The pool notices it when it uses them again."""
    listener = listen()
    address = listener.getsockname()

    def server():
        connections = [listener.accept()[0] for _ in range(count)]
        time.sleep(0.3)
        for connection in connections:
            reset(connection)

    child = in_child(server)
    kept.extend(socket.create_connection(address) for _ in range(count))
    listener.close()
    os.waitpid(child, 0)


def only_made(count):
    kept.extend(socket.socket() for _ in range(count))
    kept.extend(socket.socket(socket.AF_INET6) for _ in range(count))


def only_bound(count):
    for _ in range(count):
        kept.append(socket.socket())
        kept[-1].bind(("127.0.0.1", 0))


def not_tcp(count):
    for _ in range(count):
        kept.extend(socket.socketpair())
        kept.append(socket.socket(type=socket.SOCK_DGRAM))
        kept.append(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        kept.append(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
        kept.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        kept.append(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))


def closes_at_once(count):
    """A server that closes connections after a reset. Its clients reset many of them again and again."""
    listener = listen()
    address = listener.getsockname()

    def clients():
        listener.close()
        while True:
            sockets = [socket.create_connection(address) for _ in range(count)]
            time.sleep(0.05)
            for client in sockets:
                reset(client)

    in_child(clients)

    def serve():
        poller = select.epoll()
        poller.register(listener, select.EPOLLIN)
        open_ones = {}
        while True:
            for number, _ in poller.poll():
                if number == listener.fileno():
                    connection = listener.accept()[0]
                    open_ones[connection.fileno()] = connection
                    poller.register(connection, select.EPOLLIN)
                else:
                    open_ones.pop(number).close()

    threading.Thread(target=serve, daemon=True).start()


def no_tcp_at_all(count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
    try:
        while True:
            kept.append(socket.socket(socket.AF_UNIX))
    except OSError:
        kept.pop().close()


ROLES = {
    "reset": reset_by_peers,
    "shut-down": shut_down_only,
    "workers": workers,
    "refused": lambda count: refused(count, True),
    "refused-later": lambda count: refused(count, False),
    "pool": pool,
    "only-made": only_made,
    "only-bound": only_bound,
    "not-tcp": not_tcp,
    "closes": closes_at_once,
    "no-tcp": no_tcp_at_all,
}

if __name__ == "__main__":
    ROLES[sys.argv[1]](int(sys.argv[2]))
    print("ready", flush=True)
    while True:
        signal.pause()
