"""Network namespaces for the tests, named tw-<pid>-<n>, and pairs of them joined by a veth pair."""

import contextlib
import itertools
import os
import re
import signal
import subprocess

PREFIX = "tw"


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL)


class Pair:
    """Two joined namespaces: `service` has 10.177.0.1, `peer` has 10.177.0.2."""

    service_address, peer_address = "10.177.0.1", "10.177.0.2"
    peer_link = "cable-p"

    def __init__(self, service, peer, ip=ip):
        self.service, self.peer = service, peer
        ip("link", "add", "cable-s", "netns", service, "type", "veth", "peer", "name", self.peer_link, "netns", peer)
        for netns, link, address in (
            (service, "cable-s", self.service_address), (peer, self.peer_link, self.peer_address)
        ):
            ip("-n", netns, "address", "add", f"{address}/24", "dev", link)
            ip("-n", netns, "link", "set", link, "up")

    def arguments(self):
        """Arguments for the makers that need two hosts."""
        return {"address": self.service_address, "service_netns": self.service, "peer_netns": self.peer}


class Namespaces:
    _numbers = itertools.count()

    def __init__(self):
        self._names = []
        _remove_stale()

    def add(self, ports=None):
        """`ports` is (first, last) of the ephemeral ports. With different ranges a port shows its namespace."""
        name = f"{PREFIX}-{os.getpid()}-{next(self._numbers)}"
        ip("netns", "add", name)
        self._names.append(name)
        ip("-n", name, "link", "set", "lo", "up")
        if ports:
            ip("netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_local_port_range={} {}".format(*ports))
        return name

    def pair(self, service_ports=None, peer_ports=None):
        return Pair(self.add(service_ports), self.add(peer_ports))

    def remove_all(self):
        for name in self._names:
            _remove(name)
        self._names = []


def _remove(name):
    """The namespace belongs to the tests, which have started every process in it, except another run's tcpwhy."""
    listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True)
    for pid in map(int, listed.stdout.split()):
        if pid != os.getpid() and not _only_looks(pid):
            with contextlib.suppress(ProcessLookupError):  # it has already ended
                os.kill(pid, signal.SIGKILL)
    subprocess.run(["ip", "netns", "delete", name], check=False)


def _only_looks(pid):
    """True for the tcpwhy of another run, which has entered the namespace for a moment."""
    try:
        with open(f"/proc/{pid}/comm") as comm:
            return comm.read().strip() in ("tcpwhy", "dump_source")
    except OSError:
        return True  # it has ended


def _remove_stale():
    """Removes namespaces that a killed run has left."""
    try:
        names = os.listdir("/run/netns")
    except FileNotFoundError:
        return
    for name in names:
        made_by = re.fullmatch(PREFIX + r"-(\d+)-\d+", name)
        if made_by and not os.path.exists(f"/proc/{made_by[1]}"):
            _remove(name)
