"""python3 changing.py WHAT — a host that changes as fast as it can, until stdin ends. Prints a line when it has begun.

sockets       a server and a client of a process each: connections are opened and closed, some are kept for a while
processes     processes with a listener and a connection of their own, called v-PORT, that live for a moment
namespaces    the same, each in a network namespace that goes with it
"""

import collections
import ctypes
import os
import random
import signal
import socket
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
LOOPBACK = "127.0.0.1"


def start(work):
    """Runs work() in a process that ends with this one. Returns its pid."""
    pid = os.fork()
    if pid == 0:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            work()
        finally:
            os._exit(0)
    return pid


def listen():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, 0))
    return listener


# --- sockets ---------------------------------------------------------------------------------------------------------

KEPT, KEEP_EVERY = 300, 20  # some stay for about a second, so that their holders can be found


def keep(kept, conn):
    kept.append(conn)
    if len(kept) > KEPT:
        kept.popleft().close()


def serve(listener):
    kept = collections.deque()
    while True:
        conn = listener.accept()[0]
        if conn.recv(1) == b"k":
            keep(kept, conn)
        else:
            conn.close()


def call(port):
    kept = collections.deque()
    turn = 0
    while True:
        turn += 1
        conn = socket.create_connection((LOOPBACK, port))
        if turn % KEEP_EVERY == 0:
            conn.sendall(b"k")
            keep(kept, conn)
        elif turn % 2 == 0:
            conn.sendall(b"x")
            conn.recv(1)  # the other side closes first
            conn.close()
        else:
            conn.close()


def change_sockets():
    listener = listen()
    listener.listen(4096)
    port = listener.getsockname()[1]
    server = start(lambda: serve(listener))
    listener.close()
    clients = [start(lambda: call(port)) for _ in range(2)]
    return f"{port} {server} {' '.join(map(str, clients))}"


# --- processes -------------------------------------------------------------------------------------------------------

def a_moment():
    """A time between one that is shorter than a snapshot takes, and one that is as long as several."""
    time.sleep(0.02 * 2 ** random.uniform(0, 7))


def live_for_a_moment():
    listener = listen()
    port = listener.getsockname()[1]
    LIBC.prctl(PR_SET_NAME, f"v-{port}".encode())
    listener.listen()
    conn = socket.create_connection((LOOPBACK, port))
    a_moment()
    conn.close()


def in_a_namespace():
    if LIBC.unshare(CLONE_NEWNET) == 0:
        listener = listen()
        LIBC.prctl(PR_SET_NAME, f"v-{listener.getsockname()[1]}".encode())
        listener.listen()
        a_moment()


def again_and_again(work, at_once):
    alive = set()
    while True:
        alive.add(start(work))
        if len(alive) >= at_once:
            alive.discard(os.wait()[0])


def change_processes():
    start(lambda: again_and_again(live_for_a_moment, 40))
    return "processes"


def change_namespaces():
    start(lambda: again_and_again(in_a_namespace, 8))
    return "namespaces"


def main():
    begin = {"sockets": change_sockets, "processes": change_processes, "namespaces": change_namespaces}[sys.argv[1]]
    print(begin(), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
