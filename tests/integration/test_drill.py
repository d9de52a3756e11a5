"""Drills: each makes its fault, the kernel shows it, tcpwhy reports exactly that, and nothing is left behind."""

import collections
import json
import os
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import privileges
import program
from sockets import STATES, wait_for

LOCAL, PEER, PATH, HOST, NONE = "local-application", "peer-application", "peer-or-path", "host-settings", "none"
STANDS_WITHIN_S = 20
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@dataclass(frozen=True)
class Expected:
    fault: str
    # The state that ss shows in the namespace, for as many connections as the drill says. None: ss shows nothing,
    # although the descriptors are open.
    state: str
    at_least: bool = False  # more connections may follow
    owned: bool = True  # a process of the drill is named
    counted: bool = True  # the count of the finding is that of the drill


DRILLS = {
    "close-wait-leak": Expected(LOCAL, "CLOSE_WAIT"),
    "close-wait-unread": Expected(LOCAL, "CLOSE_WAIT"),
    "close-wait-not-accepted": Expected(LOCAL, "CLOSE_WAIT"),
    "close-wait-inherited": Expected(LOCAL, "CLOSE_WAIT"),
    "close-wait-blocked-writer": Expected(PEER, "CLOSE_WAIT"),
    "closed-held": Expected(LOCAL, None),
    "last-ack-unanswered": Expected(PATH, "LAST_ACK"),
    "last-ack-zero-window": Expected(PEER, "LAST_ACK"),
    "fin-wait-1-unanswered": Expected(PATH, "FIN_WAIT_1"),
    "fin-wait-1-zero-window": Expected(PEER, "FIN_WAIT_1"),
    "closing-unanswered": Expected(PATH, "CLOSING"),
    "fin-wait-2-held": Expected(PEER, "FIN_WAIT_2"),
    "fin-wait-2-orphaned": Expected(PEER, "FIN_WAIT_2"),
    "time-wait-churn": Expected(NONE, "TIME_WAIT", at_least=True, owned=False, counted=False),
    "time-wait-overflow": Expected(HOST, "TIME_WAIT", at_least=True, owned=False),
    "port-exhaustion": Expected(HOST, "ESTABLISHED"),
    "syn-sent-unanswered": Expected(PATH, "SYN_SENT"),
    "syn-recv-flood": Expected(PATH, "SYN_RECEIVED", at_least=True, counted=False),
    # New ones come every 50 s, before the kernel drops the old ones. On a slow machine both are seen.
    "syn-recv-unanswered": Expected(PATH, "SYN_RECEIVED", at_least=True),
    "accept-queue-overflow": Expected(LOCAL, "ESTABLISHED"),
    "established-not-accepted": Expected(LOCAL, "ESTABLISHED", at_least=True),
    "established-unanswered": Expected(PATH, "ESTABLISHED"),
    "established-zero-window": Expected(PEER, "ESTABLISHED"),
    "established-unread": Expected(LOCAL, "ESTABLISHED", at_least=True),
    "established-idle": Expected(NONE, "ESTABLISHED", at_least=True),
    "self-connect": Expected(LOCAL, "ESTABLISHED"),
    "descriptor-exhaustion": Expected(LOCAL, "ESTABLISHED", at_least=True, counted=False),
}
# Their limits are those of the whole host. test_guest.py runs them on a kernel of its own.
HOST_LIMITS = {"orphan-limit": "net.ipv4.tcp_max_orphans", "tcp-memory-pressure": "net.ipv4.tcp_mem"}
TAKES_HOURS = ["established-idle"]  # test_guest.py speeds up the clock
# Reported only if the queues are not known, which they are on this host; or only for Windows, or for two hosts.
OF_CAPTURES = ["close-wait-held", "owner-ended", "half-open"]
IN_HOST = ["close-wait-leak", "close-wait-unread", "close-wait-not-accepted", "close-wait-inherited",
           "close-wait-blocked-writer", "fin-wait-2-held", "established-unread", "established-not-accepted"]
ONLY_IN_NAMESPACE = sorted(set(DRILLS) - set(IN_HOST))


