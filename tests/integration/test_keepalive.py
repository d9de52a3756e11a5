"""No finding comes and goes on a host where nothing changes: 30 diagnoses of lasting faults, with any keepalive.

All faults exist at the same time. Each has keepalive of 1, 5, 15 and 60 s, and none. A Go server leaks with Go's
default keepalive, and a Node server with its own.
"""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import privileges
import program
from faults import keepalive
from faults.stage import Stage
from netns import Namespaces
from software import PROGRAMS, Software, go_program, why_missing
from sockets import sockets, wait_for

CONFIDENCES = ("possible", "likely", "certain")
LOOKS, PAUSE_S = 30, 0.3
SETTLED_S = 31  # unread data and closed windows are judged after 30 s
YOUNG_S = 4  # connections that were closed less than 5 s ago are normal
LEAKED, GO_PORT, NODE_PORT = 150, 7001, 7002
# Of a minute: the test has no time to wait.
CONFIGURATION = "[close-wait-leak]\ncritical_age = 20s\n[established-not-accepted]\nwarning_age = 20s\n"
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))


def clients(address, port, count):
    """Send something, wait, and shut down their sending side."""
    conns = [keepalive.connect(address, port) for _ in range(count)]
    for conn in conns:
        conn.sendall(b"hello\n")
    yield
    for conn in conns:
        conn.shutdown(keepalive.socket.SHUT_WR)
    yield


class Seen:
    """30 diagnoses of everything."""

    def __init__(self):
        self.scenes = []  # (finding, seconds, port)
        self.diagnoses, self.young, self.old, self.confirmed = [], [], [], None
        self.runtimes = {}


def start_runtimes(seen, software, stage, pair):
    if not why_missing("go"):
        software.start(pair.service, go_program(software, "leak"), f"0.0.0.0:{GO_PORT}")
        seen.runtimes["go"] = GO_PORT
    if not why_missing("node"):
        software.start(pair.service, "node", PROGRAMS / "server.js", "keeps", NODE_PORT)
        seen.runtimes["node"] = NODE_PORT
    roles = []
    for name, port in seen.runtimes.items():
        wait_for(lambda: any(s.local[1] == port for s in sockets(pair.service)), f"{name} listens")
        roles.append(stage.start("ka-clients", clients(pair.service_address, port, LEAKED), pair.peer))
    return roles


def look(pair, *words):
    return program.diagnose("--netns", "self", *words, netns=pair.service, sampled=True)


def set_faults(stage, pair, faults):
    service = stage.start("ka-service", keepalive.service(pair.service_address, faults), pair.service)
    scenes = service.said["scenes"]
    peer = stage.start("ka-peer", keepalive.peer(pair.service_address, scenes, faults), pair.peer)
    service.step()
    return service, peer, scenes


@pytest.fixture(scope="module")
def seen():
    software, namespaces, stage = Software(), Namespaces(), Stage()
    seen = Seen()
    config = software.folder / "tcpwhy.conf"
    config.write_text(CONFIGURATION)
    looking = ThreadPoolExecutor(2)
    try:
        pair, broken = namespaces.pair(), namespaces.pair()
        # A scene is known by its port, so the services must get different ones.
        for netns, ports in (pair.service, "20000 39999"), (broken.service, "40000 59999"):
            subprocess.run(["ip", "netns", "exec", netns, "sysctl", "-qw", f"net.ipv4.ip_local_port_range={ports}"],
                           check=True)
        runtimes = start_runtimes(seen, software, stage, pair)
        young_service = stage.start("ka-young", keepalive.slow_to_close(pair.service_address, 40), pair.service)
        seen.young_port = young_service.said["port"]
        young = stage.start("ka-young-peer", keepalive.clients_that_go(
            pair.service_address, seen.young_port, 40), pair.peer)
        young_service.step()
        probed_from = time.monotonic()  # keepalive of the young ones began then
        scenes = []
        for faults in keepalive.FAULTS, keepalive.INHERITED:
            service, peer, set_here = set_faults(stage, pair, faults)
            scenes += set_here
            peer.step()
            service.step()
        broken_service, broken_peer, broken_scenes = set_faults(stage, broken, keepalive.UNANSWERED)
        broken_peer.step()
        subprocess.run(["ip", "-n", broken.peer, "link", "set", broken.peer_link, "down"], check=True)
        broken_service.step()
        began = time.monotonic()
        time.sleep(2.4)
        for role in runtimes:
            role.step()
        time.sleep(max(0, began + 10 - time.monotonic()))
        # Not at a whole number of seconds after it: keepalive's timers fire then, and an ACK may answer a probe.
        time.sleep((probed_from + 0.5 - time.monotonic()) % 1)
        closed = time.monotonic()
        young.step()
        young_service.step()
        for _ in range(4):
            diagnosis = look(pair, "--port", seen.young_port)
            if time.monotonic() - closed > YOUNG_S:  # on a busy machine
                break
            seen.young.append(diagnosis)
            time.sleep(PAUSE_S)
        young_service.step()
        time.sleep(max(0, began + SETTLED_S - time.monotonic()))
        seen.scenes = scenes + broken_scenes
        for number in range(LOOKS):
            here = looking.submit(look, pair, "--config", config)
            there = looking.submit(look, broken)
            seen.diagnoses.append(here.result())
            seen.diagnoses[-1]["findings"] += there.result()["findings"]
            if number % 10 == 0:
                counted = program.run("count", "--netns", "self", "--state", "close-wait", "--older", "20s", "--json",
                                      netns=pair.service)
                seen.old.append(json.loads(counted.stdout))
            time.sleep(PAUSE_S)
        seen.confirmed = look(pair, "--config", config, "--confirm", "3")
        yield seen
    finally:
        stage.clear()
        software.stop_all()
        namespaces.remove_all()


