"""A command that a report offers acts in the namespace of the fault, and changes nothing in the caller's."""

import json
import os
import signal
import subprocess
import sys

import pytest

import privileges
import program
from netns import Namespaces
from sockets import wait_for

SETTING = "net.ipv4.ip_local_port_range"
PORTS = "40000\t40099"
# A client that uses nearly all ports of its namespace for one destination.
CLIENT = """
import signal, socket
server = socket.create_server(("127.0.0.1", 9000), backlog=200)
kept = [socket.create_connection(("127.0.0.1", 9000)) for _ in range(97)]
print("ready", flush=True)
signal.pause()
"""


def setting(*entry):
    return subprocess.run([*entry, "sysctl", "-n", SETTING], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def crowded():
    if reason := privileges.without_netns():
        pytest.skip(reason)
    namespaces = Namespaces()
    try:
        name = namespaces.add((40000, 40099))
        client = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", CLIENT], stdout=subprocess.PIPE)
        assert client.stdout.readline() == b"ready\n"
        yield name, client
        client.send_signal(signal.SIGKILL)
        client.wait()
    finally:
        namespaces.remove_all()


def commands_of(found):
    return [fix["command"] for key in ("fix_now", "fix_for_good") for fix in found[key] if fix["command"]]


def test_what_widens_the_range_does_so_where_the_ports_are_short(crowded):
    name, _ = crowded
    before = setting()
    found = next(each for each in program.diagnose()["findings"]
                 if each["id"] == "port-exhaustion" and each["netns"] == name)
    commands = [command for command in commands_of(found) if SETTING in command]
    assert len(commands) == 1, commands
    assert setting("ip", "netns", "exec", name) == PORTS
    subprocess.run(commands[0], shell=True, check=True, stdout=subprocess.DEVNULL)
    assert setting("ip", "netns", "exec", name) == "10240\t40099"
    assert setting() == before
    texts = [fix["text"] for fix in found["fix_now"] if fix["command"] == commands[0]]
    assert "securityContext.sysctls" in texts[0]


def test_inside_the_namespace_nothing_is_entered(crowded):
    name, _ = crowded
    subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", f"{SETTING}={PORTS}"], check=True)
    diagnosis = program.diagnose("--netns", "self", netns=name)
    found = next(each for each in diagnosis["findings"] if each["id"] == "port-exhaustion")
    assert not [command for command in commands_of(found) if "nsenter" in command or "ip netns" in command]


@pytest.mark.parametrize("source", ["bpf", "netlink", "proc"])
def test_a_namespace_is_named_by_a_process_that_has_no_socket(crowded, source):
    name, _ = crowded
    with subprocess.Popen(["ip", "netns", "exec", name, "sleep", "60"]) as sleeper:
        try:
            wait_for(lambda: os.stat(f"/proc/{sleeper.pid}/ns/net").st_ino == os.stat(f"/run/netns/{name}").st_ino,
                     "the process is in its namespace")
            done = program.run("count", "--by", "netns", "--json", "--netns", sleeper.pid, "--source", source)
        finally:
            sleeper.kill()
    if source == "bpf" and done.returncode == program.FAILED:
        pytest.skip(done.stderr.decode())
    assert done.returncode == program.HEALTHY, done.stderr
    assert [row["netns"] for row in json.loads(done.stdout)["groups"]] == [name]
