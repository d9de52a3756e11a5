#!/usr/bin/python3
"""The instructions that the program may take, counted by callgrind: the same in every run, however busy the machine is.

usage: tests/budget/budget.py [--renew]

Prints a line for each row of the file `limits`: what, count, limit. --renew writes new limits, with headroom. Do so
when the program has to do more, and say why in the commit. The exit status is 1 if a limit is exceeded.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMITS = HERE / "limits"
BUILD = Path(os.environ.get("TCPWHY_BUILD", HERE.parents[1] / "build"))
FEW, MANY = 2_000, 6_000

# Headroom for other compilers and C libraries. A start is mostly the work of the dynamic linker.
EACH_HEADROOM, START_HEADROOM = 1.3, 1.6

HEADING = """\
# Instructions, counted by callgrind (tests/budget/budget.py). Renew: tests/budget/budget.py --renew
#
# start …    the whole command
# once …     a step that does not depend on the number of connections
# each …     for every connection more: the work of {many:,} less that of {few:,}, divided
""".format(few=FEW, many=MANY)

STARTS = {"version": ["version"], "help": ["help"], "list-help": ["list", "--help"], "explain": ["explain", "LAST_ACK"]}
ONCE = ["report-text", "report-json"]
EACH = ["netlink-message", "owners-join", "diagnose", "diagnose-crowd", "list-text", "list-json", "count",
        "read-windows-netstat", "read-ss", "read-powershell-json", "read-colliding-names"]


def count(words, *options):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *options, *map(str,
            words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not collected:
        sys.exit(f"budget.py: {' '.join(map(str, words))} could not be counted:\n{done.stderr}")
    return int(collected[1])


def count_step(step, connections):
    return count([BUILD / "tests/budget/work", step, connections], "--toggle-collect=measured")


def measure():
    """Yields (what, instructions)."""
    for name, words in STARTS.items():
        yield f"start {name}", count([BUILD / "tcpwhy", *words])
    for step in ONCE:
        yield f"once {step}", count_step(step, FEW)
    for step in EACH:
        yield f"each {step}", round((count_step(step, MANY) - count_step(step, FEW)) / (MANY - FEW))


def read_limits():
    rows = (line.rsplit(None, 1) for line in LIMITS.read_text().splitlines() if line and not line.startswith("#"))
    return {what: int(limit.replace(",", "")) for what, limit in rows}


def renew(counted):
    lines = []
    for what, instructions in counted:
        headroom = START_HEADROOM if what.startswith("start") else EACH_HEADROOM
        lines.append(f"{what:<24} {round(instructions * headroom + 1):>12,}\n")
    LIMITS.write_text(HEADING + "\n" + "".join(lines))


def main():
    if sys.argv[1:] == ["--renew"]:
        renew(measure())
        return 0
    limits = read_limits()
    counted = dict(measure())
    for what in counted.keys() | limits.keys():
        if what not in counted or what not in limits:
            print(f"{what}: is {'not counted any more' if what in limits else 'without a limit'}: --renew",
                  file=sys.stderr)
            return 1
    for what, instructions in counted.items():
        print(f"{what:<24} {instructions:>12,} "
              f"{limits[what]:>12,}{'  EXCEEDED' if instructions > limits[what] else ''}")
    return 1 if any(counted[what] > limits[what] for what in counted) else 0


if __name__ == "__main__":
    sys.exit(main())
