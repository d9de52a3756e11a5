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
    def __init__(self, load, netns, loaded):
        self.load, self.netns, self.loaded = load, netns, loaded
        self.runs, self.times = [], []

    def due(self):
        return self.times[-1] + self.load.every_s if self.times else 0

    def look(self):
        self.times.append(time.monotonic())
        self.runs.append(program.diagnose("--netns", "self", netns=self.netns, sampled=True))

    def is_quiet(self, run):
        loud = [f for f in run["findings"] if f["severity"] != "info"]
        return (run["verdict"], run.status, loud) == ("healthy", program.HEALTHY, [])


@pytest.fixture(scope="module")
def running():
    """Runs all loads at once and diagnoses each ten times. Loads at full speed come last, and end with the others."""
    software, namespaces = Software(), Namespaces()
    try:
        started = {}
        for load in sorted(LOADS, key=lambda load: -load.every_s):
            if not MISSING[load.name]:
                netns = namespaces.add()
                started[load.name] = Running(load, netns, load.start(software, netns))
        while unfinished := [r for r in started.values() if len(r.runs) < RUNS]:
            next_one = min(unfinished, key=Running.due)
            time.sleep(max(0, next_one.due() - time.monotonic()))
            next_one.look()
        yield started
    finally:
        software.stop_all()
        namespaces.remove_all()


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_quiet(running, load):
    if MISSING[load.name]:
        pytest.skip(MISSING[load.name])
    made = running[load.name]
    quiet = [made.is_quiet(run) for run in made.runs]
    note = "NO LOAD"
    try:
        note = made.loaded(made.runs)
    finally:
        scoreboard.record_load(load.name, sum(quiet), len(quiet), f"{made.times[-1] - made.times[0]:.0f} s, {note}")
        for finding in load.looks_like:
            if finding in scoreboard.finding_ids():
                scoreboard.record(finding, "quiet", not any(is_mistaken(run, finding) for run in made.runs))
    for run in made.runs:
        assert [(f["id"], f["title"], f["evidence"]) for f in run["findings"] if f["severity"] != "info"] == []
        assert (run["verdict"], run.status) == ("healthy", program.HEALTHY)
    assert len(quiet) == RUNS and made.times[-1] - made.times[0] >= AT_LEAST_S


def is_mistaken(run, finding):
    return any(f["id"] == finding and f["severity"] != "info" for f in run["findings"])
