"""What needs a kernel of its own: lower limits of the whole host, hours that pass, another kernel version."""

import functools
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

import guest as guests
import program
from claims import CLAIMS, closing, opening, programs, settings  # noqa: F401
from netns import Pair
from sockets import wait_for
from test_drill import DRILLS, TAKES_HOURS

LINE = ("near", "far")  # two namespaces joined by a veth pair
HOUR = 3600
ORPHANS = 200  # of the drill orphan-limit


class Host:
    """Boots a guest, and another one if it has died."""

    def __init__(self):
        self._guest = None

    def guest(self):
        if self._guest is None or not self._guest.is_alive:
            self.close()
            self._guest = guests.Guest()
            self._guest.ask(load="drivers/net/veth")
            self._guest.output("ip", "link", "set", "lo", "up")
        return self._guest

    def close(self):
        if self._guest is not None:
            self._guest.close()
        self._guest = None


@pytest.fixture(scope="module")
def host():
    if reason := guests.why_impossible():
        pytest.skip(reason)
    host = Host()
    yield host
    host.close()


@pytest.fixture
def guest(host):
    try:
        return host.guest()
    except guests.NotHere as reason:
        pytest.skip(str(reason))


def clean(guest, *steps):
    for step in steps:
        if guest.is_alive:
            step()


@pytest.fixture
def path(guest):
    """Two namespaces of the guest, joined."""
    for netns in LINE:
        guest.output("ip", "netns", "add", netns)
        guest.output("ip", "-n", netns, "link", "set", "lo", "up")
    yield Pair(*LINE, ip=lambda *words: guest.output("ip", *words))
    clean(guest, *(functools.partial(guest.output, "ip", "netns", "delete", netns) for netns in LINE))


@pytest.fixture
def started(guest):
    """Pids of the processes that a test has started; they are killed after it."""
    pids = []
    yield pids
    clean(guest, *(functools.partial(guest.end, pid, signal.SIGKILL) for pid in pids))


@pytest.fixture
def no_orphans(guest):
    """This kernel has no INET_DIAG_DESTROY, so orphans of earlier tests cannot be removed. Their timeouts must pass."""
    def gone():
        guest.hurry(100, guests.RESTING)
        return guest.sockstat("orphan") == 0

    wait_for(gone, "the end of all orphans")


def after_s(drill):
    """After this time the drill is reported, about the end that has to act."""
    return (drill["seen_after_s"] if drill.get("seen_finding") else drill["reported_after_s"]) + 2


def grow_old(guest, drill):
    guest.hurry(after_s(drill))


def grown_findings(guest, netns, seconds):
    """Speeds up the clock until there is a finding. On a busy host the guest does little meanwhile, so it may take
    several tries."""
    def found():
        guest.hurry(seconds)
        return guest.diagnose("--netns", netns)["findings"]

    return wait_for(found, "a finding")


def about(diagnosis, finding):
    return [found for found in diagnosis["findings"] if found["id"] == finding]


# --- orphans --------------------------------------------------------------------------------------------------------

def assert_orphans(guest, count, percent):
    assert guest.sockstat("orphan") == count
    diagnosis = guest.diagnose()
    (found,) = about(diagnosis, "orphan-limit")
    limit = int(guest.sysctl("net.ipv4.tcp_max_orphans")[0])
    assert (found["fault"], found["severity"], found["confidence"]) == ("host-settings", "critical", "certain")
    assert (found["count"], found["owner"]) == (count, None), "orphans have no owner"
    assert f"{count:,} orphaned sockets, {percent} % of what the kernel allows ({limit:,})" == found["title"]
    assert (diagnosis["verdict"], diagnosis.status) == ("critical", program.CRITICAL)
    return found


