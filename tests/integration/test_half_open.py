"""Half-open connections: a host that lost its power does not know those that its clients keep; and what looks like it.

A host is a namespace: it loses its power when its cable is cut, its processes are killed, and it is gone. Another one
gets its address and its service. All scenes run side by side.
"""

import contextlib
import os
import signal
import subprocess
import time
from types import SimpleNamespace

import pytest

import program
from netns import Namespaces, Pair, ip
from scenes import wait_established
from sockets import sockets, wait_for
from software import PORT, REQUEST, Software, why_missing

OLD, NEW = 12, 3
SNAPSHOTS = 30
SETTLES_S = 120  # it wants a hundred times as long as the snapshots take, which is seconds on a busy machine
REDIRECT = f"""
    table ip moved {{
        chain prerouting {{ type nat hook prerouting priority -100; tcp dport {PORT} redirect to :{PORT + 1}; }}
    }}
"""

pytestmark = [pytest.mark.skipif(why_missing("nginx") is not None, reason=str(why_missing("nginx"))),
              pytest.mark.finding("half-open", "quiet")]


class Restarted(Pair):
    """With addresses that no other namespace has: else nobody can say whose they are."""
    service_address, peer_address = "10.178.1.1", "10.178.1.2"


class Resting(Pair):
    service_address, peer_address = "10.178.2.1", "10.178.2.2"


class Redirected(Pair):
    service_address, peer_address = "10.178.3.1", "10.178.3.2"


def clients(software, pair, count, port=PORT):
    """That have asked once, and rest: `service` is their host, and `peer` that of their server."""
    crowd = software.crowd(pair.service)
    crowd.do("open", address=pair.peer_address, port=port, count=count)
    crowd.do("send", text=REQUEST)
    crowd.do("receive", until="hello\n")
    return crowd


def lose_power(pair, nginx):
    """No FIN and no reset gets out. The kernel's orphans keep the namespace for minutes, out of everybody's sight."""
    ip("-n", pair.peer, "link", "set", pair.peer_link, "down")
    for pid in [nginx.pid, *map(int, open(f"/proc/{nginx.pid}/task/{nginx.pid}/children").read().split())]:
        os.kill(pid, signal.SIGKILL)
    nginx.wait()
    ip("-n", pair.peer, "link", "delete", pair.peer_link)


def restarted(namespaces, software):
    pair = Restarted(namespaces.add(), namespaces.add())
    nginx = software.nginx(pair.peer, keepalive_timeout="600s")
    crowds = [clients(software, pair, OLD)]
    lose_power(pair, nginx)
    subprocess.run(["ip", "netns", "delete", pair.peer], check=True)
    again = Restarted(pair.service, namespaces.add())
    software.nginx(again.peer, keepalive_timeout="600s")
    crowds.append(clients(software, again, NEW))
    return SimpleNamespace(client=again.service, server=again.peer, crowds=crowds)


def resting(namespaces, software):
    """A look-alike: nothing has happened, and both ends are there."""
    pair = Resting(namespaces.add(), namespaces.add())
    software.nginx(pair.peer, keepalive_timeout="600s")
    return SimpleNamespace(client=pair.service, server=pair.peer, crowds=[clients(software, pair, OLD + NEW)])


def redirected(namespaces, software):
    """A look-alike: the server's host redirects the port, which another program listens on too."""
    pair = Redirected(namespaces.add(), namespaces.add())
    software.nginx(pair.peer, keepalive_timeout="600s")
    software.nginx(pair.peer, port=PORT + 1, keepalive_timeout="600s")
    crowds = [clients(software, pair, NEW)]
    subprocess.run(["ip", "netns", "exec", pair.peer, "nft", "-f", "-"], input=REDIRECT.encode(), check=True)
    crowds.append(clients(software, pair, OLD))
    return SimpleNamespace(client=pair.service, server=pair.peer, crowds=crowds)


SCENES = [restarted, resting, redirected]


@pytest.fixture(name="scenes", scope="module")
def _scenes():
    with contextlib.ExitStack() as stack:
        namespaces, software = Namespaces(), Software()
        stack.callback(namespaces.remove_all)
        stack.callback(software.stop_all)
        scenes = {}
        for scene in SCENES:
            scenes[scene.__name__] = made = scene(namespaces, software)
            wait_established(made.client, OLD + NEW)
        yield SimpleNamespace(software=software, **scenes)


@pytest.fixture(name="old", scope="module")
def _old(scenes, tmp_path_factory):
    """When they have rested for long enough."""
    folder = tmp_path_factory.mktemp("old")
    wait_for(lambda: half_open(both(scenes.restarted, folder)), "the snapshots show it", SETTLES_S)
    return scenes


def capture(netns, path, *command):
    with open(path, "wb") as out:
        subprocess.run(["ip", "netns", "exec", netns, *(command or ("ss", "-tanpiemo"))], stdout=out, check=True)
    return path


def both(scene, folder, *command):
    """Both hosts, the server's seen first, by another command where that is given."""
    server = capture(scene.server, folder / "server", *command)
    return program.diagnose("--from", server, "--from", capture(scene.client, folder / "client"))


