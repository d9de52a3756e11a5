"""Suites that pytest runs."""
import re

from .outcome import Outcome
from .tree import PROGRAM, REPORTS, ROOT, run

ALONE = ROOT / "tools/alone"

WORKERS = 3  # most tests wait: for the kernel's timers, and for programs to get stuck


def can_be_alone():
    return run([ALONE, "true"]).returncode == 0


def in_worlds_of_their_own():
    """Options of pytest-xdist: modules run side by side, and none sees what another does. They need namespaces."""
    if not can_be_alone():
        return []
    return ["-d", "--dist", "loadfile", "--tx", f"{WORKERS}*popen//python={ALONE} /usr/bin/python3"]


def pytest(tests, junit, options=(), alone=False, **environment):
    junit.unlink(missing_ok=True)
    return run([*([ALONE] if alone else []), "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                f"--junitxml={junit}", *options, *tests], timeout=2400, **environment)


def run_pytest(outcome, suite, *options, program=PROGRAM, report=None, **environment):
    folder = ROOT / "tests" / suite
    if not folder.is_dir():
        outcome.fail(suite, f"tests/{suite} is missing")
        return
    junit = REPORTS / f"{report or suite}.xml"
    environment["TCPWHY"] = str(program)
    done = pytest([folder], junit, options, **environment)
    if not junit.exists():
        outcome.fail(suite, done.stdout)
        return
    heading = "= findings ="
    if heading in done.stdout:  # tests/integration/scoreboard.py
        rest = done.stdout[done.stdout.index(heading):].splitlines()[1:]
        ends = [i for i, line in enumerate(rest) if "short test summary" in line or re.match(r"\d+ (passed|failed)",
                line)]
        outcome.table += rest[:ends[0]] if ends else rest
    before = len(outcome.failed)
    cases = outcome.add_junit(junit)
    if done.returncode != 0 and len(outcome.failed) == before or cases == 0:
        outcome.fail(suite, done.stdout)
    elif len(outcome.failed) > before:
        run_again(outcome, before, junit.with_suffix(".again.xml"), environment)


AGAIN_MOST = 100  # where more fail, the machine is not the reason


def run_again(outcome, before, junit, environment):
    """What failed runs once more, with no other test beside it: a test that waits for the kernel's timers or for a
    program can fail because the machine was too busy. What passes now counts as passed, and the table names it."""
    failed = outcome.failed[before:]
    modules_and_tests = [name.partition(" ") for name, _ in failed]
    tests = [f"{module.replace('.', '/')}.py::{test}" for module, _, test in modules_and_tests]
    if len(failed) > AGAIN_MOST or not all(test for _, _, test in modules_and_tests):
        return
    pytest(tests, junit, alone=can_be_alone(), **environment)
    if not junit.exists():
        return
    again = Outcome()
    again.add_junit(junit)
    still = {name for name, _ in again.failed + again.skipped}
    if again.count != len(failed):
        return
    for name, why in failed:
        if name not in still:
            outcome.failed.remove((name, why))
            outcome.ok()
            outcome.table.append(f"passed when it ran alone: {name}: {why.strip().splitlines()[0] if why else ''}")


def run_command(outcome):
    """The commands as a person calls them."""
    run_pytest(outcome, "command")


def run_completion(outcome):
    """What the shell offers is what the program understands."""
    run_pytest(outcome, "completion")


def run_integration(outcome):
    """Real sockets in namespaces of their own."""
    run_pytest(outcome, "integration", *in_worlds_of_their_own())


def run_recipes(outcome):
    """The code that `tcpwhy explain closing` recommends."""
    run_pytest(outcome, "recipes")


def run_monitoring(outcome):
    """Metrics, rules and packaging with Prometheus, node_exporter, Nagios and Icinga."""
    run_pytest(outcome, "monitoring")
