"""Instructions of the program's start and of each connection, against their limits."""
import re
import shutil

from .builds import BUILD
from .tree import run


def run_budget(outcome):
    if shutil.which("valgrind") is None:
        outcome.skip("budget", "valgrind is not installed")
        return
    done = run(["tests/budget/budget.py"], TCPWHY_BUILD=str(BUILD))
    rows = [re.fullmatch(r"(\w+ [\w-]+) +([\d,]+) +([\d,]+)( +EXCEEDED)?", line) for line in done.stdout.splitlines()]
    for what, counted, limit, exceeded in (row.groups() for row in rows if row):
        outcome.expect(what, [f"{counted} instructions, {limit} is the limit: tests/budget/budget.py says more"]
                       if exceeded else [])
    if done.returncode != 0 and not outcome.failed:
        outcome.fail("budget", done.stdout)
