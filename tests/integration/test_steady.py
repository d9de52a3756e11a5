"""No finding comes and goes on a host where nothing changes: thirty diagnoses of a drill of each, all at once.

test_keepalive.py does this for faults that keepalive may disturb. This module does it for all faults that last.
"""

import subprocess
import time

import pytest

import privileges
import program
from test_drill import DRILLS, Drill, end_all

LOOKS, LOOKS_AT_LEAST = 30, 3
SETTLED_S = 33  # after this time, what is judged after 30 s has been judged
SEVERITIES = ("info", "warning", "critical")
CONFIDENCES = ("possible", "likely", "certain")
# Their connections change or end by themselves. So counts, or the fault, change during the test.
CHANGES = {"time-wait-churn", "time-wait-overflow", "syn-sent-unanswered", "syn-recv-flood", "syn-recv-unanswered",
           "fin-wait-2-orphaned"}
HOURS = {"established-idle"}
# The kernel gives these up after a minute, so they are diagnosed first. test_keepalive.py has them with longer
# timeouts.
ORPHANS = {"last-ack-unanswered", "last-ack-zero-window", "fin-wait-1-unanswered", "fin-wait-1-zero-window",
           "closing-unanswered"}
# After 30 s its finding is that of the clients, which do not read.
TWO_ENDS = {"fin-wait-1-zero-window"}
LASTING = sorted(set(DRILLS) - CHANGES - HOURS)
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))


def start(drills, findings):
    begun = {finding: Drill(finding, "--for", "900") for finding in findings}
    drills.update(begun)
    for drill in begun.values():
        drill.wait_until_it_stands()
    return begun


def is_whole(drill):
    """True if the kernel has not given up any of its connections."""
    try:
        return drill.states()[DRILLS[drill.finding].state] == drill.count
    except subprocess.CalledProcessError:  # its process has ended
        return False


def is_about(found, drill):
    """True if it is about one of the drill's ends: its namespace, or the process of the other end."""
    of_peer = found["owner"] is not None and found["owner"]["pid"] == drill.peer_pid
    return of_peer or found["netns"] == f"net:[{drill.netns_inode}]"


def look(drills, age_s):
    """Returns {finding: [the findings about its drill in each diagnosis]}."""
    seen = {finding: [] for finding in drills}
    time.sleep(max(0, max(drill.stood_at for drill in drills.values()) + age_s - time.monotonic()))
    for _ in range(LOOKS):
        found = program.diagnose(sampled=True)["findings"]
        for finding, drill in drills.items():
            if finding not in ORPHANS or is_whole(drill):
                seen[finding].append([f for f in found if is_about(f, drill)])
    return seen


@pytest.fixture(scope="module")
def looks():
    drills = {}
    try:
        orphans = start(drills, sorted(ORPHANS - TWO_ENDS))
        seen = look(orphans, 1 + max(drill.reported_after_s for drill in orphans.values()))
        seen.update(look(start(drills, sorted(set(LASTING) - ORPHANS | TWO_ENDS)), SETTLED_S))
        yield seen, {finding: drill.seen_finding or finding for finding, drill in drills.items()}
    finally:
        end_all(drills)


@pytest.mark.parametrize("finding", LASTING)
def test_a_drill_is_told_alike_in_every_look(looks, finding):
    seen, told_as = looks
    found, reported = seen[finding], told_as[finding]
    assert len(found) >= (LOOKS_AT_LEAST if finding in ORPHANS else LOOKS)
    told = [sorted((f["id"], f["count"], f["fault"]) for f in findings) for findings in found]
    assert reported in [id for id, *_ in told[0]]
    assert {str(findings) for findings in told} == {str(told[0])}
    main = [next(f for f in findings if f["id"] == reported) for findings in found]
    for key, ranks in ("severity", SEVERITIES), ("confidence", CONFIDENCES):
        values = [ranks.index(f[key]) for f in main]
        assert values == sorted(values), f"its {key} may rise with the time, not fall"
