"""No finding comes and goes on a host where nothing changes: thirty looks at a drill of each, all of them at once.

What test_keepalive.py does for faults that keepalive may disturb, this does for all that lasts.
"""

import subprocess
import time

import pytest

import privileges
import program
from test_drill import DRILLS, Drill, end_all

LOOKS, LOOKS_AT_LEAST = 30, 3
SETTLED_S = 33  # what is judged from 30 s on is, by then
SEVERITIES = ("info", "warning", "critical")
CONFIDENCES = ("possible", "likely", "certain")
# What these are made of goes on or ends by itself, so that numbers, or the fault, change while it is looked at.
CHANGES = {"time-wait-churn", "time-wait-overflow", "syn-sent-unanswered", "syn-recv-flood", "syn-recv-unanswered",
           "fin-wait-2-orphaned"}
HOURS = {"established-idle"}
# The kernel gives these up after a minute: they are looked at first. test_keepalive.py has them with longer lives.
ORPHANS = {"last-ack-unanswered", "last-ack-zero-window", "fin-wait-1-unanswered", "fin-wait-1-zero-window",
           "closing-unanswered"}
LASTING = sorted(set(DRILLS) - CHANGES - HOURS)
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))


def start(drills, findings):
    begun = {finding: Drill(finding, "--for", "900") for finding in findings}
    drills.update(begun)
    for drill in begun.values():
        drill.wait_until_it_stands()
    return begun


def is_whole(drill):
    """Whether the kernel has given none of its connections up."""
    try:
        return drill.states()[DRILLS[drill.finding].state] == drill.count
    except subprocess.CalledProcessError:  # its process has gone
        return False


def look(drills, age_s):
    """{finding: [what is said of its drill in each look]}"""
    seen = {finding: [] for finding in drills}
    time.sleep(max(0, max(drill.stood_at for drill in drills.values()) + age_s - time.monotonic()))
    for _ in range(LOOKS):
        found = program.diagnose(sampled=True)["findings"]
        for finding, drill in drills.items():
            if finding not in ORPHANS or is_whole(drill):
                seen[finding].append([f for f in found if f["netns"] == f"net:[{drill.netns_inode}]"])
    return seen


@pytest.fixture(scope="module")
def looks():
    drills = {}
    try:
        orphans = start(drills, sorted(ORPHANS))
        seen = look(orphans, 1 + max(drill.reported_after_s for drill in orphans.values()))
        seen.update(look(start(drills, sorted(set(LASTING) - ORPHANS)), SETTLED_S))
        yield seen
    finally:
        end_all(drills)


@pytest.mark.parametrize("finding", LASTING)
def test_a_drill_is_told_alike_in_every_look(looks, finding):
    found = looks[finding]
    assert len(found) >= (LOOKS_AT_LEAST if finding in ORPHANS else LOOKS)
    told = [sorted((f["id"], f["count"], f["fault"]) for f in findings) for findings in found]
    assert finding in [id for id, *_ in told[0]]
    assert {str(findings) for findings in told} == {str(told[0])}
    main = [next(f for f in findings if f["id"] == finding) for findings in found]
    for key, ranks in ("severity", SEVERITIES), ("confidence", CONFIDENCES):
        values = [ranks.index(f[key]) for f in main]
        assert values == sorted(values), f"its {key} may rise with the time, not fall"
