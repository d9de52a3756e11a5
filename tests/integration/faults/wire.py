"""Socket calls that the parts share."""

import socket
import subprocess
import time

REQUEST = b"GET /\r\n"
ANSWER = b"hello\r\n"
TCP_FIN_WAIT1 = 4  # include/net/tcp_states.h
SMALL_BUFFER = 4096  # the kernel doubles it


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(address, backlog=1000, port=0, dual_stack=False):
    listener = socket.socket(family_of(address), socket.SOCK_STREAM)
    if family_of(address) == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual_stack else 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


def port_of(sock):
    return sock.getsockname()[1]


def connect(address, port, receive_buffer=None):
    sock = socket.socket(family_of(address), socket.SOCK_STREAM)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect((address, port))
    return sock


def accept_all(listener, count):
    return [listener.accept()[0] for _ in range(count)]


def accepting(address, count, dual_stack=False):
    """The beginning of a service's part: it yields its port, then returns its listener and the accepted connections."""
    listener = listen(address, dual_stack=dual_stack)
    yield {"port": port_of(listener)}
    return listener, accept_all(listener, count)


def read_to_end(sock):
    while sock.recv(65536):
        pass


def write_until_full(sock):
    """Writes until the peer's window and the send buffer are full."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # otherwise it grows to megabytes
    sock.setblocking(False)
    try:
        while True:
            sock.send(b"x" * 16384)
    except BlockingIOError:
        sock.setblocking(True)


def wait_until_half_closed(conns):
    """Waits until the peer has acknowledged the FIN: the state is FIN_WAIT_2, or already TIME_WAIT."""
    deadline = time.monotonic() + 5
    while any(conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_FIN_WAIT1 for conn in conns):
        if time.monotonic() > deadline:
            raise TimeoutError("a FIN was not acknowledged")
        time.sleep(0.01)


def lose_packets(port, one_way=False):
    """Drops what this netns receives from that TCP port. Without one_way it also drops what it sends there."""
    output = "" if one_way else f"chain output {{ type filter hook output priority 0; tcp dport {port} drop; }}"
    rules = f"""
        table inet lost_{port} {{
            chain input {{ type filter hook input priority 0; tcp sport {port} drop; }}
            {output}
        }}
    """
    subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)


def lose_no_more(port):
    subprocess.run(["nft", "delete", "table", "inet", f"lost_{port}"], check=True)
