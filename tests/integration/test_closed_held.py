"""closed-held: descriptors of connections that no longer exist and that no table shows; and its look-alikes."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import privileges
import program
from netns import Namespaces
from sockets import wait_for

PROGRAMS = Path(__file__).parent / "programs"
REFUSE = [sys.executable, Path(__file__).parent / "refuse_calls.py"]
SETTLED_S = 6
# name: role of programs/keeps.py, count, and the finding: (count, severity), or None if nothing is found
SCENES = {
    "reset": ("reset", 30, (30, "warning")),
    "shut-down": ("shut-down", 25, (25, "warning")),
    "workers": ("workers", 4, (48, "warning")),
    "refused": ("refused", 24, (24, "warning")),
    "refused-later": ("refused-later", 22, (22, "warning")),
    "pool": ("pool", 20, (20, "info")),
    "only-made": ("only-made", 60, None),
    "only-bound": ("only-bound", 40, None),
    "not-tcp": ("not-tcp", 30, None),
    "closes": ("closes", 30, None),
    "no-tcp": ("no-tcp", 256, None),
}
FIRES = [name for name, (_, _, found) in SCENES.items() if found]
QUIET = [name for name, (_, _, found) in SCENES.items() if not found]
SERVERS = {
    "go": ("go", ["go", "build", "-o", "{folder}/keeps", PROGRAMS / "keeps.go"], ["{folder}/keeps"]),
    "java": ("javac", ["javac", "-d", "{folder}", PROGRAMS / "Keeps.java"],
             ["java", "-Xmx64m", "-XX:-UsePerfData", "-cp", "{folder}", "Keeps"]),
}
LIMIT, LEAKED = 256, 245


def in_netns(netns, *words, **how):
    return subprocess.Popen(["ip", "netns", "exec", netns, *map(str, words)], stdout=subprocess.PIPE,
                            start_new_session=True, **how)


def reset_from(netns, port, count):
    """Clients that send a request and reset."""
    code = f"""
import socket, struct, time
clients = [socket.create_connection(("127.0.0.1", {port})) for _ in range({count})]
for client in clients:
    client.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
