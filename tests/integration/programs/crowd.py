"""python3 crowd.py — TCP connections that are controlled by lines of JSON on stdin, each [what, {argument: value}].

It answers each line with a line of JSON when the command is done. Threads of `always_…` continue in the background.
"""

import itertools
import json
import os
import socket
import sys
import threading
import time


class Crowd:
    def __init__(self):
        self.conns = []
        self.selves = {"received": 0, "failed": 0, "done": 0}

    def open(self, address, port, count, receive_buffer=None, keepalive_s=None, wait=True, sources=()):
        """`sources`: local addresses, used in turn. Without `wait` it only sends the SYNs."""
        for i in range(count):
            conn = socket.socket()
            if receive_buffer:
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if keepalive_s:
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive_s)
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, keepalive_s)
            if sources:
                conn.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
                conn.bind((sources[i % len(sources)], 0))
            conn.setblocking(wait)
            conn.connect_ex((address, port)) if not wait else conn.connect((address, port))
            self.conns.append(conn)
        return len(self.conns)

    def lower(self):
        """Reduces the receive buffers below the window that the server knows. The kernel drops what the server sends
        then."""
        for conn in self.conns:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def send(self, text):
        for conn in self.conns:
            conn.sendall(text.encode("latin-1"))

    def receive(self, until):
        """Reads from each connection until the received data ends with `until`."""
        for conn in self.conns:
            got = b""
            while not got.endswith(until.encode("latin-1")):
                more = conn.recv(65536)
                if not more:
                    raise EOFError(f"the server closed after {got!r}")
                got += more

    def shutdown(self):
        for conn in self.conns:
            conn.shutdown(socket.SHUT_WR)

    def close(self):
        for conn in self.conns:
            conn.close()
        self.conns = []

    def always_read(self):
        """Reads from all connections, in a thread each."""
        for conn in self.conns:
            threading.Thread(target=self._read, args=(conn,), daemon=True).start()

    def _read(self, conn):
        while more := conn.recv(65536):
            self.selves["received"] += len(more)

    def always_come_and_go(self, address, port, text, threads=1):
        """Short connections one after the other: send, read the answer, close first."""
        for _ in range(threads):
            arguments = (address, port, text.encode("latin-1"))
            threading.Thread(target=self._come_and_go, args=arguments, daemon=True).start()

    def _come_and_go(self, address, port, text):
        while True:
            try:
                with socket.create_connection((address, port), 10) as conn:
                    conn.sendall(text)
                    conn.recv(65536)
                self.selves["done"] += 1
            except OSError as error:
                self.selves["failed"] += 1
                self.selves["error"] = str(error)
                time.sleep(0.1)

    def always_knock(self, address, port, sources, a_second=60):
        """SYNs from one source after the other, each sent once: who sent it is gone before an answer comes."""
        threading.Thread(target=self._knock, args=(address, port, sources, 1 / a_second), daemon=True).start()

    def _knock(self, address, port, sources, pause_s):
        for source in itertools.cycle(sources):
            with socket.socket() as conn:
                conn.bind((source, 0))
                conn.setblocking(False)
                conn.connect_ex((address, port))
            time.sleep(pause_s)

    def tell(self):
        return self.selves


def main():
    crowd = Crowd()
    for line in sys.stdin:
        what, arguments = json.loads(line)
        print(json.dumps(getattr(crowd, what)(**arguments)), flush=True)
    os._exit(0)


main()
