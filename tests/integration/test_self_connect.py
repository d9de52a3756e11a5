"""self-connect: clients that connected to themselves by chance, as in practice; and look-alikes."""

import os
import signal
import socket
import subprocess
import sys

import pytest

import privileges
import program
from netns import Namespaces
from sockets import wait_for

# Tries until the kernel chooses the port that it connects to. Then it does what `after` says, and waits.
CLIENT = """
import os, signal, socket, sys
family, address, port, after = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
for attempt in range(100000):
    client = socket.socket(family)
    try:
        client.connect((address, port))
        break
    except ConnectionRefusedError:
        client.close()
assert client.getsockname() == client.getpeername()
if after == "writes":
    client.setblocking(False)
    try:
        while True:
            client.send(b"x" * 65536)
    except BlockingIOError:
        pass
if after == "forks":
    os.fork()
print(attempt, flush=True)
signal.pause()
"""
# name: family, address, port, what the client does afterwards
CLIENTS = {
    "idle": (socket.AF_INET, "127.0.0.1", 40010, "waits"),
    "writes": (socket.AF_INET, "127.0.0.1", 40020, "writes"),
    "ipv6": (socket.AF_INET6, "::1", 40030, "waits"),
    "mapped": (socket.AF_INET6, "::ffff:127.0.0.1", 40040, "waits"),
    "forks": (socket.AF_INET, "127.0.0.1", 40050, "forks"),
}
SWAPPED = """
import signal, socket
one = socket.create_server(("127.0.0.1", 40101))
client = socket.create_connection(one.getsockname()[:2], source_address=("127.0.0.1", 40103))
server = one.accept()[0]
other = socket.create_server(("127.0.0.2", 40105))
same_port = socket.create_connection(("127.0.0.2", 40105), source_address=("127.0.0.1", 40105))
third = other.accept()[0]
print("ready", flush=True)
signal.pause()
"""


def start(netns, code, *words):
    process = subprocess.Popen(["ip", "netns", "exec", netns, sys.executable, "-c", code, *map(str, words)],
                               stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout.readline().strip(), "the program has not got there"
    return process


@pytest.fixture(scope="module")
def stage():
    if reason := privileges.without_netns():
        pytest.skip(reason)
    namespaces, processes = Namespaces(), {}
    try:
        netns = namespaces.add(ports=(40000, 40099))
        for name, (family, address, port, after) in CLIENTS.items():
            processes[name] = start(netns, CLIENT, int(family), address, port, after)
        processes["look-alikes"] = start(netns, SWAPPED)
        yield netns, processes
    finally:
        for process in processes.values():
            os.killpg(process.pid, signal.SIGKILL)  # kill(1) of procps 4.0.2 takes the first digit for the group
            process.wait()
            process.stdout.close()
        namespaces.remove_all()


@pytest.fixture(scope="module")
def report(stage):
    netns, _ = stage
    wait_for(lambda: "persist" in subprocess.run(["ss", "-N", netns, "-tanHo"], capture_output=True, text=True,
                                                 check=True).stdout, "the writer's persist timer")
    return program.diagnose("--netns", "self", netns=netns)


@pytest.mark.finding("self-connect", "fires")
@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_has_met_itself_is_told_from_one_row(stage, report, name):
    _, processes = stage
    port = CLIENTS[name][2]
    (found,) = [f for f in report["findings"] if f["remote"]["port"] == port]
    assert (found["id"], found["severity"], found["confidence"]) == ("self-connect", "warning", "certain")
    assert found["fault"] == "local-application" and found["count"] == 1
    assert found["owner"]["pid"] == processes[name].pid
    assert f"keeps port {port}" in found["title"]
    assert "stopped reading" not in found["title"] + found["why"]
    assert any("Nobody listens" in line for line in found["evidence"])


def test_its_service_cannot_bind(stage):
    netns, _ = stage
    bind = ("import socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
            "s.bind(('127.0.0.1', 40010))")
    done = subprocess.run(["ip", "netns", "exec", netns, sys.executable, "-c", bind], capture_output=True, text=True)
    assert "Address already in use" in done.stderr


@pytest.mark.finding("self-connect", "quiet")
def test_two_sockets_are_no_connection_with_itself(stage, report):
    _, processes = stage
    assert report.findings_of(processes["look-alikes"].pid) == []
    assert len([f for f in report["findings"] if f["id"] == "self-connect"]) == len(CLIENTS)


@pytest.mark.parametrize("source", ["netlink", "proc", "bpf"])
def test_every_source_shows_it(stage, source):
    netns, _ = stage
    found = program.diagnose("--netns", "self", "--source", source, netns=netns)["findings"]
    assert [f["id"] for f in found] == ["self-connect"] * len(CLIENTS)


@pytest.mark.parametrize("command", ["ss -tan", "ss -tanp", "ss -tanpiemo"])
def test_so_does_a_capture(stage, tmp_path, command):
    netns, _ = stage
    text = subprocess.run(["ip", "netns", "exec", netns, *command.split()], capture_output=True, check=True).stdout
    capture = tmp_path / "capture"
    capture.write_bytes(text)
    found = program.diagnose("--from", capture)["findings"]
    assert [(f["id"], f["confidence"]) for f in found] == [("self-connect", "certain")] * len(CLIENTS)


def test_a_second_look_confirms_it_although_it_talks_to_itself(stage):
    netns, _ = stage
    found = program.diagnose("--netns", "self", "--confirm", "1", netns=netns)["findings"]
    assert [f["id"] for f in found] == ["self-connect"] * len(CLIENTS)
