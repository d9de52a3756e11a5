"""Two networks that are not connected and have the same addresses and ports, as containers of two bridges may have."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import privileges
import program
from knocks import start_hung, start_knocking
from netns import Namespaces
from sockets import on_port, sockets, wait_for
from software import Software, wait_listening

PORT, COUNT, FIRST_PORT, SNAPSHOTS = 8082, 20, 41000, 30
LEAK_PORT, LEAKED = 8083, 30
# Answers until the peer closes, and keeps the descriptors.
LEAKS = """
import signal, socket, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=64)
kept = []
while True:
    conn, _ = listener.accept()
    while conn.recv(65536):
        conn.sendall(b"answer")
    kept.append(conn)
"""
# Sends so many bytes, reads the answer, ends its stream, and closes, or waits for more.
CLIENTS = """
import signal, socket, sys
address, how = sys.argv[1], sys.argv[2]
port, count, first_port, size = map(int, sys.argv[3:])
conns = []
for number in range(count):
    conn = socket.create_connection((address, port), 20, ("", first_port + number))
    conn.sendall(b"x" * size)
    conn.recv(100)
    conn.shutdown(socket.SHUT_WR)
    if how == "waits":
        conns.append(conn)
    else:
        conn.close()
signal.pause()
"""
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
        seen = SimpleNamespace(full=full, silent=silent, **start_leaks(software, namespaces))

        def are_told():
            seen.diagnosis = program.diagnose(sampled=True)
            return about(seen, full.service) and about(seen, silent.peer) and about(seen, seen.leak.service)

        wait_for(are_told, "the faults are told", 40)
        seen.diagnoses = [program.diagnose(sampled=True) for _ in range(SNAPSHOTS)]
        yield seen
    finally:
        software.stop_all()
        namespaces.remove_all()


def start_leaks(software, namespaces):
    """Clients of one network are gone. Those of the other have the same addresses and ports, and wait for an answer."""
    leak, waits = namespaces.pair(), namespaces.pair()
    subprocess.run(["ip", "netns", "exec", leak.peer, "sysctl", "-qw", "net.ipv4.tcp_fin_timeout=1"], check=True)
    for pair, how, size in (leak, "closes", 10), (waits, "waits", 500):
        software.start(pair.service, sys.executable, "-c", LEAKS, LEAK_PORT)
        wait_listening(pair.service, LEAK_PORT)
        software.start(pair.peer, sys.executable, "-c", CLIENTS, pair.service_address, how, LEAK_PORT, LEAKED,
                       FIRST_PORT, size)
    wait_for(lambda: len(on_port(LEAK_PORT, "CLOSE_WAIT", leak.service)) == LEAKED, "the clients have closed")
    wait_for(lambda: all(s.remote[1] != LEAK_PORT for s in sockets(leak.peer)), "they are gone", 20)
    return {"leak": leak, "waits": waits}


def about(seen, netns):
    return findings_about(seen.diagnosis, netns)


def findings_about(diagnosis, netns):
    return [f for f in diagnosis["findings"] if f["netns"] == netns]


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


def test_a_leak_is_not_put_down_to_clients_of_the_other_network(seen):
    for diagnosis in seen.diagnoses:
        (found,) = findings_about(diagnosis, seen.leak.service)
        assert (found["id"], found["count"], found["fault"]) == ("close-wait-leak", LEAKED, "local-application")
        assert found["severity"] != "info" and "other_ends" not in found


def test_nothing_comes_and_goes(seen):
    for netns in seen.full.service, seen.full.peer, seen.silent.peer, seen.leak.service, seen.waits.service:
        told = [[(f["id"], f["count"]) for f in findings_about(diagnosis, netns)] for diagnosis in seen.diagnoses]
        assert told == [told[0]] * SNAPSHOTS, netns