class Drill:
    """A running `tcpwhy drill --json`."""

    def __init__(self, finding, *words, before=()):
        self.finding = finding
        self.process = subprocess.Popen(
            [*before, program.path(), "drill", finding, "--json", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.netns_inode = None

    def wait_until_it_stands(self):
        readable, _, _ = select.select([self.process.stdout], [], [], STANDS_WITHIN_S)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            self.process.kill()
            raise AssertionError(f"{self.finding} does not stand: {self.process.stderr.read().decode()}")
        self.said = json.loads(line)
        self.stood_at = time.monotonic()
        try:
            self.netns_inode = os.stat(f"/proc/{self.said['owner_pid']}/ns/net").st_ino
        except FileNotFoundError:
            pass  # this line was read late, and it has been made again since: the next line says so
        return self

    def was_made_again(self):
        """True if the drill has made a fault again that the kernel ends after a time. What it says is then new."""
        again = False
        while select.select([self.process.stdout], [], [], 0)[0] and self.process.poll() is None:
            self.wait_until_it_stands()
            again = True
        return again

    def __getattr__(self, key):
        try:
            return self.__dict__["said"][key]
        except KeyError:
            raise AttributeError(key) from None

    def states(self):
        """The states that the kernel shows in the drill's namespace."""
        rows = subprocess.run(["nsenter", "--net", "--target", str(self.netns_pid), "ss", "-tanH"],
                              capture_output=True, text=True, check=True).stdout.splitlines()
        names = [row.split()[0] for row in rows]
        return collections.Counter(STATES.get(name, name) for name in names)

    def processes(self):
        return drill_processes(self.netns_inode)

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
            self.process.stderr.close()
        return self.process.returncode


def drill_processes(netns_inode=None):
    """{pid: name} of the processes of drills: all, or those in that network namespace. Processes that have ended do not
    count."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "comm").read_bytes().decode(errors="replace").strip()
            state = (folder / "stat").read_bytes().decode(errors="replace").rpartition(")")[2].split()[0]
            inode = os.stat(folder / "ns/net").st_ino if name.startswith("drill-") and state != "Z" else None
        except OSError:
            continue
        if inode is not None and netns_inode in (None, inode):
            found[int(folder.name)] = name
    return found


def namespaces():
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(os.stat(link).st_ino)
        except OSError:
            pass
    return found


def assert_nothing_stays(drill):
    wait_for(lambda: not drill.processes(), f"the end of {drill.processes()}", 10)
    assert drill.netns_inode not in namespaces()


def causes():
    """The findings of this build."""
    text = program.run("list", "--help").stdout.decode()
    return set(re.findall(r"[a-z][a-z0-9-]+", re.search(r"^Causes: (.*?)\n\n", text, flags=re.S | re.M)[1]))


def listing():
    return {row["finding"]: row for row in json.loads(program.run("drill", "--list", "--json").stdout)}


def needs_rule(finding):
    if finding not in causes():
        pytest.skip("rule not in this build")


# --- what there is --------------------------------------------------------------------------------------------------

def test_the_list_names_every_finding():
    text = program.run("drill", "--list").stdout.decode()
    for finding in [*DRILLS, *OF_CAPTURES, *HOST_LIMITS]:
        assert re.search(rf"^  {finding}$", text, flags=re.M)
    rows = listing()
    assert list(rows) == [*DRILLS, *OF_CAPTURES, *HOST_LIMITS]
    assert causes() - {"normal"} <= set(rows), "each finding that tcpwhy knows has its drill"
    assert {finding for finding, row in rows.items() if row["in_host"]} == set(IN_HOST)
    assert {finding: row["host_limit"] for finding, row in rows.items() if row["host_limit"]} == HOST_LIMITS
    assert [finding for finding, row in rows.items() if row["impossible"]] == OF_CAPTURES
    assert [finding for finding, row in rows.items() if row["reported_after_s"] > 60] == TAKES_HOURS


@pytest.mark.parametrize("finding", OF_CAPTURES)
def test_what_only_captures_leave_open_is_not_drilled(finding):
    done = program.run("drill", finding)
    assert done.returncode == program.FAILED
    assert b"cannot be made" in done.stderr and b"--from" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("finding", HOST_LIMITS)
def test_what_is_the_whole_hosts_is_lowered_on_request_only(finding):
    def setting():
        path = Path("/proc/sys", HOST_LIMITS[finding].replace(".", "/"))
        return path.read_text() if path.exists() else None  # exists only in the first network namespace of a host

    before = setting()
    done = program.run("drill", finding)
    assert done.returncode == program.FAILED
    said = " ".join(done.stderr.decode().split())
    assert f"lowers {HOST_LIMITS[finding]}, which is the whole host's" in said and "--host-limits" in said
    assert (done.stdout, setting()) == (b"", before)


@pytest.mark.parametrize("finding", ONLY_IN_NAMESPACE)
def test_in_host_is_for_harmless_ones_only(finding):
    done = program.run("drill", finding, "--in-host")
    assert done.returncode == program.FAILED
    assert b"--in-host" in done.stderr


@pytest.mark.parametrize("words, why", [
    (["close-wait-leek"], "did you mean 'close-wait-leak'"),
    ([], "--list"),
    (["close-wait-leak", "close-wait-unread"], "one drill at a time"),
    (["close-wait-leak", "--count", "0"], "--count"),
    (["close-wait-leak", "--count", "999999"], "at most"),
    (["close-wait-leak", "--for", "soon"], "--for"),
    (["close-wait-leak", "--for", "9", "--keep"], "--keep"),
    (["close-wait-leak", "--list"], "--list"),
    (["close-wait-leak", "--host-limits"], "lowers none of the host's limits"),
    (["orphan-limit", "--host-limits", "--in-host"], "--in-host"),
])
def test_mistakes_are_named(words, why):
    done = program.run("drill", *words)
    assert done.returncode == program.FAILED
    assert why in done.stderr.decode()


# --- all at once ----------------------------------------------------------------------------------------------------

def start_all(before=()):
    drills = {finding: Drill(finding, "--for", "900", before=before) for finding in DRILLS}
    try:
        for drill in drills.values():
            drill.wait_until_it_stands()
            if DRILLS[drill.finding].at_least:  # the kernel removes these after a time
                assert_in_state(drill)
    except BaseException:
        end_all(drills)
        raise
    return drills


def end_all(drills):
    for drill in drills.values():
        if drill.process.poll() is None:
            drill.process.terminate()
    for drill in drills.values():
        drill.end()


@pytest.fixture(scope="module")
def drills():
    if reason := privileges.without_netns():
        pytest.skip(reason)
    all_drills = start_all()
    try:
        yield all_drills
    finally:
        end_all(all_drills)


def sockets_of(pid):
    links = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    return sum(link.startswith("socket:") for link in links)


def assert_in_state(drill):
    expected = DRILLS[drill.finding]
    if expected.state is None:
        wait_for(lambda: sockets_of(drill.owner_pid) >= drill.count, f"{drill.count} sockets in {drill.owner_pid}")
        assert drill.states()["ESTABLISHED"] == 0, "no table shows them"
    elif not expected.at_least:
        assert drill.states()[expected.state] == drill.count
    else:
        # The last connection may still be on its way into the state.
        wait_for(lambda: drill.states()[expected.state] >= drill.count, f"{drill.count} in {expected.state}")


@pytest.mark.parametrize("finding", DRILLS)
def test_the_kernel_shows_the_fault(drills, finding):
    drill = drills[finding]
    assert_in_state(drill)
    row = listing()[finding]
    assert drill.count <= row["count"] <= drill.count + 16, "descriptor-exhaustion: some are not sockets"
    names = drill.processes()
    assert names[drill.owner_pid].startswith("drill-") and names[drill.peer_pid] == "drill-peer"


def looks(drill):
    """The selections of the commands that the drill prints under Look."""
    by_pid = [] if drill.finding in NOT_OF_A_PROCESS else [("--pid", drill.owner_pid)]
    return [("--netns", drill.netns_pid), *by_pid]


def look_at(drill, after_s, commands):
    """What these commands, run one after the other, find while the drill stands."""

    def answer():
        drill.was_made_again()
        time.sleep(max(0, drill.stood_at + after_s - time.monotonic()))
        done = [program.run("--json", *command) for command in commands(drill)]
        # A slow machine may come late, while the drill makes its fault again.
        failed = any(one.returncode == program.FAILED for one in done)
        return None if drill.was_made_again() or failed else done

    done = wait_for(answer, f"an answer about {drill.finding}", 60)
    return [json.loads(one.stdout) for one in done]


def diagnose(drill, after_s=0):
    """The findings about the drill, from the first command that the drill prints."""
    (diagnosis,) = look_at(drill, after_s, lambda drill: [("--all", *looks(drill)[0])])
    program.validate(diagnosis)
    return diagnosis["findings"]


# A later consequence that has a finding of its own: without a free descriptor, a process accepts no connections.
FOLLOWS = {"descriptor-exhaustion": {"established-not-accepted"}}
NOT_OF_A_PROCESS = ["time-wait-overflow"]
# What root sees of both ends: the other end has to act, and has the finding.
SEEN = {"fin-wait-2-held": "close-wait-leak", "fin-wait-2-orphaned": "close-wait-leak",
        "established-zero-window": "established-unread", "fin-wait-1-zero-window": "established-unread"}


@pytest.mark.parametrize("finding", [
    pytest.param(finding, marks=pytest.mark.finding(SEEN.get(finding, finding), "fires"))
    for finding in DRILLS if finding not in TAKES_HOURS])
def test_tcpwhy_reports_it(drills, finding):
    needs_rule(finding)
    drill, expected = drills[finding], DRILLS[finding]
    assert drill.seen_finding == SEEN.get(finding)
    after_s = drill.seen_after_s if drill.seen_finding else drill.reported_after_s
    findings = diagnose(drill, after_s + 1)
    reported = drill.seen_finding or finding
    about = {found["id"] for found in findings if found["selected_count"] > 0}  # others are about their other ends
    assert about - {reported} <= FOLLOWS.get(finding, set())
    (found,) = [found for found in findings if found["id"] == reported]
    if drill.seen_finding:
        assert (found["fault"], found["owner"]["pid"], found["count"]) == (LOCAL, drill.peer_pid, drill.count)
        return
    assert found["fault"] == expected.fault
    if expected.owned:
        assert found["owner"]["pid"] == drill.owner_pid
        assert found["owner"]["name"].startswith("drill-")
    if expected.counted:
        assert found["count"] == drill.count or (expected.at_least and found["count"] > drill.count)


def subjects(diagnosis):
    """What is reported, without what changes from one moment to the next: severity and count may rise with the age."""
    return {(found["id"], (found["owner"] or {}).get("pid")) for found in diagnosis["findings"]}


@pytest.mark.parametrize("finding", [finding for finding in DRILLS if finding not in TAKES_HOURS])
def test_what_it_tells_to_look_at_reports_what_the_whole_host_does(drills, finding):
    needs_rule(finding)
    drill = drills[finding]
    after_s = (drill.seen_after_s if drill.seen_finding else drill.reported_after_s) + 1
    whole, *looked = map(subjects, look_at(drill, after_s, lambda drill: [(), *looks(drill)]))
    reported = (drill.seen_finding, drill.peer_pid) if drill.seen_finding else (finding, drill.owner_pid)
    for seen in looked:
        assert seen <= whole
        assert reported in seen or not DRILLS[finding].owned


@pytest.mark.parametrize("finding", TAKES_HOURS)
def test_not_before_its_time(drills, finding):
    assert diagnose(drills[finding]) == []


# --- without privileges ---------------------------------------------------------------------------------------------

def without_user_namespaces():
    if reason := privileges.without_root():
        return reason
    probe = subprocess.run([*NOBODY, "unshare", "--user", "--map-root-user", "--net", program.path(), "version"],
                           capture_output=True, text=True)
    return None if probe.returncode == 0 else f"needs user namespaces for users: {probe.stderr.strip()}"


def test_all_stand_without_privileges():
    if reason := without_user_namespaces() or privileges.without_netns():
        pytest.skip(reason)
    drills = start_all(before=NOBODY)
    try:
        for drill in drills.values():
            if not DRILLS[drill.finding].at_least:
                assert_in_state(drill)
        # While a program starts, /proc/PID belongs to root for a moment.
        wait_for(lambda: all(os.stat(f"/proc/{pid}").st_uid == 65534 for drill in drills.values()
                             for pid in (drill.owner_pid, drill.peer_pid)), "all processes of drills are nobody's")
        leak = drills["close-wait-leak"]
        time.sleep(max(0, leak.stood_at + leak.reported_after_s + 1 - time.monotonic()))
        enter = ["nsenter", "--preserve-credentials", "--user", "--net", "--target", str(leak.owner_pid)]
        done = program.run("--json", before=[*NOBODY, *enter])
        found = [f for f in json.loads(done.stdout)["findings"] if f["id"] == "close-wait-leak"]
        assert [(f["owner"]["pid"], f["count"]) for f in found] == [(leak.owner_pid, leak.count)]
    finally:
        end_all(drills)
    for drill in drills.values():
        assert_nothing_stays(drill)


# --- on the host ----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module", autouse=True)
def on_host():
    """They grow old while the other tests run."""
    drills = {finding: Drill(finding, "--in-host", "--count", "3", "--keep") for finding in IN_HOST}
    try:
        for drill in drills.values():
            drill.wait_until_it_stands()
        yield drills
    finally:
        end_all(drills)


@pytest.mark.parametrize("finding", IN_HOST)
def test_in_host(on_host, finding):
    drill, expected = on_host[finding], SEEN.get(finding, finding)
    assert drill.netns_pid is None and drill.count == 3
    assert drill.netns_inode == os.stat("/proc/self/ns/net").st_ino
    needs_rule(expected)
    time.sleep(max(0, drill.stood_at + drill.reported_after_s + 1 - time.monotonic()))
    found = json.loads(program.run("--json", "--port", drill.port).stdout)["findings"]
    guilty = drill.owner_pid if expected == finding else drill.peer_pid
    assert [(f["owner"]["pid"], f["count"]) for f in found if f["id"] == expected] == [(guilty, 3)]
    drill.end()
    assert drill.owner_pid not in drill_processes() and drill.peer_pid not in drill_processes()


# --- nothing stays --------------------------------------------------------------------------------------------------

CLEARED = ["close-wait-inherited", "last-ack-zero-window", "established-unanswered", "time-wait-churn"]


@pytest.fixture
def one(request):
    if reason := privileges.without_netns():
        pytest.skip(reason)
    drill = Drill(request.param).wait_until_it_stands()
    yield drill
    drill.end(signal.SIGKILL)


@pytest.mark.parametrize("one", CLEARED, indirect=True)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it(one, how):
    assert len(one.processes()) >= 3
    one.process.send_signal(how)
    assert one.process.wait(10) == 0
    assert_nothing_stays(one)


@pytest.mark.parametrize("one", CLEARED, indirect=True)
def test_nothing_stays_when_it_is_killed(one):
    one.process.kill()
    one.process.wait(10)
    assert_nothing_stays(one)


@pytest.mark.parametrize("one", CLEARED, indirect=True)
def test_nothing_stays_when_its_stage_is_killed(one):
    stage = next(pid for pid, name in one.processes().items() if name == "drill-stage")
    os.kill(stage, signal.SIGKILL)
    assert one.process.wait(10) == 0
    assert_nothing_stays(one)


@pytest.mark.parametrize("one", CLEARED, indirect=True)
def test_the_advice_works(one):
    """The guilty process ends as usual, and the drill ends with it."""
    os.kill(one.owner_pid, signal.SIGTERM)
    assert one.process.wait(10) == 0
    assert_nothing_stays(one)


def test_it_ends_by_itself():
    if reason := privileges.without_netns():
        pytest.skip(reason)
    began = time.monotonic()
    drill = Drill("close-wait-leak", "--for", "2s").wait_until_it_stands()
    assert drill.process.wait(10) == 0
    assert 2 <= time.monotonic() - began < 6
    assert_nothing_stays(drill)
    drill.end()


def test_it_says_how_to_look():
    if reason := privileges.without_netns():
        pytest.skip(reason)
    text = program.run("drill", "last-ack-unanswered", "--for", "1").stdout.decode()
    pid = re.search(r"drill-last-ack \(pid (\d+)\)", text)[1]
    assert re.search(r"120 connections, port \d+", text)
    assert f"tcpwhy --netns {pid}" in text and f"tcpwhy --pid {pid}" in text
    assert "last-ack-unanswered, from " in text and "after 10 s" in text
    assert "Ctrl-C" in text and "are gone" in text
