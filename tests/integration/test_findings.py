"""Every finding fires on a real fault, with the right owner, count and peers, and is quiet on its look-alike."""

import subprocess
import time

import pytest

import program
from listing import rows
from maker import Faults
from sockets import on_port, sockets, wait_for

LOCAL, PEER, PATH = "local-application", "peer-application", "peer-or-path"


def fires(name, finding, fault, severity="info", **more):
    return pytest.param(name, finding, fault, severity, more, id=f"{finding}:{name}",
                        marks=pytest.mark.finding(finding, "fires"))


# A few connections are reported as info without an alarm, unless their process cannot act.
FIRES = [
    fires("leak", "close-wait-leak", LOCAL, "warning"),
    fires("leak_near_limit", "close-wait-leak", LOCAL, "critical"),
    fires("leak_client", "close-wait-leak", LOCAL, outgoing=True),
    fires("leak_ipv6", "close-wait-leak", LOCAL, peer="::1"),
    fires("leak_mapped", "close-wait-leak", LOCAL),
    fires("leak_hostile", "close-wait-leak", LOCAL),
    fires("named", "close-wait-leak", LOCAL, "warning"),
    fires("unshared", "close-wait-leak", LOCAL),
    fires("contained", "close-wait-leak", LOCAL),
    fires("hostile_unit", "close-wait-leak", LOCAL),
    fires("unread", "close-wait-unread", LOCAL, "warning"),
    fires("unread_data", "close-wait-unread", LOCAL),
    fires("stopped", "close-wait-unread", LOCAL, "warning"),
    fires("unread_locked", "close-wait-unread", LOCAL, "warning"),
    fires("unread_elsewhere", "close-wait-unread", LOCAL, "warning"),
    fires("tls", "close-wait-unread", LOCAL, outgoing=True),
    fires("not_accepted", "close-wait-not-accepted", LOCAL, "warning", inferred=True),
    fires("inherited", "close-wait-inherited", LOCAL, "warning"),
    fires("inherited_exec", "close-wait-inherited", LOCAL),
    fires("blocked_writer", "close-wait-blocked-writer", PEER, "warning"),
    fires("lost_writer", "close-wait-blocked-writer", PATH, peer="10.177.0.2"),
    fires("unanswered", "last-ack-unanswered", PATH, "warning", peer="10.177.0.2", inferred=True),
    fires("unanswered_one_way", "last-ack-unanswered", PATH, peer="10.177.0.2", inferred=True),
    fires("link_down", "last-ack-unanswered", PATH, peer="10.177.0.2", inferred=True),
    fires("zero_window", "last-ack-zero-window", PEER, "warning", peer="10.177.0.2", inferred=True),
    fires("zero_window_loopback", "last-ack-zero-window", PEER, inferred=True),
]
STATUS_OF_SEVERITY = {"info": program.HEALTHY, "warning": program.WARNING, "critical": program.CRITICAL}


def confidence_of(finding):
    """A CLOSE_WAIT of a few seconds is likely to be stuck; after a minute it is certain. The others have direct
    evidence."""
    return "certain" if finding.startswith("last-ack") or finding == "close-wait-not-accepted" else "likely"


@pytest.mark.parametrize("name, finding, fault, severity, more", FIRES)
def test_fires(world, report, name, finding, fault, severity, more):
    made = world[name]
    found = report.findings_about(made)
    assert [f["id"] for f in found] == [finding]
    (found,) = found
    assert found["owner"] is not None and found["owner"]["pid"] == made.pid
    assert found["owner"]["inferred"] is more.get("inferred", False)
    assert found["count"] == made.count
    assert found["fault"] == fault
    assert found["confidence"] == confidence_of(finding)
    assert found["severity"] == severity
    assert found["peers"] == [{"address": more.get("peer", "127.0.0.1"), "count": made.count}]
    assert 5 <= found["age_s"]["oldest"] <= world.seconds_old(report) + 1
    if more.get("outgoing"):
        assert (found["remote"]["port"], found["local"]["port"]) == (made.port, None)
    else:
        assert (found["local"]["port"], found["remote"]) == (made.port, None)
    for part in ("title", "why", "evidence", "fix_now", "fix_for_good", "will_not_help"):
        assert found[part], part
    assert f"{made.count:,}" in found["title"]


@pytest.mark.parametrize("name, finding, fault, severity, more", FIRES)
def test_exit_status(world, name, finding, fault, severity, more):
    """Each alone, selected by its port."""
    alone = program.diagnose("--port", world[name].port, "--netns", world[name].netns)
    assert [f["id"] for f in alone["findings"]] == [finding]
    assert alone.status == STATUS_OF_SEVERITY[alone["findings"][0]["severity"]]
    assert alone.status >= STATUS_OF_SEVERITY[severity], "it may have become worse with age"


