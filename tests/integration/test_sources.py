"""The sources: netlink and /proc, with and without privileges, in several network namespaces."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

import privileges
import program
from listing import rows
from maker import Faults

HERE = Path(__file__).resolve().parent
COMPARED = ("state", "local", "remote", "recv_q", "send_q", "pid", "inode")


def seen(source, *words):
    return sorted(tuple(str(row[key]) for key in COMPARED)
                  for row in rows("--source", source, "--columns", ",".join(COMPARED), *words))


@pytest.mark.parametrize("name", ["leak", "unread_data", "not_accepted", "inherited", "leak_ipv6", "leak_mapped",
                                  "blocked_writer", "zero_window_loopback", "fork_server", "named", "zero_window"])
def test_both_sources_see_the_same(world, name):
    # Without mini-sockets, which expire meanwhile.
    words = ["--port", world[name].port, "--state", "established,close-wait,last-ack"]
    netlink, proc = (seen(source, *words) for source in ("netlink", "proc"))
    assert netlink == proc
    assert len(netlink) >= world[name].count


def test_both_sources_see_the_same_listener(world):
    """/proc/net/tcp does not show the backlog of a listener: it is unknown, not 0."""
    words = ["--port", world["not_accepted"].port, "--state", "listen"]
    (netlink,), (proc,) = rows("--source", "netlink", *words), rows("--source", "proc", *words)
    assert [netlink[key] for key in ("recv_q", "send_q", "pid", "inode")] == [50, 60, world["not_accepted"].pid,
                                                                              proc["inode"]]
    assert (proc["recv_q"], proc["send_q"], proc["pid"]) == (50, None, world["not_accepted"].pid)


@pytest.mark.parametrize("source", ["netlink", "proc"])
def test_nothing_is_listed_twice(source):
    """The kernel's tables change while they are read. A connection that moved in them must not be counted twice."""
    with Faults() as faults:
        faults.start("close_wait_unread", count=200)
        faults.start("churn", per_second=500)
        time.sleep(1.5)
        for _ in range(5):
            ends = [(row["local"], row["remote"]) for row in
                    rows("--source", source, "--netns", "self", "--columns", "local,remote", "--state",
                         "established,time-wait,fin-wait-2,close-wait")]
            assert len(ends) > 400
            twice = [end for end, times in Counter(ends).items() if times > 1]
            assert twice == []


@pytest.mark.parametrize("number", ["EPERM", "EACCES", "EPROTONOSUPPORT"])
def test_falls_back_by_itself(world, number):
    reason = privileges.without_seccomp_table()
    if reason:
        pytest.skip(reason)
    before = [sys.executable, str(HERE / "without_sock_diag.py"), number]
    made = world["unread"]
    seen = program.diagnose("--netns", "self", before=before)
    assert seen["source"]["kind"] == "linux-proc-net-tcp"
    gap = seen.gap("netlink-refused")
    assert "/proc/net/tcp" in gap["text"] and os.strerror(getattr(errno, number)) in gap["text"]
    assert gap["remedy"]
    # A source that was asked for by name is not replaced silently.
    failed = program.run("--json", "--source", "netlink", before=before)
    assert failed.returncode == program.FAILED and b"NETLINK_SOCK_DIAG" in failed.stderr and failed.stdout == b""
    # Without ages nothing is certain, but the sockets and their owners are known.
    assert seen["totals"]["by_state"]["CLOSE_WAIT"] >= 300
    listed = rows("--port", made.port, "--state", "close-wait", before=before)
    assert [row["pid"] for row in listed] == [made.pid] * made.count
    assert {row["age_s"] for row in listed} == {None}


def test_source_is_named(report):
    assert report["source"]["kind"] in ("linux-sock-diag", "linux-bpf")
    assert report["source"]["elapsed_ms"] > 0
    assert report.gap("netlink-refused") is None


@pytest.fixture
def nobody():
    """A copy of the program that an ordinary user may run, and the command that changes to such a user."""
    reason = privileges.without_root() or privileges.without_tool("setpriv")
    if reason:
        pytest.skip(reason)
    folder = tempfile.mkdtemp(prefix="tcpwhy-test-")
    try:
        os.chmod(folder, 0o755)
        shutil.copy(program.path(), folder)
        yield ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--",
               "env", f"TCPWHY={folder}/{os.path.basename(program.path())}"], f"{folder}/tcpwhy"
    finally:
        shutil.rmtree(folder)


def test_unprivileged(world, report, nobody, monkeypatch):
    as_nobody, copy = nobody
    monkeypatch.setenv("TCPWHY", copy)
    seen = program.diagnose(before=as_nobody)  # fails if tcpwhy does
    assert seen["source"]["kind"] == "linux-sock-diag"
    hidden = seen.gap("owners-hidden")
    assert hidden and "CAP_SYS_PTRACE" in hidden["remedy"]
    alone = program.diagnose("--port", world["unread"].port, before=as_nobody)
    (finding,) = alone["findings"]
    assert (finding["id"], finding["count"], finding["owner"]) == ("close-wait-unread", 40, None)
    assert alone.gap("owners-hidden")


