"""Two findings with one cause name each other; and root that may see little is not told to be root."""

import os
import re
import socket
import subprocess
import time

import pytest

import privileges
import program
from sockets import wait_for
from test_drill import Drill, end_all

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
DRILLS = "descriptor-exhaustion", "established-not-accepted"
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))


@pytest.fixture(scope="module")
def found():
    """{drill: {finding: what is said of it}}"""
    drills = {}
    try:
        drills.update({finding: Drill(finding, "--for", "120") for finding in DRILLS})
        for drill in drills.values():
            drill.wait_until_it_stands()

        def findings(drill):
            return {f["id"]: f for f in program.diagnose("--netns", drill.netns_pid)["findings"]}

        for drill in drills.values():
            wait_for(lambda: "established-not-accepted" in findings(drill), f"{drill.finding} is told", 40)
        yield {finding: findings(drill) for finding, drill in drills.items()}
    finally:
        end_all(drills)


def test_a_queue_that_waits_for_descriptors_cites_their_finding(found):
    exhaustion = found["descriptor-exhaustion"]["descriptor-exhaustion"]
    queue = found["descriptor-exhaustion"]["established-not-accepted"]
    assert queue["owner"]["pid"] == exhaustion["owner"]["pid"]
    assert any(line.startswith("The finding descriptor-exhaustion is the cause: ") for line in queue["evidence"])
    assert any(re.match(rf"{queue['count']} connections wait in its accept queue for a descriptor", line)
               for line in exhaustion["evidence"])


def test_a_queue_of_a_process_that_has_descriptors_does_not(found):
    assert set(found["established-not-accepted"]) == {"established-not-accepted"}
    assert not any("descriptor-exhaustion" in line
                   for line in found["established-not-accepted"]["established-not-accepted"]["evidence"])


@pytest.fixture(scope="module")
def leak():
    """Connections that this process, which is root's, has not closed: (port, sockets)"""
    if os.geteuid() != 0 or subprocess.run([*NOBODY, "unshare", "-Ur", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs root, and user namespaces for others")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients = [socket.create_connection(listener.getsockname()) for _ in range(20)]
        accepted = [listener.accept()[0] for _ in clients]
        for client in clients:
            client.close()
        time.sleep(6)
        yield listener.getsockname()[1]
        for conn in accepted:
            conn.close()


def advice(port, before):
    done = subprocess.run([*before, program.path(), "--netns", "self", "--port", str(port)], capture_output=True)
    return " ".join(done.stdout.decode().split())


def test_who_is_not_root_is_told_to_be(leak):
    said = advice(leak, NOBODY)
    assert "run tcpwhy as root" in said and "$ sudo tcpwhy" in said and "run as root with all capabilities" in said


def test_root_of_a_user_namespace_is_not_told_to_be_root(leak):
    said = advice(leak, [*NOBODY, "unshare", "-Ur"])
    assert "run tcpwhy as root" not in said and "sudo tcpwhy" not in said and "run as root" not in said
    assert "run tcpwhy outside of it, as the host's root" in said


def test_root_of_a_network_namespace_sees_who_holds_them(leak):
    done = subprocess.run(["unshare", "-n", program.path(), "--port", str(leak)], capture_output=True)
    said = " ".join(done.stdout.decode().split())
    assert f"(pid {os.getpid()})" in said and "as root" not in said