def quiet(name, *findings):
    return pytest.param(name, id=name, marks=[pytest.mark.finding(f, "quiet") for f in findings])


@pytest.mark.parametrize("name", [
    quiet("flow", "close-wait-leak", "close-wait-blocked-writer"),
    quiet("churn", "close-wait-leak", "close-wait-unread", "last-ack-unanswered"),
    quiet("fork_server", "close-wait-inherited"),
    quiet("slow_reader", "close-wait-unread", "last-ack-zero-window", "close-wait-blocked-writer"),
])
def test_quiet(world, report, name):
    made = world[name]
    assert report.findings_about(made) == []
    assert report.findings_of(made.pid, made.peer_pid) == []
    alone = program.diagnose("--port", made.port)
    assert (alone["verdict"], alone.status, alone["findings"]) == ("healthy", program.HEALTHY, [])
    assert alone["totals"]["connections"] > 0, "there was something to judge"


def test_all_at_once(world, report):
    """Six processes on one host: five findings with the right pids and counts, and none for the half-closed pair."""
    scene = ["leak", "unread", "not_accepted", "stopped", "inherited", "flow"]
    ports = {world[name].port for name in scene}
    found = [f for f in report["findings"] if f["local"] and f["local"]["port"] in ports and f["netns"] == "host"]
    assert {(f["id"], f["owner"]["pid"], f["count"]) for f in found} == {
        ("close-wait-leak", world["leak"].pid, 300),
        ("close-wait-unread", world["unread"].pid, 40),
        ("close-wait-not-accepted", world["not_accepted"].pid, 50),
        ("close-wait-unread", world["stopped"].pid, 20),
        ("close-wait-inherited", world["inherited"].pid, 12),
    }
    assert len(found) == 5
    assert report["verdict"] in ("warning", "critical")


def test_one_cause_one_finding(world, report):
    """The peers' ends are on this host too, in FIN_WAIT_2 because the service has not closed. They are evidence, not
    findings."""
    for name in ("leak", "unread", "blocked_writer", "zero_window_loopback", "leak_client"):
        assert report.findings_of(world[name].peer_pid) == []


def test_worst_first(report):
    ranks = [["critical", "warning", "info"].index(f["severity"]) for f in report["findings"]]
    assert ranks == sorted(ranks)


# --- proof and words -------------------------------------------------------------------------------------------------

def words_of(finding):
    fixes = [f"{fix['text']} {fix.get('command') or ''}" for fix in finding["fix_now"] + finding["fix_for_good"]]
    return "\n".join([finding["title"], finding["why"], *finding["evidence"], *finding["ruled_out"],
                      *finding["will_not_help"], *fixes])


@pytest.mark.parametrize("name, needles", [
    ("stopped", ["stopped"]),
    ("unread_locked", ["futex"]),
    ("tls", ["close_notify"]),
    ("inherited", ["inherit-child"]),
    ("inherited_exec", ["sleep"]),
    ("blocked_writer", ["window"]),
    ("zero_window", ["window"]),
])
def test_proof_names(world, report, name, needles):
    made = world[name]
    (finding,) = report.findings_about(made)
    for needle in needles:
        assert needle in words_of(finding)


def test_proof_names_the_second_holder(world, report):
    (finding,) = report.findings_about(world["inherited"])
    assert str(world["inherited"].child_pid) in words_of(finding)


def test_proof_names_where_a_process_hangs(world, report):
    """All threads of the process wait for an answer of the database. The evidence names its address."""
    (finding,) = report.findings_about(world["unread_elsewhere"])
    assert f"127.0.0.1:{world['unread_elsewhere'].database_port}" in words_of(finding)


def test_queues_as_ss_sees_them(world, report):
    for name in ("leak", "unread", "unread_data", "stopped", "not_accepted", "blocked_writer", "tls"):
        made = world[name]
        (finding,) = report.findings_about(made)
        expected = {(f"{s.local[0]}:{s.local[1]}", f"{s.remote[0]}:{s.remote[1]}"): (s.recv_q, s.send_q)
                    for s in sockets_of(made)}
        shown = {(c["local"], c["remote"]): (c["recv_q"], c["send_q"]) for c in finding["connections"]}
        assert shown == expected
        if hasattr(made, "recv_q"):
            assert {recv_q for recv_q, _ in shown.values()} == {made.recv_q}


