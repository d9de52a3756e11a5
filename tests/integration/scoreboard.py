"""The tables at the end of a run: what has been shown for each finding, and how quiet each healthy load was.

Each finding has three columns: it fires on its drill; it fires on an independent case, which is a fault made by the
tests or real software; it is quiet on its look-alike. Most tests fill the table by the marker `finding(id, role)`
and their outcome. Results inside a test are added by record().
"""

import functools
import re
from collections import Counter
from dataclasses import dataclass, field

import program

ROLES = {  # role → column
    "drill": "drill",
    "fires": "independent",
    "real": "independent",
    "quiet": "look-alike",
}
COLUMNS = ("drill", "independent", "look-alike")
OUTCOMES = ("passed", "failed", "skipped")


@dataclass
class Load:
    quiet: int
    runs: int
    note: str


@dataclass
class Scoreboard:
    cells: dict = field(default_factory=dict)  # (finding, role) → Counter of outcomes
    loads: dict = field(default_factory=dict)

    def add(self, finding, role, outcome):
        if role not in ROLES or outcome not in OUTCOMES:
            raise ValueError(f"{finding}: no role {role!r} or outcome {outcome!r}")
        self.cells.setdefault((finding, role), Counter())[outcome] += 1

    def cell(self, finding, column):
        """The text of a cell: "4 ok (2 with real software)", "1 FAILED", "-"."""
        counts = {role: self.cells.get((finding, role), Counter()) for role, of in ROLES.items() if of == column}
        total = sum(counts.values(), Counter())
        if not total:
            return "-"
        real = counts.get("real", Counter())["passed"]
        words = [f"{total['passed']} ok" + (f" ({real} with real software)" if real else "")]
        words += [f"{total[outcome]} {outcome.upper()}" for outcome in ("failed", "skipped") if total[outcome]]
        return ", ".join(words[1:] if total["passed"] == 0 else words)

    def packed(self):
        """The board as lists, numbers and strings."""
        return ([[*key, dict(counts)] for key, counts in self.cells.items()],
                [[name, load.quiet, load.runs, load.note] for name, load in self.loads.items()])

    def add_packed(self, packed):
        cells, loads = packed
        for finding, role, counts in cells:
            self.cells.setdefault((finding, role), Counter()).update(counts)
        for name, *load in loads:
            self.loads[name] = Load(*load)


board = Scoreboard()


def record(finding, role, ok):
    board.add(finding, role, "passed" if ok else "failed")


def record_load(name, quiet, runs, note):
    board.loads[name] = Load(quiet, runs, note)


@functools.cache
def finding_ids():
    """The findings of this build: the causes in `tcpwhy list --help`."""
    page = program.run("list", "--help").stdout.decode()
    causes = re.search(r"^Causes: (.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    return [word for word in causes[1].replace(",", " ").split() if word != "normal"]


def write(reporter, findings):
    """`findings`: ids that get a row even if no test has a result for them."""
    rows = sorted({*findings, *(finding for finding, _ in board.cells)})
    if board.cells:
        reporter.section("findings")
        reporter.write_line(f"{'':<28}{'fired on its drill':<24}{'fired on an independent case':<36}quiet on "
                            f"look-alikes")
        for finding in rows:
            drill, independent, lookalike = (board.cell(finding, column) for column in COLUMNS)
            reporter.write_line(f"{finding:<28}{drill:<24}{independent:<36}{lookalike}")
    if board.loads:
        reporter.section("healthy loads")
        for name, load in board.loads.items():
            reporter.write_line(f"{name:<32}{load.quiet} quiet of {load.runs:<6}{load.note}")