def assert_the_kernel_ends_orphans(guest, netns_pid):
    """The limit is where tcpwhy says it is: with a limit of half the orphans, the kernel resets the others and logs the
    reason."""
    before, orphans = guest.counter("TCPAbortOnMemory", netns_pid), guest.sockstat("orphan")
    guest.output("dmesg", "--clear")
    guest.sysctl("net.core.message_cost", 0)  # no message is left out because there were many
    guest.sysctl("net.ipv4.tcp_max_orphans", orphans // 2)
    guest.hurry(60)
    assert guest.sockstat("orphan") <= orphans // 2
    assert guest.counter("TCPAbortOnMemory", netns_pid) >= before + orphans // 2
    assert "too many orphaned sockets" in guest.output("dmesg")


@pytest.mark.finding("orphan-limit", "drill")
def test_orphan_limit_on_its_drill(guest, no_orphans, started):
    ample = guest.sysctl("net.ipv4.tcp_max_orphans")
    drill = guest.drill("orphan-limit", "--host-limits")
    started.append(drill["pid"])
    grow_old(guest, drill)
    found = assert_orphans(guest, ORPHANS, 80)
    assert found["peers"] == [{"address": "192.0.2.2", "count": drill["count"]}]
    assert_the_kernel_ends_orphans(guest, drill["netns_pid"])
    guest.end(started.pop())
    assert guest.sysctl("net.ipv4.tcp_max_orphans") == ample == [drill["host_limit_before"]]
    assert about(guest.diagnose(), "orphan-limit") == []


@pytest.mark.finding("orphan-limit", "fires")
def test_orphan_limit_on_unanswered_closes(guest, no_orphans, path, started):
    """A hundred connections in LAST_ACK whose peers are gone."""
    ample = guest.sysctl("net.ipv4.tcp_max_orphans")[0]
    made = guest.fault("last_ack_unanswered", **path.arguments(), count=100, link=path.peer_link)
    started.append(made["maker"])
    guest.hurry(8)
    assert about(guest.diagnose(), "orphan-limit") == [], "100 of thousands"
    guest.sysctl("net.ipv4.tcp_max_orphans", 110)
    try:
        found = assert_orphans(guest, 100, 90)
        assert any("LAST_ACK" in line for line in found["evidence"])
        assert_the_kernel_ends_orphans(guest, made["pid"])
    finally:
        guest.sysctl("net.ipv4.tcp_max_orphans", ample)


@pytest.mark.finding("orphan-limit", "quiet")
def test_as_many_orphans_with_an_ample_limit(guest, no_orphans, started):
    drill = guest.drill("fin-wait-1-zero-window", "--count", ORPHANS)
    started.append(drill["pid"])
    grow_old(guest, drill)
    assert guest.sockstat("orphan") == ORPHANS
    # Until the clients have not read for 30 s, part of them is still told by the other end.
    told = {found["id"] for found in guest.diagnose()["findings"]}
    assert told and told <= {"fin-wait-1-zero-window", drill["seen_finding"]}


# --- memory ---------------------------------------------------------------------------------------------------------

def lower_memory(guest):
    """Sets the limits so that the memory in use is between pressure and the hard limit."""
    pages = guest.sockstat("mem")
    guest.sysctl("net.ipv4.tcp_mem", f"{pages // 2} {pages * 3 // 4} {pages * 5 // 4}")


def assert_pressure(guest, pid, conns):
    diagnosis = guest.diagnose()
    (found,) = about(diagnosis, "tcp-memory-pressure")
    assert (found["fault"], found["severity"], found["confidence"]) == ("host-settings", "warning", "certain")
    assert (found["owner"]["pid"], found["owner"]["inferred"]) == (pid, False), "it holds most of it"
    assert re.search(rf"\(pid {pid}\): [\d.]+ MB in the queues of {conns}", "\n".join(found["evidence"]))
    assert re.search(r"7\d|8[0-2]", re.search(r"(\d+) % of the memory", found["title"])[1])
    return found


@pytest.mark.finding("tcp-memory-pressure", "drill")
def test_tcp_memory_pressure_on_its_drill(guest, started):
    ample = guest.sysctl("net.ipv4.tcp_mem")
    drill = guest.drill("tcp-memory-pressure", "--host-limits")
    started.append(drill["pid"])
    wait_for(lambda: guest.counter("TCPMemoryPressures", drill["netns_pid"]) > 0, "the kernel is under pressure")
    found = assert_pressure(guest, drill["owner_pid"], "10[01]")
    assert any("under TCP memory pressure once" in line for line in found["evidence"])
    guest.end(started.pop())
    assert guest.sysctl("net.ipv4.tcp_mem") == ample == drill["host_limit_before"].split()
    assert about(guest.diagnose(), "tcp-memory-pressure") == []


@pytest.mark.finding("tcp-memory-pressure", "fires")
def test_tcp_memory_pressure_of_full_buffers(guest, started):
    ample = " ".join(guest.sysctl("net.ipv4.tcp_mem"))
    made = guest.fault("close_wait_blocked_writer", count=40)
    started.append(made["maker"])
    assert about(guest.diagnose(), "tcp-memory-pressure") == []
    lower_memory(guest)
    try:
        assert_pressure(guest, made["pid"], "40")
        # Above the hard limit the kernel aborts a connection that is closed while it has unsent data.
        pages = guest.sockstat("mem")
        guest.output("dmesg", "--clear")
        before = guest.counter("TCPAbortOnMemory")
        guest.sysctl("net.ipv4.tcp_mem", f"{pages // 8} {pages // 4} {pages // 3}")
        (found,) = about(guest.diagnose(), "tcp-memory-pressure")
        assert found["severity"] == "critical" and "TCP has used up its memory" in found["why"]
        guest.output("kill", "-KILL", made["pid"])
        wait_for(lambda: guest.counter("TCPAbortOnMemory") > before, "the kernel aborts connections")
        assert "out of memory -- consider tuning tcp_mem" in guest.output("dmesg")
    finally:
        guest.sysctl("net.ipv4.tcp_mem", ample)


@pytest.mark.finding("tcp-memory-pressure", "quiet")
def test_as_full_buffers_with_ample_memory(guest, started):
    drill = guest.drill("established-zero-window", "--count", "100")
    started.append(drill["pid"])
    assert guest.sockstat("mem") > 2000, "8 MB"
    grow_old(guest, drill)
    assert [found["id"] for found in guest.diagnose()["findings"]] == [drill["seen_finding"]]


# --- what was lowered is put back -----------------------------------------------------------------------------------

HOST_LIMITS = ["orphan-limit", "tcp-memory-pressure"]


@pytest.mark.parametrize("finding", HOST_LIMITS)
@pytest.mark.parametrize("who, how", [
    ("tcpwhy", signal.SIGINT), ("tcpwhy", signal.SIGKILL), ("drill-stage", signal.SIGKILL), ("owner", signal.SIGTERM)])
def test_the_limit_is_put_back(guest, finding, who, how):
    name = {"orphan-limit": "net.ipv4.tcp_max_orphans", "tcp-memory-pressure": "net.ipv4.tcp_mem"}[finding]
    ample = guest.sysctl(name)
    drill = guest.drill(finding, "--host-limits", "--count", "20")
    assert drill["host_limit"] == name and guest.sysctl(name) != ample
    if who == "tcpwhy":
        guest.end(drill["pid"], how)
    else:
        pid = drill["owner_pid"] if who == "owner" else guest.output("pgrep", "-x", who).strip()
        guest.output("kill", f"-{int(how)}", pid)
        assert guest.end(drill["pid"], 0) == 0, "it ends by itself"
    wait_for(lambda: guest.sysctl(name) == ample, f"{name} is as before")
    wait_for(lambda: guest.run("pgrep", "drill-")[0] == 1, "no process is left")


def test_a_user_may_not_lower_the_hosts_limits(guest):
    status, said = guest.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                             program.path(), "drill", "orphan-limit", "--host-limits")
    assert status == program.FAILED and "it takes root" in said


