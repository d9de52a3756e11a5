"""A listener that never accepts, and clients that knock at it: programs for Software.start()."""

import sys

from software import wait_listening

HUNG = """
import signal, socket, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=1)
signal.pause()
"""
KNOCKS = """
import signal, socket, sys
address, port, count, first_port = sys.argv[1], *map(int, sys.argv[2:])
conns = [socket.socket() for _ in range(count)]
for number, conn in enumerate(conns):
    conn.bind(("", first_port + number if first_port else 0))
    conn.setblocking(False)
    conn.connect_ex((address, port))
signal.pause()
"""


def start_hung(software, netns, port):
    software.start(netns, sys.executable, "-c", HUNG, port)
    wait_listening(netns, port)


def start_knocking(software, netns, address, port, count, first_port=0):
    software.start(netns, sys.executable, "-c", KNOCKS, address, port, count, first_port)
