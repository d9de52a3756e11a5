"""Two distant hosts: every packet between them is delayed."""

import subprocess
import sys

from netns import ip
from software import PROGRAMS

SERVICE, CLIENTS = "10.178.0.1", "10.178.0.2"


class FarApart:
    """`service` and `clients` are network namespaces. A third one between them delays every packet by `delay_s`."""

    def __init__(self, namespaces, software, delay_s):
        self.service, self.clients, between = (namespaces.add() for _ in range(3))
        for netns, link, address in ((self.service, "far-s", SERVICE), (self.clients, "far-c", CLIENTS)):
            ip("link", "add", "far", "netns", netns, "type", "veth", "peer", "name", link, "netns", between)
            ip("-n", netns, "address", "add", f"{address}/24", "dev", "far")
            ip("-n", netns, "link", "set", "far", "up")
            ip("-n", between, "link", "set", link, "up")
        relay = software.start(between, sys.executable, PROGRAMS / "slow_link.py", "far-s", "far-c", delay_s,
                               stdout=subprocess.PIPE)
        assert relay.stdout.readline() == b"carries\n"
