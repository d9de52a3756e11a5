"""Each finding fires on real software that gets stuck, so that no rule depends on the faults of the tests alone."""

import time

import pytest

import program
import scoreboard
from netns import Namespaces
from scenes import CASES, SCENES
from software import Software, why_missing

YOUNG_S = 6.5  # older connections may be judged
GIVE_UP_S = 75  # the longest time from breaking a scene until its finding must exist

MISSING = {scene: why_missing(*scene.tools) for scene in SCENES}


class Set:
    """A running scene."""

    def __init__(self, scene, software, pair):
        self.pair = pair
        self._script = scene(software, pair)
        self.began = time.monotonic()
        self.well = {}  # side → diagnosis before anything broke
        self.owners, self.broken_at = None, None
        self.why_not = None  # an exception: this scene cannot run, the others can
        self._next()

    def _next(self):
        if self.why_not is None:
            try:
                return next(self._script)
            except Exception as error:
                self.why_not = error

    def look(self, side):
        return program.diagnose("--netns", "self", netns=getattr(self.pair, side), sampled=True)

    def break_it(self):
        self.owners = self._next()
        self.broken_at = time.monotonic()


class Observation:
    """The last diagnosis of a case, before and after its scene broke."""

    def __init__(self, case, stage):
        self.case, self.stage, self.report = case, stage, None

    @property
    def owners(self):
        return self.stage.owners[self.case.owner]

    def found(self):
        here = getattr(self.stage.pair, self.case.side)
        found = [f for f in self.report["findings"]
                 if f["id"] == self.case.finding and (not self.case.whole_host or f["netns"] == here)]
        # If each of several processes has a finding, they make up the count together.
        return [f for f in found if self.case.fault == "none" or f["owner"] is None or f["owner"]["pid"] in self.owners]

    def is_complete(self):
        count = sum(f["count"] for f in self.found())
        return count > 0 if self.case.count is None else count == self.case.count

    def look(self):
        """Diagnoses once more. Returns true if there is nothing more to wait for."""
        if self.stage.why_not:
            return True
        self.report = program.diagnose(sampled=True) if self.case.whole_host else self.stage.look(self.case.side)
        return self.is_complete() or time.monotonic() > self.stage.broken_at + GIVE_UP_S


@pytest.fixture(scope="module")
def observed():
    """Runs all scenes: diagnoses them while they are healthy, breaks them, and diagnoses them until their findings
    exist."""
    known = scoreboard.finding_ids()
    cases = [case for case in CASES if case.finding in known and not MISSING[case.scene]]
    software, namespaces = Software(), Namespaces()
    try:
        stages = {scene: Set(scene, software, namespaces.pair()) for scene in {case.scene: None for case in cases}}
        observations = {case: Observation(case, stages[case.scene]) for case in cases}
        for case, observation in observations.items():
            time.sleep(max(0, observation.stage.began + YOUNG_S - time.monotonic()))
            observation.stage.well[case.side] = observation.stage.look(case.side)
        for stage in stages.values():
            stage.break_it()
        waiting = list(observations.values())
        while waiting := [observation for observation in waiting if not observation.look()]:
            time.sleep(1)
        yield observations
    finally:
        software.stop_all()
        namespaces.remove_all()


def seen(observed, case):
    if case.finding not in scoreboard.finding_ids():
        pytest.skip("rule not in this build")
    if MISSING[case.scene]:
        pytest.skip(MISSING[case.scene])
    why_not = observed[case].stage.why_not
    if why_not:
        raise RuntimeError("the scene could not be set") from why_not
    return observed[case]


def cases(role):
    return [pytest.param(case, id=case.name, marks=pytest.mark.finding(case.finding, role)) for case in CASES]


@pytest.mark.parametrize("case", cases("real"))
def test_fires(observed, case):
    observation = seen(observed, case)
    found = observation.found()
    shown = [(f["id"], f["severity"], f["count"], (f["owner"] or {}).get("name"), f["title"])
             for f in observation.report["findings"]]
    assert found and observation.is_complete(), f"{observation.report['totals']['by_state']}: {shown}"
    for finding in found:
        assert finding["fault"] == case.fault
        if finding["owner"] is not None:
            assert finding["owner"]["inferred"] is case.inferred
        assert case.fault in ("none", "host-settings") or finding["owner"] is not None
        for part in ("title", "why", "evidence"):
            assert finding[part], part


@pytest.mark.parametrize("case", cases("quiet"))
def test_quiet_before(observed, case):
    """The same software, old enough to be judged, before anything broke."""
    well = seen(observed, case).stage.well[case.side]
    assert [f["title"] for f in well["findings"] if f["id"] == case.finding] == []
    assert (well["verdict"], well.status) == ("healthy", program.HEALTHY)