# --- hours ----------------------------------------------------------------------------------------------------------

IDLE = {
    # variant → its settings
    "silent": {},
    "keepalive": {"keepalive": True},
    "talks": {"say_every_s": 1450},
}


@pytest.fixture
def two_hours_later(guest):
    """The drill and connections made without it, two hours later. Made once in each guest."""
    if not hasattr(guest, "two_hours_later"):
        guest.two_hours_later = grow_idle(guest)
    return guest.two_hours_later


def grow_idle(guest):
    guest.output("ip", "netns", "add", "idle-here")
    guest.output("ip", "netns", "add", "idle-there")
    path = Pair("idle-here", "idle-there", ip=lambda *words: guest.output("ip", *words))
    drill = guest.drill("established-idle", "--for", "3h")
    made = {name: guest.fault("established_idle", **path.arguments(), count=30, **variant)
            for name, variant in IDLE.items()}
    young = guest.diagnose()
    for _ in range(5):  # between the steps the connections have time to talk
        guest.hurry((2 * HOUR + 100) / 5, guests.RESTING)
        guest.hurry(10)
    return {"drill": drill, "young": young, "old": guest.diagnose(), **made}


def idle_of(diagnosis, pid):
    return [found for found in diagnosis.findings_of(pid) if found["id"] == "established-idle"]


