"""Suites that pytest runs."""
import re

from .tree import PROGRAM, REPORTS, ROOT, run

ALONE = ROOT / "tools/alone"

WORKERS = 3  # most tests wait: for the kernel's timers, and for programs to get stuck


def in_worlds_of_their_own():
    """Options of pytest-xdist: modules run side by side, and none sees what another does. They need namespaces."""
    if run([ALONE, "true"]).returncode != 0:
        return []
    return ["-d", "--dist", "loadfile", "--tx", f"{WORKERS}*popen//python={ALONE} /usr/bin/python3"]


def run_pytest(outcome, suite, *options, program=PROGRAM, report=None, **environment):
    folder = ROOT / "tests" / suite
    if not folder.is_dir():
        outcome.fail(suite, f"tests/{suite} is missing")
        return
    junit = REPORTS / f"{report or suite}.xml"
    junit.unlink(missing_ok=True)
    done = run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={junit}", *options,
                folder],
               timeout=1200, TCPWHY=str(program), **environment)
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