def half_open(report):
    return [finding for finding in report["findings"] if finding["id"] == "half-open"]


@pytest.mark.finding("half-open", "fires")
def test_the_other_host_was_restarted(old, tmp_path):
    (finding,) = half_open(both(old.restarted, tmp_path))
    assert (finding["count"], finding["severity"], finding["confidence"], finding["fault"]) == (
        OLD, "warning", "likely", "peer-or-path")
    assert finding["owner"]["pid"] == old.restarted.crowds[0].pid and finding["host"] == "client"
    assert "server does not know" in finding["title"]
    assert any(f"{NEW} other connections" in line for line in finding["evidence"])


@pytest.mark.finding("half-open", "fires")
def test_whichever_is_seen_first(old, tmp_path):
    def seen_later():
        client = capture(old.restarted.client, tmp_path / "client")
        server = capture(old.restarted.server, tmp_path / "server")
        return half_open(program.diagnose("--from", client, "--from", server))

    (finding,) = wait_for(seen_later, "the snapshots show it", SETTLES_S)
    assert (finding["count"], finding["confidence"]) == (OLD, "likely")


@pytest.mark.finding("half-open", "fires")
def test_in_one_snapshot_of_both_namespaces(old):
    def live():
        report = program.diagnose()
        return [finding for finding in half_open(report) if finding["owner"]["pid"] == old.restarted.crowds[0].pid]

    (finding,) = wait_for(live, "the host shows it", SETTLES_S)
    assert (finding["count"], finding["severity"], finding["confidence"]) == (OLD, "warning", "likely")
    assert f"network namespace {old.restarted.server}" in finding["title"]


@pytest.mark.parametrize("name", ["resting", "redirected"])
def test_what_is_known_there_is_not_half_open(old, name, tmp_path):
    scene = getattr(old, name)
    for report in (both(scene, tmp_path), program.diagnose("--from", tmp_path / "client")):
        assert half_open(report) == [] and report.gap("ends-unknown") is None
    pids = {crowd.pid for crowd in scene.crowds}
    assert not [f for f in half_open(program.diagnose()) if f["owner"]["pid"] in pids]


@pytest.mark.parametrize("command", [
    ("ss", "-tlnp"),  # listeners only
    ("ss", "-tanp", "state", "time-wait"),
    ("ss", "-tanpiemo", "sport", "=", ":22"),
    ("sh", "-c", "ss -tanpiemo | head -2"),
], ids=" ".join)
def test_a_snapshot_that_was_filtered_proves_nothing(old, tmp_path, command):
    (tmp_path / "server").write_text("")
    server = capture(old.resting.server, tmp_path / "server", *command)
    if len(server.read_text().splitlines()) < 2:  # a header alone is no snapshot
        with open(server, "a", encoding="utf-8") as out:
            out.write("LISTEN 0 128 10.177.0.2:22 0.0.0.0:*\n")
    report = program.diagnose("--from", server, "--from", capture(old.resting.client, tmp_path / "client"))
    assert [(f["severity"], f["confidence"]) for f in half_open(report)] == []


def test_what_was_opened_between_is_not_half_open(old, tmp_path):
    server = capture(old.resting.server, tmp_path / "server")
    crowd = clients(old.software, SimpleNamespace(service=old.resting.client, peer_address=Resting.peer_address), OLD)
    time.sleep(1.5)
    report = program.diagnose("--from", server, "--from", capture(old.resting.client, tmp_path / "client"))
    assert half_open(report) == []
    crowd.do("close")


def test_what_was_closed_between_is_not_half_open(old, tmp_path):
    """The client's snapshot still has them; then they are closed, and a moment later the server's is taken."""
    crowd = clients(old.software, SimpleNamespace(service=old.resting.client, peer_address=Resting.peer_address), NEW)
    time.sleep(2)
    client = capture(old.resting.client, tmp_path / "client")
    crowd.do("close")
    wait_for(lambda: len([s for s in sockets(old.resting.server) if s.local[1] == PORT and s.state != "LISTEN"]) ==
             OLD + NEW, "the server has closed too")
    report = program.diagnose("--from", client, "--from", capture(old.resting.server, tmp_path / "server"))
    assert half_open(report) == []


def test_nothing_comes_and_goes(old, tmp_path):
    """Pairs of snapshots that took too long to make are not counted: they prove nothing about that moment."""
    def seen(folder):
        folder.mkdir()
        server = capture(old.restarted.server, folder / "server")
        client = capture(old.restarted.client, folder / "client")
        took_s = client.stat().st_mtime - server.stat().st_mtime
        return half_open(program.diagnose("--from", server, "--from", client)), took_s

    wait_for(lambda: len(half_open(both(old.restarted, tmp_path))) == 1, "the snapshots show it", SETTLES_S)
    begun, told = time.time(), []
    for number in range(SNAPSHOTS * 4):
        findings, took_s = seen(tmp_path / str(number))
        if took_s * 150 < time.time() - begun + 30 or findings:
            told.append([(f["title"], f["count"], f["severity"], f["confidence"]) for f in findings])
        if len(told) == SNAPSHOTS:
            break
    assert len(told) == SNAPSHOTS and told == [told[0]] * SNAPSHOTS