def sockets_of(made):
    return [s for s in sockets() if s.state == "CLOSE_WAIT" and made.port in (s.local[1], s.remote[1])]


# --- a half-close, or a leak ------------------------------------------------------------------------------------------

def seen_from_the_service_only(world, name, folder):
    """The capture of ss at the service, where nothing is known of the other host."""
    done = subprocess.run(["ip", "netns", "exec", world.path.service, "ss", "-tanpiemo"], capture_output=True,
                          check=True)
    (folder / "ss.txt").write_bytes(done.stdout)
    return program.diagnose("--from", folder / "ss.txt", "--port", world[name].port)


@pytest.mark.finding("close-wait-leak", "quiet")
def test_a_server_at_work_on_the_answer(world, report, tmp_path):
    """The peers have shut down their sending side and wait for the answer: info at first, and never certain."""
    (live,) = report.findings_about(world["at_work"])
    assert (live["id"], live["severity"], live["confidence"]) == ("close-wait-leak", "info", "likely")
    assert "half-close" in words_of(live)
    alone = seen_from_the_service_only(world, "at_work", tmp_path)
    (found,) = alone["findings"]
    young = found["age_s"]["oldest"] < 60
    assert (found["id"], found["confidence"]) == ("close-wait-leak", "likely")
    assert (found["severity"], alone.status) == (("info", program.HEALTHY) if young else ("warning", program.WARNING))
    sent = f"On {world['at_work'].count} of them the peer has sent something, and nothing was ever sent back"
    assert sent in words_of(found)


@pytest.mark.finding("close-wait-leak", "fires")
def test_who_has_answered_has_nothing_more_to_do(world, tmp_path):
    alone = seen_from_the_service_only(world, "answered", tmp_path)
    (found,) = alone["findings"]
    assert (found["id"], found["severity"], found["count"]) == ("close-wait-leak", "warning", world["answered"].count)
    assert "no peer that still waits has asked and got nothing" in words_of(found)


# --- young, old, gone ------------------------------------------------------------------------------------------------

@pytest.mark.finding("close-wait-leak", "quiet")
@pytest.mark.finding("close-wait-unread", "quiet")
@pytest.mark.finding("close-wait-not-accepted", "quiet")
@pytest.mark.finding("close-wait-inherited", "quiet")
def test_young_is_quiet_until_it_is_old():
    makers = {"close_wait_leak": "close-wait-leak", "close_wait_unread": "close-wait-unread",
              "close_wait_not_accepted": "close-wait-not-accepted", "close_wait_inherited": "close-wait-inherited"}
    for _ in range(5):  # on a busy machine they may grow old before they are diagnosed
        with Faults() as faults:
            began = time.monotonic()
            made = {finding: faults.begin(maker) for maker, finding in makers.items()}
            for fault in made.values():
                fault.wait_ready()
            young = program.diagnose("--port", ",".join(str(m.port) for m in made.values()))
            if time.monotonic() - began > 4.5:
                continue
            assert young["totals"]["by_state"]["CLOSE_WAIT"] == 12
            assert (young.status, young["findings"]) == (program.HEALTHY, [])
            time.sleep(6.5)
            old = program.diagnose()
            for finding, fault in made.items():
                assert [f["id"] for f in old.findings_about(fault)] == [finding]
            return
    pytest.fail("never saw them young: this machine is too busy")


@pytest.mark.last
def test_many_and_old_is_critical(world):
    """The same leak a minute later; the test that waits for the end of LAST_ACK has run before."""
    wait_for(lambda: rows("--port", world["leak"].port, "--older", "60s"), "the leak is a minute old", 70)
    alone = program.diagnose("--port", world["leak"].port)
    assert (alone["verdict"], alone.status) == ("critical", program.CRITICAL)
    assert [(f["id"], f["severity"]) for f in alone["findings"]] == [("close-wait-leak", "critical")]
    certain = alone["findings"][0]["age_s"]["oldest"] >= 300  # the tests before this one take some time
    assert alone["findings"][0]["confidence"] == ("certain" if certain else "likely")


@pytest.mark.finding("close-wait-leak", "quiet")
def test_gone_with_its_process(world, report):
    """The kernel closes the sockets of a process that exits, so nothing is found."""
    made = world["leak_until_exit"]
    assert [f["count"] for f in report.findings_of(made.pid)] == [made.count]
    made.stop()
    wait_for(lambda: not on_port(made.port, "CLOSE_WAIT"), "the kernel closed what the process held")
    alone = program.diagnose("--port", made.port)
    assert (alone.status, alone["findings"]) == (program.HEALTHY, [])
