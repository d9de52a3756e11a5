"""A peer that takes its window back: printers, devices, hosts without memory. Real software sends to it.

All scenes run side by side, on a pair of namespaces each; then thirty snapshots are taken of each.
"""

import os
import shutil
import socket
import sys
import time

import pytest

import privileges
import program
from netns import Namespaces
from scenes import crowd_of
from sockets import sockets, wait_for
from software import PORT, PROGRAMS, Software

JETDIRECT = 9100
CUPS = "/usr/lib/cups/backend/socket"
PRINTERS = 12
STUCK_S = 36  # established-zero-window wants 30 s
LOOKS = 30


def printers(software, pair, how):
    device = software.start(pair.peer, sys.executable, PROGRAMS / "device.py", pair.peer_address, JETDIRECT, how,
                            stdout=-1)
    assert device.stdout.readline() == b"listens\n"
    job = software.folder / "job"
    job.write_bytes(b"x" * 400_000)
    os.chmod(job, 0o644)
    environment = {**os.environ, "DEVICE_URI": f"socket://{pair.peer_address}:{JETDIRECT}"}
    backends = [software.start(pair.service, CUPS, str(number), "user", "title", "1", "", job, env=environment)
                for number in range(PRINTERS)]
    wait_for(lambda: len([s for s in sockets(pair.service) if s.send_q > 0]) == PRINTERS, "the jobs are stuck", 30)
    return [backend.pid for backend in backends]


def downloads(software, pair, taken_back):
    """nginx sends a large file to clients that stop reading."""
    nginx = software.nginx(pair.service, keepalive_timeout=600)
    crowd = crowd_of(software, pair, 12, text="GET /big HTTP/1.1\r\nHost: service\r\n\r\n", until="HTTP/1.1")
    if taken_back:
        crowd.do("lower", receive_buffer=1)
        crowd.do("receive", until="\r\n")
    wait_for(lambda: len([s for s in sockets(pair.service) if s.send_q > 0]) == 12, "the downloads are stuck", 30)
    return [nginx.pid]
