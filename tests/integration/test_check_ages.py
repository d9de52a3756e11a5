"""What tcpwhy check and metrics remember between runs: ages grow although keepalive resets the kernel's times.

The leaks exist at the same time, with keepalive of 1, 5, 15 and 60 s and without it. Another connection reuses
addresses and ports of an earlier one.
"""

import re
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import privileges
import program
from faults import keepalive
from faults.stage import Stage
from netns import Namespaces

RUNS, PAUSE_S = 14, 1
# Lower than the defaults (a minute, and 100), because the test has little time.
CONFIGURATION = "[close-wait-leak]\nwarning_count = 1\ncritical_count = 10\ncritical_age = 10s\n"
OLD_S = 7  # a connection that is too young to be a leak is younger
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))


def reused(address):
    """One connection at a time. It is not closed; a reset ends it at both ends."""
    listener = keepalive.listen(address)
    keepalive.set_keepalive(listener, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    yield {"port": keepalive.port_of(listener)}
    while True:
        conn = listener.accept()[0]
        keepalive.read_to_end(conn)
        yield
        conn.close()
        yield


def client_of_the_same_port(address, port):
    """Connects again and again from the same port."""
    own_port = 0
    while True:
        conn = socket.socket()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        conn.bind(("", own_port))
        own_port = keepalive.port_of(conn)
        conn.connect((address, port))
        conn.shutdown(socket.SHUT_WR)
        yield {"port": own_port}
        conn.close()


class Seen:
    def __init__(self):
        self.runs = {}  # keepalive in s: [(exit status, oldest_stuck in s)]
        self.ages = []  # in the metrics
        self.unkept = self.reused = self.reused_ports = None


def oldest_stuck(line):
    found = re.search(r"oldest_stuck=([0-9.]+)s", line)
    return float(found[1]) if found else None


class Checks:
    """Runs `tcpwhy check` and `tcpwhy metrics` in one namespace. Each run knows the results of the earlier ones."""

    def __init__(self, netns, folder):
        self.netns, self.folder = netns, folder
        self.config = folder / "tcpwhy.conf"
        self.config.write_text(CONFIGURATION)

    def check(self, *words, samples="samples"):
        done = program.run("check", "--timeout", 50, "--netns", "self", "--config", self.config, "--samples",
                           self.folder / samples, *words, netns=self.netns)
        return done.returncode, oldest_stuck(done.stdout.decode()), done.stdout.decode()

    def leak(self, port):
        return self.check("--port", port)[:2]

    def metrics(self, port):
        done = program.run("metrics", "--netns", "self", "--port", port, "--samples", self.folder / "samples",
                           netns=self.netns)
        found = re.search(r'^tcpwhy_oldest_age_seconds\{cause="close-wait-leak"\} ([0-9.]+)$', done.stdout.decode(),
                          flags=re.M)
        return float(found[1]) if found else None

    def old_leaks(self, port):
        """The number of leaks older than OLD_S."""
        status, _, text = self.check("--port", port, "--state", "close-wait", "--older", f"{OLD_S}s", "-w", "0")
        assert status in (program.HEALTHY, program.WARNING), text
        return int(status == program.WARNING)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    namespaces, stage, seen = Namespaces(), Stage(), Seen()
    try:
        pair = namespaces.pair()
        checks = Checks(pair.service, tmp_path_factory.mktemp("check"))
        (checks.folder / "foreign").mkdir(mode=0o777)
        (checks.folder / "foreign").chmod(0o777)
        leak = {"close-wait-leak": keepalive.FAULTS["close-wait-leak"]}
        service = stage.start("ages-service", keepalive.service(pair.service_address, leak), pair.service)
        scenes = service.said["scenes"]
        peer = stage.start("ages-peer", keepalive.peer(pair.service_address, scenes, leak), pair.peer)
        one = stage.start("ages-one", reused(pair.service_address), pair.service)
        service.step()
        peer.step()
        service.step()
        ports = {seconds: port for _, seconds, port in scenes}
        one_port = one.said["port"]
        client = stage.start("ages-client", client_of_the_same_port(pair.service_address, one_port), pair.peer)
        one.step()
        began = time.monotonic()
        old = []
        seen.runs = {seconds: [] for seconds in ports}
        with ThreadPoolExecutor(2) as pool:
            for number in range(RUNS):
                for seconds, run in zip(ports, pool.map(checks.leak, ports.values())):
                    seen.runs[seconds].append(run)
                seen.ages.append(checks.metrics(ports[1]))
                old.append(checks.old_leaks(one_port))
                time.sleep(max(0, began + (number + 1) * PAUSE_S - time.monotonic()))
        seen.lasted_s = time.monotonic() - began
        seen.unkept = checks.check("--port", ports[1], samples="foreign")
        first_port = client.said["port"]
        one.step()  # the connection is reset
        client.step()  # and made again
        one.step()
        reused_at = time.monotonic()
        old.append(checks.old_leaks(one_port))
        if time.monotonic() - reused_at < OLD_S - 2:  # on a busy machine it may have grown old itself
            seen.reused, seen.reused_ports = old, (first_port, client.said["port"])
        yield seen
    finally:
        stage.clear()
        namespaces.remove_all()


def test_a_leak_becomes_critical_and_stays_so_whatever_keepalive_does(seen):
    for seconds, runs in seen.runs.items():
        statuses = [status for status, _ in runs]
        assert statuses == sorted(statuses), f"keepalive of {seconds} s: {statuses}"
        assert statuses[-1] == program.CRITICAL, f"keepalive of {seconds} s: {statuses}"


def test_the_age_grows_from_run_to_run(seen):
    for seconds, runs in seen.runs.items():
        ages = [age for status, age in runs if status != program.HEALTHY]
        assert None not in ages and ages == sorted(ages), f"keepalive of {seconds} s: {ages}"
        # A connection that was no leak in the first runs is remembered only from then on.
        assert ages[-1] >= len(ages) * PAUSE_S * 0.9 - 1.5, f"keepalive of {seconds} s: {ages}"
    ages = [age for age in seen.ages if age is not None]
    assert ages == sorted(ages) and ages[-1] >= len(ages) * PAUSE_S * 0.9 - 1.5


def test_where_nothing_can_be_kept_no_age_is_drawn_that_keepalive_sets_back(seen):
    status, age, text = seen.unkept
    assert status == program.CRITICAL, "the finding does not depend on it"
    assert age is None and "oldest_stuck=U" in text
    assert "since when connections with keepalive are stuck is not kept" in text and "may be written by others" in text


def test_another_connection_between_the_same_ends_does_not_inherit_the_age(seen):
    if seen.reused is None:
        pytest.skip("the machine is too busy: the connection has become old by itself")
    assert len(set(seen.reused_ports)) == 1
    *before, after = seen.reused
    assert before == sorted(before) and before[-1] == 1, "the first one became old"
    assert after == 0, "its successor is young"
