"""LAST_ACK without an owner: the inferred owner, the time left, and whether the kernel keeps it."""

import time

import pytest

import program
from sockets import on_port, wait_for

SLACK_S = 12
SETTLED_S = 5  # a younger LAST_ACK is normal


def left_of(diagnosis, made):
    (finding,) = diagnosis.findings_about(made)
    return finding["give_up_s"]["last"]


@pytest.mark.needs("unanswered")
def test_owner_is_inferred_from_the_listener(world, report):
    made = world["unanswered"]
    (finding,) = report.findings_about(made)
    assert finding["owner"]["inferred"] is True
    assert (finding["owner"]["pid"], finding["owner"]["name"]) == (made.pid, "gone-service")
    assert finding["netns"] == world.path.service
    assert {c["inode"] for c in finding["connections"]} <= {0, None}, "nobody holds an orphan"
    assert finding["fault"] != "local-application", "the application has closed"


@pytest.mark.last
@pytest.mark.needs("unanswered")
def test_time_left_falls_and_is_kept(world, report, record_property):
    """The time left decreases between two diagnoses. Then the kernel gives the connections up at about that time."""
    made = world["unanswered"]
    first_at = time.time() - seconds_since(report["taken_at"])
    first = left_of(report, made)
    assert 20 < first < 110

    second_report = program.diagnose("--netns", world.path.service)
    passed = time.time() - first_at
    if second_report.findings_about(made):
        second = left_of(second_report, made)
        assert second == pytest.approx(first - passed, abs=5)
    else:
        assert passed > first - SLACK_S

    due = first_at + first
    gone = wait_for(lambda: not on_port(made.port, netns=world.path.service) and time.time(),
                    "the kernel gives the connections up", max(due - time.time(), 0) + SLACK_S)
    record_property("note", f"LAST_ACK, time left: estimated {first:.1f} s, took {gone - first_at:.1f} s")
    assert gone > due - SLACK_S or passed > first - SLACK_S
    after = program.diagnose("--port", made.port, "--netns", made.netns)
    assert (after.status, after["findings"]) == (program.HEALTHY, [])


def seconds_since(timestamp):
    from datetime import datetime, timezone
    return (datetime.now(timezone.utc) - datetime.fromisoformat(timestamp)).total_seconds()


@pytest.mark.needs("unanswered")
@pytest.mark.finding("last-ack-unanswered", "quiet")
def test_answered_late(world):
    """Two or three retransmissions, then the acknowledgement: normal on a bad path, and nothing is left."""
    began = time.monotonic()
    made = world.faults.start("last_ack_answered_late", **world.path.arguments(), count=4)
    wait_for(lambda: len(on_port(made.port, "LAST_ACK", world.path.service)) == made.count, "LAST_ACK")
    # After two retransmissions; and after three, within the first five seconds.
    for pause in (0.7, 1.6):
        time.sleep(pause)
        during = program.diagnose("--port", made.port, "--netns", world.path.service)
        assert during["totals"]["by_state"].get("LAST_ACK") == made.count
        if time.monotonic() - began < SETTLED_S:  # on a busy machine the second diagnosis may be too late
            assert (during.status, during["findings"]) == (program.HEALTHY, [])
    made.step()
    wait_for(lambda: not on_port(made.port, netns=world.path.service), "the acknowledgement arrives", 15)


@pytest.mark.needs("zero_window")
@pytest.mark.finding("last-ack-zero-window", "quiet")
def test_young_zero_window(world):
    made = world.faults.start("last_ack_zero_window", **world.path.arguments(), count=2)
    wait_for(lambda: len(on_port(made.port, "LAST_ACK", world.path.service)) == made.count, "LAST_ACK")
    time.sleep(1)  # the persist timer runs
    young = program.diagnose("--port", made.port, "--netns", world.path.service)
    assert young["totals"]["by_state"].get("LAST_ACK") == made.count
    assert (young.status, young["findings"]) == (program.HEALTHY, [])
    made.stop()
