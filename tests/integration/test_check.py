"""tcpwhy check in practice: quiet where a count of connections raises false alarms, and loud within one interval of a
fault.

With TCPWHY_HEALTHY_S=600 the healthy load runs for ten minutes.
"""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

import loads
import privileges
import program
from far import SERVICE, FarApart
from netns import Namespaces
from software import PORT, PROGRAMS, Software, why_missing
from test_drill import DRILLS, Drill

HEALTHY_S = float(os.environ.get("TCPWHY_HEALTHY_S", "30"))
EVERY_S = 2.5
DELAY_S = 0.45
SOCKETS = 6000
CLASSIC_WARNING, CLASSIC_CRITICAL = 100, 500
STATES = ("LAST_ACK", "TIME_WAIT", "CLOSE_WAIT")


@pytest.fixture(scope="module", autouse=True)
def samples_of_their_own(tmp_path_factory):
    """The state files of the checks are removed with the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("samples")))
        yield


def check(*words, **how):
    """Returns (exit status, first line)."""
    done = program.run("check", "--timeout", 50, *words, **how)  # the machine may be busy
    assert done.stderr == b""
    return done.returncode, done.stdout.decode().partition("\n")[0]


def classic(netns, state):
    """What people use today: the count, and the status that a plugin makes of it."""
    count = int(subprocess.run(["ip", "netns", "exec", netns, "sh", "-c", f"netstat -an | grep -c {state}"],
                               capture_output=True, text=True).stdout)
    return count, (program.CRITICAL if count > CLASSIC_CRITICAL else
                   program.WARNING if count > CLASSIC_WARNING else program.HEALTHY)


# --- healthy --------------------------------------------------------------------------------------------------------

class ComeAndGo(threading.Thread):
    """Hundreds of distant clients come and go at the same time. Their last acknowledgements take a while to arrive."""

    def __init__(self, software, netns, count=800):
        super().__init__(daemon=True)
        self.crowd, self.count, self.over, self.rounds = software.crowd(netns), count, threading.Event(), 0

    def run(self):
        try:
            while not self.over.is_set():
                self.crowd.do("open", address=SERVICE, port=PORT, count=self.count, wait=False)
                self.over.wait(3 * DELAY_S)
                self.crowd.do("close")
                self.rounds += 1
                self.over.wait(DELAY_S)
        except RuntimeError:  # its process was ended together with the others
            if not self.over.is_set():
                raise

    def stop(self):
        self.over.set()
        self.join(10)


class Tally:
    def __init__(self):
        self.checks, self.alarms = 0, []
        self.classic = {state: [] for state in STATES}

    def look(self, netns):
        for words in ((), ("--state", "LAST_ACK", "--older", "5s", "-w", CLASSIC_WARNING, "-c", CLASSIC_CRITICAL)):
            status, line = check("--netns", "self", *words, netns=netns)
            self.checks += 1
            if status != program.HEALTHY:
                self.alarms.append(line)
        for state in STATES:
            self.classic[state].append(classic(netns, state))

    def criticals(self, state):
        return sum(status == program.CRITICAL for _, status in self.classic[state])

    def note(self):
        told = ", ".join(f"{state} critical {self.criticals(state)} times (up to {max(self.classic[state])[0]:,})"
                         for state in STATES if self.criticals(state))
        return (f"{self.checks} checks, {len(self.alarms)} alarms; "
                f"of {len(self.classic['LAST_ACK'])} runs of grep -c: {told}")


def load_for_a_while(tally, seconds):
    """Real servers with short connections over a long path: all healthy. The loads of loads.py end after some time."""
    software, namespaces = Software(), Namespaces()
    try:
        busy = namespaces.add()
        loaded = loads.nginx_without_keepalive(software, busy)
        streams = namespaces.add()
        loads.half_closed_transfer(software, streams)
        far = FarApart(namespaces, software, DELAY_S)
        software.nginx(far.service, listen="backlog=4096", keepalive_timeout=60)
        crowds = [ComeAndGo(software, far.clients) for _ in range(2)]
        for crowd in crowds:
            crowd.start()
            time.sleep(2 * DELAY_S)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            for netns in (busy, streams, far.service):
                tally.look(netns)
            time.sleep(max(0, EVERY_S - (time.monotonic() - began)))
        for crowd in crowds:
            crowd.stop()
            assert crowd.rounds >= seconds / 10
        return loaded
    finally:
        software.stop_all()
        namespaces.remove_all()


def test_counting_cries_wolf_and_check_does_not(record_property):
    if reason := why_missing("nginx", "wrk", "node"):
        pytest.skip(reason)
    tally = Tally()
    began = time.monotonic()
    while (left := began + HEALTHY_S - time.monotonic()) > 0:
        load_for_a_while(tally, min(left, 50))
    for _ in range(3):  # a false alarm of counting lasts only a moment, and a busy machine may miss it
        if not (tally.criticals("TIME_WAIT") and tally.criticals("LAST_ACK")):
            load_for_a_while(tally, 50)
    record_property("note", f"healthy load for {time.monotonic() - began:.0f} s: {tally.note()}")
    assert tally.alarms == []
    assert tally.criticals("TIME_WAIT") > 0 and tally.criticals("LAST_ACK") > 0, tally.note()


# --- faults ---------------------------------------------------------------------------------------------------------

CLOSE_WAIT_DRILLS = [finding for finding in DRILLS if finding.startswith("close-wait-")]
INTERVAL_S = 15  # between two checks; Nagios usually checks every minute or five minutes


@pytest.fixture(scope="module", name="alarms")
def seen_by_checks():
    """Runs the drills and checks each after an interval. Returns {finding: [(status, line), …, drill]}."""
    if reason := privileges.without_netns():
        pytest.skip(reason)
    drills = {}
    try:
        for finding in CLOSE_WAIT_DRILLS:
            drills[finding] = Drill(finding, "--for", "300").wait_until_it_stands()
        seen = {finding: [] for finding in drills}
        for finding, drill in drills.items():
            time.sleep(max(0, drill.stood_at + INTERVAL_S - time.monotonic()))
            seen[finding].append(check("--netns", drill.netns_pid))
            seen[finding].append(check("--netns", drill.netns_pid, "--state", "CLOSE_WAIT", "-w", 1, "-c", 10))
            seen[finding].append(drill)
        yield seen
    finally:
        for drill in drills.values():
            drill.end()


@pytest.mark.parametrize("finding", CLOSE_WAIT_DRILLS)
def test_alarm_within_one_interval(alarms, finding, record_property):
    after, counted, drill = alarms[finding]
    record_property("note", f"{finding}: {after[1].partition(' | ')[0]}")
    assert after[0] == program.WARNING, "critical from one minute on"
    assert "TCPWHY WARNING - drill-" in after[1] and f" (pid {drill.owner_pid})" in after[1]
    assert f" {drill.count} " in after[1]
    assert counted[0] == program.CRITICAL and f"CLOSE_WAIT: {drill.count} (" in counted[1] and finding in counted[1]


def test_all_is_well_again(tmp_path):
    if reason := privileges.without_netns():
        pytest.skip(reason)
    drill = Drill("close-wait-leak", "--in-host", "--count", "20", "--keep").wait_until_it_stands()
    try:
        where = ("--port", drill.port, "--samples", tmp_path / "samples")
        young = check(*where)[0]
        if time.monotonic() - drill.stood_at < 4:
            assert young == program.HEALTHY, "what has just begun may end by itself"
        time.sleep(drill.reported_after_s + 1)
        assert check(*where)[0] == program.WARNING
    finally:
        drill.end()
    assert check(*where)[0] == program.HEALTHY


# --- cost -----------------------------------------------------------------------------------------------------------

def test_it_costs_no_more_than_counting(record_property):
    """Measures both in turns, in separate namespaces, so that the other processes of this host do not count."""
    if reason := privileges.without_netns() or privileges.without_tool("netstat"):
        pytest.skip(reason)
    done = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--mount-proc", sys.executable, PROGRAMS / "cost.py", str(SOCKETS), "9",
         "netstat -an | grep -c LAST_ACK", f"{program.path()} check --netns self --state LAST_ACK -w 100 -c 500"],
        capture_output=True, text=True, check=True)
    counting, ours = json.loads(done.stdout)
    record_property("note", f"{SOCKETS:,} sockets: check {1000 * ours:.0f} ms of computing, netstat -an | grep -c "
                            f"{1000 * counting:.0f} ms: {ours / counting:.2f} times")
    assert ours < 1.5 * counting