@pytest.mark.needs("named")
def test_unprivileged_names_hidden_namespaces(world, nobody, monkeypatch):
    as_nobody, copy = nobody
    monkeypatch.setenv("TCPWHY", copy)
    seen = program.diagnose(before=as_nobody)
    hidden = seen.gap("netns-hidden")
    assert hidden and "CAP_SYS_ADMIN" in hidden["remedy"]
    assert seen.findings_about(world["named"]) == []


def test_unprivileged_sees_its_own(nobody, monkeypatch):
    """An ordinary user sees his own sockets without any privilege."""
    as_nobody, copy = nobody
    monkeypatch.setenv("TCPWHY", copy)
    maker = subprocess.Popen(
        [*as_nobody, sys.executable, "-c",
         "import os, socket, sys; l = socket.create_server(('127.0.0.1', 0)); "
         "c = socket.create_connection(l.getsockname()); a = l.accept()[0]; c.close(); a.recv(1); "
         "print(os.getpid(), l.getsockname()[1], flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        pid, port = map(int, maker.stdout.readline().split())
        (row,) = rows("--port", port, "--state", "CLOSE_WAIT", before=as_nobody)
        assert (row["pid"], row["recv_q"]) == (pid, 0)
    finally:
        maker.communicate("")


# --- network namespaces ----------------------------------------------------------------------------------------------

@pytest.mark.needs("named")
def test_namespace_by_name(world, report):
    (finding,) = report.findings_about(world["named"])
    assert (finding["netns"], finding["owner"]["pid"]) == (world.named, world["named"].pid)
    only = program.diagnose("--netns", world.named)
    assert [f["id"] for f in only["findings"]] == ["close-wait-leak"]
    inside = program.diagnose("--netns", "self", netns=world.named)
    assert [(f["id"], f["owner"]["pid"], f["count"]) for f in inside["findings"]] == [
        ("close-wait-leak", world["named"].pid, 11)]
    by_pid = program.diagnose("--netns", world["named"].pid)
    assert [f["count"] for f in by_pid["findings"]] == [11]


@pytest.mark.needs("unshared")
def test_namespace_without_a_name(world, report):
    (finding,) = report.findings_about(world["unshared"])
    assert finding["netns"] == f"net:[{world['unshared'].netns_inode}]"


@pytest.mark.needs("contained")
def test_container(world, report):
    (finding,) = report.findings_about(world["contained"])
    assert finding["owner"]["container"] == world.container_id[:12]
    assert finding["netns"] == world.container_id[:12]


CROWD = """
import os, resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
listener = socket.create_server(("127.0.0.1", 0))
held = []
for _ in range(90):
    held.append(socket.create_connection(listener.getsockname()))
    held.append(listener.accept()[0])
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@pytest.mark.needs("named")
def test_owners_are_looked_for_where_a_process_is_near_its_limit(world):
    """No connection is stuck; only the number of descriptors shows the problem."""
    inside = ["unshare", "--net", "sh", "-c", 'ip link set lo up; "$@"', "sh"]
    with subprocess.Popen([*inside, sys.executable, "-c", CROWD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as crowd:
        pid = int(crowd.stdout.readline())
        seen = program.diagnose("--netns", "self", before=["nsenter", f"--net=/proc/{pid}/ns/net"])
        assert [(f["id"], f["owner"]["pid"]) for f in seen["findings"]] == [("descriptor-exhaustion", pid)]
        crowd.communicate("")


KEEPER = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
if libc.unshare(0x40000000) != 0:
    sys.exit("cannot unshare")
kept = os.open("/proc/self/ns/net", os.O_RDONLY)
listener = socket.create_server(("0.0.0.0", 4711))
libc.setns(home, 0)
print(os.getpid(), os.fstat(kept).st_ino, flush=True)
sys.stdin.read()
"""


@pytest.mark.needs("named")
def test_namespace_that_only_a_descriptor_keeps(world):
    """A namespace without processes and without a name is found and entered through the descriptor."""
    with subprocess.Popen([sys.executable, "-c", KEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as keeper:
        pid, inode = map(int, keeper.stdout.readline().split())
        (row,) = rows("--netns", inode, "--columns", "state,pid,netns,local", "--state", "listen")
        assert row == {"state": "LISTEN", "pid": pid, "netns": f"net:[{inode}]", "local": "0.0.0.0:4711"}
        keeper.communicate("")


def test_self_only(world):
    own = program.diagnose("--netns", "self")
    assert {f["netns"] for f in own["findings"]} == {"host"}
    assert program.diagnose()["totals"]["connections"] > own["totals"]["connections"] or world.why_missing("named")


def test_what_cannot_be_left_again_is_not_entered():
    """Root of a user namespace can enter namespaces made there, but cannot return to the host's: a gap, not a crash."""
    inside = 'unshare -n sleep 20 & sleep 0.3; "$@"; status=$?; kill $!; exit $status'
    before = ["unshare", "-Ur", "sh", "-c", inside, "sh"]
    if subprocess.run(["unshare", "-Ur", "unshare", "-n", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs user namespaces")
    seen = program.diagnose(before=before)
    assert os.strerror(errno.EPERM) in seen.gap("netns-hidden")["text"]
