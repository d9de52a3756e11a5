"""eBPF iterators as a source: they show the same sockets and owners as netlink and /proc."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import privileges
import program
from listing import rows
from netns import Namespaces
from sockets import wait_for

HERE = Path(__file__).resolve().parent
DUMP = Path(program.path()).parent / "tests/support/dump_source"

# Values that change while nothing happens. The value of one source must lie between two values of the other.
GROWS = {"last_data_sent_ms", "last_data_recv_ms", "last_ack_recv_ms", "total_rto_time_ms", "rwnd_limited_ms"}
SHRINKS = {"timer_ms"}
TICK_MS = 10  # the longest clock tick of a kernel
# /proc/net/tcp shows another timer than netlink. It has neither bound sockets nor a listener's backlog.
NOT_OF_PROC = {"present", "retransmits", "cookie"}


def why_not():
    if privileges.without_netns():
        return privileges.without_netns()
    done = program.run("--source", "bpf", "--netns", "self")
    return done.stderr.decode(errors="replace").strip() if done.returncode == program.FAILED else None


@pytest.fixture(scope="module", autouse=True)
def bpf():
    reason = why_not()
    if reason:
        pytest.skip(f"needs eBPF: {reason}")


@pytest.fixture(scope="module")
def mixed():
    """A namespace with sockets in every state that can last."""
    namespaces = Namespaces()
    name = namespaces.add()
    maker = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, str(HERE / "mixed.py")],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert maker.stdout.readline() == "ready\n"
        yield name
    finally:
        maker.stdin.close()
        maker.wait(10)
        maker.stdout.close()
        namespaces.remove_all()


def dump(source, netns=None, before=()):
    command = [*(("ip", "netns", "exec", netns) if netns else ()), *before, str(DUMP), source, "self"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def by_cookie(snapshot):
    conns = {conn["cookie"]: conn for conn in snapshot["connections"]}
    assert len(conns) == len(snapshot["connections"])
    return conns


def still(conn):
    return {key: value for key, value in conn.items() if key not in GROWS | SHRINKS}


def hold_still(one, other):
    return one.keys() == other.keys() and all(still(one[key]) == still(other[key]) for key in one)


def between_two_looks(source, outer, netns, attempts=40):
    """A snapshot of `source` between two snapshots of `outer` that show no change."""
    for _ in range(attempts):
        before, seen, after = (dump(which, netns) for which in (outer, source, outer))
        if hold_still(by_cookie(before), by_cookie(after)):
            return before, seen, after
    raise AssertionError("the sockets did not hold still")


def test_every_field_is_netlinks(mixed):
    before, seen, after = between_two_looks("bpf", "netlink", mixed)
    assert (seen["source"], before["source"]) == ("linux-bpf", "linux-sock-diag")
    first, conns, last = by_cookie(before), by_cookie(seen), by_cookie(after)
    assert conns.keys() == first.keys()
    for cookie, conn in conns.items():
        assert still(conn) == still(first[cookie])
        for key in GROWS & conn.keys():
            assert first[cookie][key] - TICK_MS <= conn[key] <= last[cookie][key] + TICK_MS, (key, conn)
        for key in SHRINKS & conn.keys():
            assert last[cookie][key] - TICK_MS <= conn[key] <= first[cookie][key] + TICK_MS, (key, conn)


def test_the_mix_is_one(mixed):
    """The comparison covers all these states, families, timers and owners."""
    conns = dump("bpf", mixed)["connections"]
    everywhere = {"LISTEN", "SYN_SENT", "SYN_RECEIVED", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT",
                  "CLOSING", "LAST_ACK", "TIME_WAIT", "BOUND"}
    for ipv6 in (0, 1):
        assert {conn["state"] for conn in conns if conn["ipv6"] == ipv6} == everywhere
    assert {conn["timer"] for conn in conns} >= {0, 1, 2, 3, 4}
    assert {len(conn["holders"]) for conn in conns} >= {0, 1, 2, 4}
    for key in ("rwnd_limited_ms", "total_rto_time_ms", "rto_recoveries", "backoff", "notsent_bytes",
                "skmem_rmem_bytes", "skmem_wmem_bytes", "cgroup_id", "bytes_received", "bytes_acked", "rttvar_us"):
        assert any(conn.get(key) for conn in conns), key


def test_processes_are_those_of_proc(mixed):
    before, seen, _ = between_two_looks("bpf", "netlink", mixed)
    assert seen["processes"] == before["processes"]
    assert len(seen["processes"]) == 3
    assert seen["gaps"] == before["gaps"] == []


def ends(conn):
    return tuple(conn[key] for key in ("local", "local_port", "remote", "remote_port", "inode"))


def test_what_proc_knows_is_the_same(mixed):
    before, seen, _ = between_two_looks("proc", "bpf", mixed)
    assert seen["source"] == "linux-proc-net-tcp"
    ours = {ends(conn): conn for conn in before["connections"] if conn["state"] != "BOUND"}
    theirs = {ends(conn): conn for conn in seen["connections"]}
    assert ours.keys() == theirs.keys()
    for key, conn in theirs.items():
        other = ours[key]
        assert abs(conn.pop("rto_ms", 0) - other.get("rto_ms", 0)) <= TICK_MS or "rto_ms" not in other
        for name in still(conn).keys() - NOT_OF_PROC:
            if conn["state"] != "LISTEN" or name != "send_q_bytes":
                assert conn[name] == other.get(name, conn[name]), (name, conn, other)


# Without what a retransmission or time changes.
JUDGED = ("id", "severity", "fault", "count", "local", "remote", "netns", "peers")
OF_OWNER = ("pid", "name", "user", "fds_open", "fds_limit", "sockets", "tcp_sockets", "inferred")
OF_CONNECTION = ("state", "local", "remote", "recv_q", "inode", "holders", "cause")


def judged(source, netns):
    diagnosis = program.diagnose("--source", source, "--netns", "self", netns=netns)
    return diagnosis["verdict"], diagnosis["totals"]["by_state"], [
        ([finding[key] for key in JUDGED], finding["owner"] and [finding["owner"][key] for key in OF_OWNER],
         sorted([str(conn.get(key)) for key in OF_CONNECTION] for conn in finding["connections"]))
        for finding in diagnosis["findings"]]


def test_the_diagnosis_is_the_same(mixed):
    for _ in range(20):
        before, seen, after = (judged(source, mixed) for source in ("netlink", "bpf", "netlink"))
        if before == after:
            break
    assert seen == before
    assert len(seen[2]) > 5


def test_only_the_states_asked_for(mixed):
    for states in ("close-wait", "last-ack,time-wait", "fin-wait-2", "syn-received", "bound,listen"):
        words = ["--netns", mixed, "--state", states, "--columns", "state,local,remote,pid,cookie"]
        seen, expected = (rows("--source", source, *words) for source in ("bpf", "netlink"))
        assert sorted(map(str, seen)) == sorted(map(str, expected)) != []


# --- where processes and namespaces are --------------------------------------------------------------------------

@pytest.mark.parametrize("kind, states", [
    ("listens6", {"LISTEN"}), ("waits", {"TIME_WAIT"}), ("waits6", {"TIME_WAIT"}),
    ("orphan", {"LAST_ACK", "FIN_WAIT_2"}),
    ("bound", {"BOUND"})])
def test_a_namespace_with_little_in_it(kind, states):
    """Namespaces without sockets are not read. Sockets that no process has must be found all the same."""
    code = """if True:
        import socket, subprocess, sys, time
        def lose(rule):
            subprocess.run(["nft", "add table inet t; add chain inet t i { type filter hook input priority 0; };"
                            "add rule inet t i " + rule + " drop"], check=True)
        kind = sys.argv[1]
        made = socket.socket(socket.AF_INET6 if kind.endswith("6") else socket.AF_INET)
        made.bind(("::1" if kind.endswith("6") else "127.0.0.1", 0))
        if kind != "bound":
            made.listen()
        if kind in ("waits", "waits6", "orphan"):
            client = socket.create_connection(made.getsockname()[:2])
            server = made.accept()[0]
            if kind == "orphan":
                client.shutdown(socket.SHUT_WR)
                time.sleep(0.1)
                lose(f"tcp sport {made.getsockname()[1]}")
                server.close()
            client.close()
            server.close()
            made.close()
        print("ready", flush=True)
        sys.stdin.read()
    """
    namespaces = Namespaces()
    name = namespaces.add()
    maker = subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", code, kind],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert maker.stdout.readline() == "ready\n"
        seen, expected = ({(row["state"], row["local"]) for row in rows("--source", source, "--netns", name)}
                          for source in ("bpf", "netlink"))
        assert seen == expected and {state for state, _ in seen} == states
    finally:
        maker.communicate("")
        namespaces.remove_all()


@pytest.mark.needs("named", "unshared", "contained")
def test_namespaces_are_named_alike(world):
    for name in ("named", "unshared", "contained"):
        made = world[name]
        words = ["--port", made.port, "--columns", "state,local,remote,netns,pid,container"]
        seen, expected = (sorted(map(str, rows("--source", source, *words))) for source in ("bpf", "netlink"))
        assert seen == expected != []


def test_a_namespace_that_only_a_thread_is_in():
    """A thread may leave the namespace of its process. Its namespace is read too."""
    code = """if True:
        import ctypes, os, socket, sys, threading, time
        def elsewhere():
            ctypes.CDLL(None, use_errno=True).unshare(0x40000000)
            made = socket.socket(); made.bind(("0.0.0.0", 4711)); made.listen()
            print(os.stat("/proc/thread-self/ns/net").st_ino, os.getpid(), flush=True)
            time.sleep(3600)
        threading.Thread(target=elsewhere, daemon=True).start()
        sys.stdin.read()
    """
    maker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        inode, pid = map(int, maker.stdout.readline().split())
        (row,) = rows("--source", "bpf", "--state", "listen", "--port", 4711, "--netns", f"net:[{inode}]")
        assert (row["pid"], row["netns"]) == (pid, f"net:[{inode}]")
    finally:
        maker.communicate("")


def test_a_namespace_that_only_a_descriptor_keeps():
    code = """if True:
        import os, socket, subprocess, sys
        subprocess.run(["unshare", "-n", "true"], check=True)
        child = os.fork()
        if child == 0:
            import ctypes, time
            ctypes.CDLL(None).unshare(0x40000000)
            made = socket.socket(); made.bind(("0.0.0.0", 4712)); made.listen()
            print(os.stat("/proc/self/ns/net").st_ino, flush=True)
            time.sleep(3600)
        kept = None
        home = os.stat("/proc/self/ns/net").st_ino
        while kept is None or os.fstat(kept).st_ino == home:
            kept = os.open(f"/proc/{child}/ns/net", os.O_RDONLY)
        import time; time.sleep(0.5); os.kill(child, 9); os.wait()
        print(os.getpid(), flush=True)
        sys.stdin.read()
    """
    maker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        inode, _ = int(maker.stdout.readline()), maker.stdout.readline()
        names = {source: json.loads(
                     subprocess.run([str(DUMP), source], capture_output=True, check=True).stdout)["netns"]
                 for source in ("bpf", "netlink")}
        assert f"net:[{inode}]" in names["bpf"] and f"net:[{inode}]" in names["netlink"]
    finally:
        maker.communicate("")


IN_PID_NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"]


def test_numbers_are_of_the_pid_namespace():
    """In a container, processes have other numbers than on the host. The numbers of the container's /proc are shown."""
    code = """if True:
        import json, os, socket, subprocess, sys
        made = socket.create_server(("127.0.0.1", 0))
        def holders(source):
            words = [sys.argv[1], "list", "--source", source, "--json", "--port", str(made.getsockname()[1])]
            rows = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)["connections"]
            return [(row["pid"], row["process"], row["fd"]) for row in rows]
        print(json.dumps([os.getpid(), made.fileno(), holders("bpf"), holders("netlink")]))
    """
    done = subprocess.run([*IN_PID_NAMESPACE, sys.executable, "-c", code, program.path()], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    pid, fd, seen, expected = json.loads(done.stdout)
    assert pid < 100 and seen == expected and [row[0] for row in seen] == [pid] and seen[0][2] == fd


def test_a_proc_of_another_pid_namespace():
    done = program.run("--source", "bpf", before=["unshare", "--pid", "--fork"])
    assert done.returncode == program.FAILED
    assert b"/proc is of another PID namespace" in done.stderr and b"--source netlink" in done.stderr


# --- what may not be ---------------------------------------------------------------------------------------------

WITHOUT_BPF = ["setpriv", "--bounding-set=-sys_admin,-bpf,-perfmon", "--inh-caps=-all", "--"]


@pytest.fixture
def many_files():
    """Opens so many files that eBPF is chosen."""
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(12000)]
    yield
    for fd in opened:
        os.close(fd)


