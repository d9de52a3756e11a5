"""Healthy loads are called healthy: ten diagnoses of each, while all of them run."""

import time

import pytest

import program
import scoreboard
from loads import LOADS
from netns import Namespaces
from software import Software, why_missing

RUNS = 10
AT_LEAST_S = 20  # from the first to the last diagnosis

MISSING = {load.name: why_missing(*load.tools) for load in LOADS}


class Running:
    def __init__(self, load, netns):
        self.load, self.netns = load, netns
        self.software = Software()
        self.loaded = load.start(self.software, netns)
        self.runs, self.times = [], []
        self.note, self.failure = "NO LOAD", None

    def due(self):
        return self.times[-1] + self.load.every_s if self.times else 0

    def look(self):
        self.times.append(time.monotonic())
        self.runs.append(program.diagnose("--netns", "self", netns=self.netns, sampled=True))
        if len(self.runs) == RUNS:
            self.end()

    def end(self):
        """At once: a load at full speed takes the processor from what still runs."""
        try:
            self.note = self.loaded(self.runs)
        except AssertionError as e:
            self.failure = e
        self.software.stop_all()

    def is_quiet(self, run):
        loud = [f for f in run["findings"] if f["severity"] != "info"]
        return (run["verdict"], run.status, loud) == ("healthy", program.HEALTHY, [])


@pytest.fixture(scope="module")
def running():
    """Runs all loads at once and diagnoses each ten times. Loads at full speed start last."""
    namespaces, started = Namespaces(), {}
    try:
        for load in sorted(LOADS, key=lambda load: -load.every_s):
            if not MISSING[load.name]:
                started[load.name] = Running(load, namespaces.add())
        while unfinished := [r for r in started.values() if len(r.runs) < RUNS]:
            next_one = min(unfinished, key=Running.due)
            time.sleep(max(0, next_one.due() - time.monotonic()))
            next_one.look()
        yield started
    finally:
        for made in started.values():
            made.software.stop_all()
        namespaces.remove_all()


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_quiet(running, load):
    if MISSING[load.name]:
        pytest.skip(MISSING[load.name])
    made = running[load.name]
    quiet = [made.is_quiet(run) for run in made.runs]
    scoreboard.record_load(load.name, sum(quiet), len(quiet), f"{made.times[-1] - made.times[0]:.0f} s, {made.note}")
    for finding in load.looks_like:
        if finding in scoreboard.finding_ids():
            scoreboard.record(finding, "quiet", not any(is_mistaken(run, finding) for run in made.runs))
    if made.failure:
        raise made.failure
    for run in made.runs:
        assert [(f["id"], f["title"], f["evidence"]) for f in run["findings"] if f["severity"] != "info"] == []
        assert (run["verdict"], run.status) == ("healthy", program.HEALTHY)
    assert len(quiet) == RUNS and made.times[-1] - made.times[0] >= AT_LEAST_S


def is_mistaken(run, finding):
    return any(f["id"] == finding and f["severity"] != "info" for f in run["findings"])
