"""Two networks that are not connected and have the same addresses and ports, as containers of two bridges may have."""

import subprocess
from types import SimpleNamespace

import pytest

import privileges
import program
from knocks import start_hung, start_knocking
from netns import Namespaces
from sockets import wait_for
from software import Software

PORT, COUNT, FIRST_PORT = 8082, 20, 41000
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))


@pytest.fixture(scope="module")
def seen():
    software, namespaces = Software(), Namespaces()
    try:
        full, silent = namespaces.pair(), namespaces.pair()
        start_hung(software, full.service, PORT)
        # No answer leaves the other service: its host is there, and it is silent.
        blackhole = ["blackhole", f"{silent.peer_address}/32"]
        subprocess.run(["ip", "-n", silent.service, "route", "add", *blackhole], check=True)
        for pair in full, silent:
            start_knocking(software, pair.peer, pair.service_address, PORT, COUNT, FIRST_PORT)
        seen = SimpleNamespace(full=full, silent=silent)

        def are_told():
            seen.diagnosis = program.diagnose(sampled=True)
            return about(seen, full.service) and about(seen, silent.peer)

        wait_for(are_told, "both faults are told", 40)
        yield seen
    finally:
        software.stop_all()
        namespaces.remove_all()


def about(seen, netns):
    return [f for f in seen.diagnosis["findings"] if f["netns"] == netns]


def test_the_full_queue_is_told_with_the_syns_that_come_to_it(seen):
    (found,) = about(seen, seen.full.service)
    assert found["id"] == "accept-queue-overflow"
    (waiting,) = [line for line in found["evidence"] if "trying to connect to it (SYN_SENT)" in line]
    assert int(waiting.split()[0]) < COUNT, waiting
    assert about(seen, seen.full.peer) == [], "the full queue is why"


def test_syns_of_the_other_network_are_not_put_down_to_that_queue(seen):
    (found,) = about(seen, seen.silent.peer)
    assert (found["id"], found["count"]) == ("syn-sent-unanswered", COUNT)
    gap = seen.diagnosis.gap("ends-ambiguous")
    assert gap and "isolated containers" in gap["text"]