@pytest.mark.parametrize("name, pid, count", [
    pytest.param("drill", "owner_pid", 50, marks=pytest.mark.finding("established-idle", "drill"), id="drill"),
    pytest.param("silent", "pid", 30, marks=pytest.mark.finding("established-idle", "fires"), id="silent"),
])
def test_idle_for_two_hours(two_hours_later, name, pid, count):
    made = two_hours_later[name]
    assert idle_of(two_hours_later["young"], made[pid]) == []
    (found,) = idle_of(two_hours_later["old"], made[pid])
    assert (found["fault"], found["severity"], found["count"]) == ("none", "info", count)
    assert 2 * HOUR <= found["age_s"]["oldest"] < 2.5 * HOUR
    assert found["local"]["port"] == made["port"]


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.finding("established-idle", "quiet")) for name in ("keepalive", "talks")])
def test_as_old_but_not_unnoticed(guest, two_hours_later, name):
    made = two_hours_later[name]
    assert two_hours_later["old"].findings_of(made["pid"], made["peer_pid"]) == []
    rows = json.loads(guest.output(program.path(), "list", "--json", "--port", made["port"], "--netns", "idle-here"))
    assert rows, "there was something to judge"


# --- another kernel -------------------------------------------------------------------------------------------------

# This kernel has no nf_tables for IPv4, so it cannot drop packets.
LOSE_PACKETS = {
    "last-ack-unanswered", "fin-wait-1-unanswered", "closing-unanswered", "syn-sent-unanswered", "syn-recv-unanswered",
    "syn-recv-flood", "established-unanswered",
}
ON_THIS_KERNEL = [finding for finding in DRILLS if finding not in LOSE_PACKETS and finding not in TAKES_HOURS]


@pytest.mark.parametrize("finding", ON_THIS_KERNEL)
def test_drills_on_this_kernel(guest, started, finding):
    expected, drill = DRILLS[finding], guest.drill(finding)
    started.append(drill["pid"])
    seen = drill.get("seen_finding")  # the end that has to act is the other one
    (found,) = grown_findings(guest, drill["netns_pid"], after_s(drill))
    assert (found["id"], found["fault"]) == (seen or finding, "local-application" if seen else expected.fault)
    if expected.owned:
        assert found["owner"]["pid"] == drill["peer_pid" if seen else "owner_pid"]
    if expected.counted:
        assert found["count"] == drill["count"]


def test_unanswered_closes_on_this_kernel(guest, path, started):
    made = guest.fault("last_ack_unanswered", **path.arguments(), count=30, link=path.peer_link)
    started.append(made["maker"])
    (found,) = grown_findings(guest, "near", 12)
    assert (found["id"], found["count"], found["fault"]) == ("last-ack-unanswered", 30, "peer-or-path")
    assert (found["owner"]["pid"], found["owner"]["inferred"]) == (made["pid"], True)


# Claims of the knowledge pages that neither wait nor lose packets. test_claims.py measures all on the host's kernel.
CLAIMS_HERE = [
    "an_unread_fin_counts_one", "bytes_before_an_unread_fin", "the_trap_of_a_fin_with_data", "close_with_unread_data",
    "time_wait_is_60_s", "time_wait_is_on_the_side_that_closed_first", "linger_0_is_counted",
    "the_first_write_succeeds", "a_close_that_lingers_in_fin_wait_2", "one_more_than_the_backlog_waits",
    "established_without_a_process", "ports_of_bind_without_port", "a_reset_socket_keeps_its_port",
    "the_last_copy_sends_the_fin", "more_than_max_tw_buckets", "default_of_tcp_fin_timeout", "default_of_somaxconn",
    "default_of_ip_autobind_reuse",
]


def test_pages_hold_on_this_kernel(guest):
    measured = {}
    for first in range(0, len(CLAIMS_HERE), 6):  # the guest has to answer in time
        run = guest.output(sys.executable, Path(__file__).parent / "claims/run.py", *CLAIMS_HERE[first:first + 6])
        for line in run.splitlines():
            measured.update(json.loads(line))
    wrong = {name: measured.get(name) for name in CLAIMS_HERE
             if "value" not in measured.get(name, {}) or not CLAIMS[name].holds(measured[name]["value"])}
    assert wrong == {}


def test_the_kernel_is_another(guest, record_property):
    here, there = os.uname().release, guest.output("uname", "-r").strip()
    assert guest.diagnose()["host"]["kernel"] == there
    record_property("note", f"a kernel of its own: Linux {there} (User Mode Linux), on Linux {here}")
