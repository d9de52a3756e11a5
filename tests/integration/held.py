"""Connections whose peers have closed: CLOSE_WAIT. The test process holds them and can close them."""

import os
import socket
import time

PID = os.getpid()
SETTLED_S = 5.5  # younger ones count as normal


class Held:
    def __init__(self, count, read=True, listener=None):
        self.listener = listener or socket.create_server(("127.0.0.1", 0), backlog=count)
        self.port = self.listener.getsockname()[1]
        clients = [socket.create_connection(self.listener.getsockname()) for _ in range(count)]
        self._kept = [self.listener.accept()[0] for _ in range(count)]
        for client in clients:
            client.close()
        for kept in self._kept if read else ():
            assert kept.recv(1) == b"", "the end of the stream"
        self._since = time.monotonic()

    def settle(self):
        time.sleep(max(0.0, self._since + SETTLED_S - time.monotonic()))
        return self

    def close(self, count=None):
        for _ in range(count or len(self._kept)):
            self._kept.pop().close()