def test_chosen_by_itself(many_files):
    """If owners are needed in any case."""
    assert json.loads(program.run("list", "--json", "-n", "1").stdout)["source"]["kind"] == "linux-bpf"


@pytest.mark.skipif(privileges.without_tool("setpriv") is not None, reason="needs setpriv")
def test_not_permitted(many_files):
    """If it was asked for by name, it says what is missing. If it was chosen automatically, netlink replaces it
    silently."""
    done = program.run("--source", "bpf", before=WITHOUT_BPF)
    assert done.returncode == program.FAILED and done.stdout == b""
    for word in (b"eBPF", b"Operation not permitted", b"CAP_BPF", b"CAP_PERFMON", b"--source netlink"):
        assert word in done.stderr
    seen = program.diagnose("--netns", "self", before=WITHOUT_BPF)
    assert seen["source"]["kind"] == "linux-sock-diag"


def test_nothing_stays_loaded():
    """Programs, maps and links disappear with the process that loaded them."""
    def programs():
        out = subprocess.run(["bpftool", "-j", "prog", "show"], capture_output=True, text=True,
                             env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        if out.returncode != 0:
            pytest.skip("needs bpftool")
        return [row for row in json.loads(out.stdout) if row.get("name", "").startswith("walk_")]

    program.run("--source", "bpf", "--netns", "self")
    wait_for(lambda: not programs(), "the programs are gone")
