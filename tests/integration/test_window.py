"""A peer that reduces its window below what it has promised: printers, devices, hosts without memory. Real software
sends.

The peer's kernel has announced a window, and then has no memory for the data. It drops the data and answers with a
zero window. Linux then keeps the retransmit timer and counts no retransmission (tcp_retransmit_timer()). The senders
hold their descriptors. There is a scene for each state in which data can wait to be sent. Each scene has a
look-alike: the same on a path that loses the data. All scenes run at the same time; then many snapshots are taken.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

import program
from netns import Namespaces
from scenes import ADDRESS, PATH, PEER, freeze, lose, nginx_pids
from software import PROGRAMS, REQUEST, Software, children, wait_listening, why_missing
from sockets import sockets, wait_for

CUPS = "/usr/lib/cups/backend/socket"
COUNT, SIZE = 12, 60_000
SETTLED_S = 34  # ESTABLISHED is judged after 30 s
SNAPSHOTS = 30
PART = f"GET /big HTTP/1.1\r\nHost: service\r\nRange: bytes=0-{SIZE - 1}\r\nConnection: close\r\n\r\n"
WHOLE = "GET /big HTTP/1.1\r\nHost: service\r\n\r\n"
LINGERING = {"lingering_close": "always", "lingering_time": "300s", "lingering_timeout": "300s"}


class Place:
    """Where one scene runs: its port, and whether the clients reduce their windows or the path loses the data."""

    def __init__(self, software, pair, port, taken_back):
        self.software, self.service, self.peer = software, pair.service, pair.peer
        self.port, self.taken_back = port, taken_back

    def wait(self, state):
        wait_for(lambda: len([s for s in sockets(self.service) if s.state == state and s.send_q > 1 and
                              self.port in (s.local[1], s.remote[1])]) == COUNT, f"{COUNT} are stuck in {state}", 30)

    def ask(self, text, shutdown=False):
        crowd = self.software.crowd(self.peer)
        crowd.do("open", address=ADDRESS, port=self.port, count=COUNT)
        if self.taken_back:
            crowd.do("lower")
        else:
            lose(self.peer, self.port, both_ways=False)
        crowd.do("send", text=text)
        if shutdown:
            crowd.do("shutdown")
        return crowd

    def says_all(self):
        server = self.software.start(self.service, sys.executable, PROGRAMS / "says_all.py", self.port, SIZE)
        wait_listening(self.service, self.port)
        return server

    def print_to(self, how):
        """CUPS sends jobs to a device, which then does what `how` says."""
        device = self.software.start(self.peer, sys.executable, PROGRAMS / "device.py", "10.177.0.2", self.port, how,
                                     stdout=subprocess.PIPE)
        assert device.stdout.readline() == b"listens\n"
        job = self.software.new_folder("job") / "job"
        with open(job, "wb") as data:
            data.truncate(16 << 20)
        environment = {**os.environ, "DEVICE_URI": f"socket://10.177.0.2:{self.port}"}
        return [self.software.start(self.service, CUPS, number, "user", "title", 1, "", job, env=environment).pid
                for number in range(COUNT)]


# --- the scenes: each returns the processes that hold the connections ------------------------------------------------

def cups_to_devices(place):
    pids = place.print_to("takes-back")
    place.wait("ESTABLISHED")
    return pids


def cups_to_devices_that_have_closed(place):
    pids = place.print_to("closes-half")
    place.wait("CLOSE_WAIT")
    return pids


def nginx_sends_a_file(place):
    nginx = place.software.nginx(place.service, place.port, send_timeout="300s")
    place.ask(WHOLE)
    place.wait("ESTABLISHED")
    return children(nginx.pid)


def node_answers_who_has_closed(place):
    server = place.software.node_server(place.service, "answers", place.port)
    place.ask(REQUEST, shutdown=True)
    place.wait("CLOSE_WAIT")
    return [server.pid]


def nginx_lingers(place):
    nginx = place.software.nginx(place.service, place.port, **LINGERING)
    place.ask(PART)
    place.wait("FIN_WAIT_1")
    return children(nginx.pid)


def python_shuts_down(place):
    server = place.says_all()
    place.ask(REQUEST)
    place.wait("FIN_WAIT_1")
    return [server.pid]


def nginx_stopped_while_it_lingers(place):
    nginx = place.software.nginx(place.service, place.port, **LINGERING)
    crowd = place.ask(PART)
    place.wait("FIN_WAIT_1")
    freeze(*nginx_pids(nginx))
    crowd.do("shutdown")
    place.wait("CLOSING")
    return children(nginx.pid)


def both_shut_down(place):
    server = place.says_all()
    crowd = place.ask(REQUEST)
    place.wait("FIN_WAIT_1")
    crowd.do("shutdown")
    place.wait("CLOSING")
    return [server.pid]


def python_shuts_down_last(place):
    server = place.says_all()
    place.ask("at the end", shutdown=True)
    place.wait("LAST_ACK")
    return [server.pid]


@dataclass(frozen=True)
class Case:
    scene: object
    finding: str
    tools: tuple = ()
    lost: str | None = None  # the finding if the path loses the data


CASES = [
    Case(cups_to_devices, "established-zero-window", (CUPS,)),
    Case(nginx_sends_a_file, "established-zero-window", ("nginx",), "established-unanswered"),
    Case(cups_to_devices_that_have_closed, "close-wait-blocked-writer", (CUPS,)),
    Case(node_answers_who_has_closed, "close-wait-blocked-writer", ("node",), "close-wait-blocked-writer"),
    Case(nginx_lingers, "fin-wait-1-zero-window", ("nginx",), "fin-wait-1-unanswered"),
    Case(python_shuts_down, "fin-wait-1-zero-window", (), "fin-wait-1-unanswered"),
    Case(nginx_stopped_while_it_lingers, "closing-unanswered", ("nginx",), "closing-unanswered"),
    Case(both_shut_down, "closing-unanswered", (), "closing-unanswered"),
    Case(python_shuts_down_last, "last-ack-zero-window", (), "last-ack-unanswered"),
]
KEYS = [(case, True) for case in CASES] + [(case, False) for case in CASES if case.lost]


def reads_slowly(place):
    """The look-alike of all scenes: a client reduces its window and continues to read."""
    place.software.nginx(place.service, place.port)
    place.ask(WHOLE).do("always_read")


def missing(case):
    return why_missing(*case.tools)


class Seen:
    def __init__(self):
        self.ports, self.pids, self.failed, self.diagnoses = {}, {}, {}, []

    def set(self, key, software, pair):
        case, taken_back = key
        port = self.ports[key] = 8100 + len(self.ports)
        try:
            self.pids[key] = case.scene(Place(software, pair, port, taken_back))
        except Exception as error:  # the other scenes can still run
            self.failed[key] = error

    def about(self, port):
        return [[f for f in diagnosis["findings"]
                 if port in ((f["local"] or {}).get("port"), (f["remote"] or {}).get("port"))]
                for diagnosis in self.diagnoses]


@pytest.fixture(scope="module")
def seen():
    software, namespaces, seen = Software(), Namespaces(), Seen()
    try:
        pair = namespaces.pair((40000, 49999), (50000, 59999))
        for key in KEYS:
            if not missing(key[0]):
                seen.set(key, software, pair)
        set_at = time.monotonic()
        if not why_missing("nginx"):
            reads_slowly(Place(software, pair, 8200, True))
        time.sleep(max(0, set_at + SETTLED_S - time.monotonic()))
        for _ in range(SNAPSHOTS):
            seen.diagnoses.append(program.diagnose("--netns", "self", netns=pair.service, sampled=True))
        yield seen
    finally:
        software.stop_all()
        namespaces.remove_all()


def told(seen, case, taken_back):
    key = case, taken_back
    if missing(case):
        pytest.skip(missing(case))
    if key in seen.failed:
        raise RuntimeError("the scene could not be set") from seen.failed[key]
    for found in seen.about(seen.ports[key]):
        (finding,) = found
        assert {p["pid"] for p in finding["processes"]} == set(seen.pids[key])
        yield finding


def ids(cases):
    return [pytest.param(case, id=case.scene.__name__.replace("_", "-")) for case in cases]


@pytest.mark.parametrize("case", ids(CASES))
def test_the_peer_that_takes_nothing_is_named(seen, case):
    """In each snapshot."""
    for finding in told(seen, case, True):
        assert (finding["id"], finding["count"], finding["fault"]) == (case.finding, COUNT, PEER)
        assert "stopped reading" in finding["title"] or "stopped taking" in finding["title"]
        assert any("took back the window" in line for line in finding["evidence"])
        assert finding["severity"] == ("warning" if case.finding.startswith("established") else "info")


@pytest.mark.parametrize("case", ids(case for case in CASES if case.lost))
def test_a_path_that_loses_is_told_from_it(seen, case):
    for finding in told(seen, case, False):
        assert (finding["id"], finding["count"], finding["fault"]) == (case.lost, COUNT, PATH)
        assert not any("window" in line for line in [finding["title"], *finding["evidence"]])


def test_a_client_that_reads_on_is_left_alone(seen):
    if why_missing("nginx"):
        pytest.skip(why_missing("nginx"))
    assert seen.about(8200) == [[]] * SNAPSHOTS