def about(diagnosis, port):
    return [f for f in diagnosis["findings"] if f["local"] and f["local"]["port"] == port]


def scene(seen, finding, seconds):
    return next(port for fault, after, port in seen.scenes if (fault, after) == (finding, seconds))


@pytest.mark.parametrize("seconds", keepalive.TIMES_S)
@pytest.mark.parametrize("finding", [*keepalive.FAULTS, *keepalive.INHERITED, *keepalive.UNANSWERED])
def test_a_fault_that_lasts_is_found_in_every_look(seen, finding, seconds):
    port = scene(seen, finding, seconds)
    found = [about(diagnosis, port) for diagnosis in seen.diagnoses]
    told = [[(f["id"], f["count"], f["severity"]) for f in findings] for findings in found]
    assert [[id for id, *_ in findings] for findings in told] == [[finding]] * LOOKS
    assert {str(findings) for findings in told} == {str(told[-1])} and told[-1][0][1] == keepalive.COUNT
    confidences = [CONFIDENCES.index(findings[0]["confidence"]) for findings in found]
    assert confidences == sorted(confidences), "it may become more certain with the time, not less"


@pytest.mark.parametrize("runtime", ["go", "node"])
def test_a_leak_of_a_runtime_with_keepalive_is_critical_in_every_look(seen, runtime):
    if runtime not in seen.runtimes:
        pytest.skip(why_missing(runtime))
    told = [[(f["id"], f["count"], f["severity"]) for f in about(d, seen.runtimes[runtime])] for d in seen.diagnoses]
    assert told == [[("close-wait-leak", LEAKED, "critical")]] * LOOKS


def test_the_age_says_what_is_known_of_it(seen):
    for seconds in keepalive.TIMES_S[1:4]:
        for diagnosis in seen.diagnoses:
            (leak,) = about(diagnosis, scene(seen, "close-wait-leak", seconds))
            age = leak["age_s"]
            assert age["at_least"] and age["oldest"] <= seconds + 0.5
            assert age["reset_by_keepalive"] > 0
            assert SETTLED_S <= age["quiet"] <= age["oldest_at_most"]
            assert any("set that clock back" in line or "sets that clock back" in line for line in leak["evidence"])
            assert leak["confidence"] == "likely"
    (exact,) = about(seen.diagnoses[0], scene(seen, "close-wait-leak", 0))
    assert exact["age_s"]["oldest"] >= SETTLED_S and "reset_by_keepalive" not in exact["age_s"]


def test_a_second_look_gives_a_lower_bound(seen):
    for seconds in (1, 5):
        (leak,) = about(seen.confirmed, scene(seen, "close-wait-leak", seconds))
        assert leak["age_s"]["oldest"] >= 2.9
        assert min(c["age_s"] for c in leak["connections"]) >= 2.9


def test_older_takes_in_what_may_be_older(seen):
    kept = sum(keepalive.COUNT for fault, *_ in seen.scenes if fault.startswith("close-wait-")) \
        + LEAKED * len(seen.runtimes)
    counts = [sum(group["count"] for group in counted["groups"]) for counted in seen.old]
    assert counts == [kept] * len(counts)


def test_connections_that_have_just_been_closed_do_not_become_old(seen):
    """Idle for 10 s with keepalive of 15 s, then closed by the clients, and diagnosed at once."""
    assert seen.young
    assert [d["totals"]["by_state"].get("CLOSE_WAIT") for d in seen.young] == [40] * len(seen.young)
    assert [about(d, seen.young_port) for d in seen.young] == [[]] * len(seen.young)