time.sleep(1)
for client in clients:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
"""
    subprocess.run(["ip", "netns", "exec", netns, sys.executable, "-c", code], check=True)


class Stage:
    """All scenes at once, in one namespace."""

    def __init__(self, netns, folder):
        self.netns, self.processes, self.missing = netns, {}, {}
        self.building = {}
        for name, (tool, build, _) in SERVERS.items():
            if shutil.which(tool) is None:
                self.missing[name] = f"needs {tool}"
                continue
            self.building[name] = subprocess.Popen([str(word).format(folder=folder) for word in build],
                                                   env={**os.environ, "HOME": str(folder), "GOFLAGS": "-mod=mod"})
        for name, (role, count, _) in SCENES.items():
            # Each scene needs a program of its own, because processes of one program are one owner.
            script = shutil.copy(PROGRAMS / "keeps.py", folder / f"{name}.py")
            self.processes[name] = in_netns(netns, sys.executable, script, role, count)
        for process in self.processes.values():
            assert process.stdout.readline() == b"ready\n"
        for name, process in self.building.items():
            assert process.wait(60) == 0
            command = [str(word).format(folder=folder) for word in SERVERS[name][2]]
            limit = LIMIT if name == "go" else 4096
            self.processes[name] = in_netns(netns, "prlimit", f"--nofile={limit}", *command)
            port = int(self.processes[name].stdout.readline())
            reset_from(netns, port, LEAKED if name == "go" else 100)
        self.stood_at = time.monotonic()

    def pids(self, name):
        """The process and its children."""
        first = self.processes[name].pid
        return [int(pid) for pid in subprocess.run(["pgrep", "-g", str(first)], capture_output=True, text=True,
                                                   check=True).stdout.split()]

    def remove(self):
        for process in self.processes.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    if reason := privileges.without_netns():
        pytest.skip(reason)
    namespaces, made = Namespaces(), None
    try:
        made = Stage(namespaces.add(), tmp_path_factory.mktemp("servers"))
        time.sleep(SETTLED_S)
        yield made
    finally:
        if made:
            made.remove()
        namespaces.remove_all()


HOW = {
    "auto": ((), ()),
    "bpf": (("--source", "bpf"), ()),
    "netlink": (("--source", "netlink"), ()),
    "proc": (("--source", "proc"), ()),
    "by name only": (("--source", "netlink"), (*REFUSE, "pidfd_getfd", "bpf", "--")),
}


@pytest.fixture(scope="module")
def reports(stage):
    made = {}

    def look(how):
        if how not in made:
            words, before = HOW[how]
            made[how] = program.diagnose("--netns", "self", *words, netns=stage.netns, before=before)
        return made[how]

    return look


def gone(report, pids):
    return [found for found in report.findings_of(*pids) if found["id"] == "closed-held"]


@pytest.mark.finding("closed-held", "fires")
@pytest.mark.parametrize("how", ["auto", "bpf"])
@pytest.mark.parametrize("name", FIRES)
def test_it_is_found_with_its_owner(stage, reports, how, name):
    count, severity = SCENES[name][2]
    found = gone(reports(how), stage.pids(name))
    assert sum(f["count"] for f in found) == count
    assert {f["severity"] for f in found} == {severity}
    assert {f["fault"] for f in found} == {"local-application"}


@pytest.mark.finding("closed-held", "quiet")
@pytest.mark.parametrize("how", ["auto", "bpf", "netlink", "proc"])
@pytest.mark.parametrize("name", QUIET)
def test_what_looks_like_it_is_not(stage, reports, how, name):
    assert gone(reports(how), stage.pids(name)) == []


@pytest.mark.parametrize("how", ["netlink", "proc"])
@pytest.mark.parametrize("name", ["reset", "shut-down", "workers", "refused-later"])
def test_without_ebpf_it_is_found_too(stage, reports, how, name):
    found = gone(reports(how), stage.pids(name))
    assert sum(f["count"] for f in found) == SCENES[name][2][0]
    assert {f["confidence"] for f in found} == {"likely"}


def test_where_only_the_protocol_can_be_seen_it_is_said_as_that(stage, reports):
    report = reports("by name only")
    (found,) = gone(report, stage.pids("reset"))
    assert (found["count"], found["confidence"]) == (30, "possible")
    assert "or they were never connected" in found["title"]
    assert gone(report, stage.pids("not-tcp")) == []


@pytest.mark.parametrize("name", SERVERS)
def test_servers_of_real_languages(stage, reports, name):
    if name in stage.missing:
        pytest.skip(stage.missing[name])
    (found,) = gone(reports("auto"), [stage.processes[name].pid])
    assert found["count"] == (LEAKED if name == "go" else 100)
    assert found["local"]["port"] and found["owner"]["name"] in ("keeps", "java")
    if name == "go":
        assert found["severity"] == "critical"
        assert any(f"{LEAKED} of its {LIMIT} descriptors (95 %)" in line for line in found["evidence"])
        assert reports("auto").findings_of(stage.processes[name].pid) == [found], "one cause, one finding"


@pytest.mark.parametrize("how", ["auto", "bpf", "netlink", "proc"])
def test_descriptors_run_out_without_any_tcp_socket(stage, reports, how):
    (found,) = [f for f in reports(how).findings_of(*stage.pids("no-tcp"))]
    assert (found["id"], found["severity"]) == ("descriptor-exhaustion", "critical")
    assert "of them sockets" in found["title"]


def test_nothing_comes_and_goes(stage, reports):
    """What lasts is found each time; what is closed at once never is."""
    for _ in range(30):
        report = program.diagnose("--netns", "self", netns=stage.netns)
        assert gone(report, stage.pids("closes")) == []
        assert sum(f["count"] for f in gone(report, stage.pids("reset"))) == 30


def test_looking_leaves_the_error_to_its_owner():
    """getsockopt(SO_ERROR) would clear the error."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    clients = [socket.create_connection(listener.getsockname()) for _ in range(12)]
    accepted = [listener.accept()[0] for _ in clients]
    for client in clients:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    try:
        for source in ("netlink", "bpf"):
            program.diagnose("--source", source)
        wait_for(lambda: True, "the resets")
        assert {one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for one in accepted} == {104}
    finally:
        for one in (*accepted, listener):
            one.close()


def test_lsof_shows_the_same(stage, reports, tmp_path):
    if reason := privileges.without_tool("lsof"):
        pytest.skip(reason)
    pids = ",".join(map(str, stage.pids("reset")))
    text = subprocess.run(["ip", "netns", "exec", stage.netns, "lsof", "-nP", "-a", "-p", pids, "-d", "3-999"],
                          capture_output=True, check=False).stdout
    capture = tmp_path / "capture"
    capture.write_bytes(text)
    (found,) = program.diagnose("--from", capture)["findings"]
    assert (found["id"], found["count"], found["confidence"]) == ("closed-held", 30, "possible")
