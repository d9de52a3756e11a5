#!/usr/bin/python3
"""Golden tests of several snapshots at once, from fixtures.

    several.py check PROGRAM RENDER SCHEMAS CASES     compares, as TAP; the JSON also with its schema
    several.py update PROGRAM RENDER SCHEMAS CASES    writes the output: read the difference before you commit it

A case is a folder of CASES with 1.fixture, 2.fixture …: diff-NAME for `tcpwhy diff`, one host at several times;
hosts-NAME for several --from, several hosts. It also contains report.txt, report.json and status, the exit status.
Several hosts in one file, joined by `tcpwhy capture`, must give the same report.
"""

import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

from schema import closed


def words(case, names):
    """The arguments with which tcpwhy reads these files."""
    return ["diff", *names] if case.name.startswith("diff-") else [f"--from={name}" for name in names]


def run(program, render, case, *options, joined=False):
    """Returns (output, exit status). joined: all snapshots are joined into one file first."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for fixture in sorted(case.glob("*.fixture")):
            names.append(f"{fixture.stem}.snap")
            saved = subprocess.run([render, "snapshot", "80", fixture], capture_output=True, check=True).stdout
            (pathlib.Path(folder) / names[-1]).write_bytes(saved)
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80", "NO_COLOR": "1"}
        if joined:
            subprocess.run([program, "capture", *words(case, names), "-o", "joined"], cwd=folder, check=True)
            names = ["joined"]
        done = subprocess.run([program, *words(case, names), *options], cwd=folder, capture_output=True, check=False,
                              env=environment)
        if done.stderr:
            raise SystemExit(f"Bail out! {done.stderr.decode('utf-8', 'replace').strip()}")
        text = re.sub(r'(?<=^tcpwhy )[\d.]+|(?<="version": ")[^"]*', "0.0.0-golden", done.stdout.decode("utf-8"))
        return text, done.returncode


def without_files(report):
    """The report without the names of its files, which may differ."""
    return [line for line in report.splitlines() if '"from":' not in line]


def main():
    if len(sys.argv) != 6 or sys.argv[1] not in ("check", "update"):
        raise SystemExit(__doc__)
    update = sys.argv[1] == "update"
    program, render, schemas, folder = (pathlib.Path(word).resolve() for word in sys.argv[2:])
    validators = {}
    for kind, name in (("diff", "diff-1.json"), ("hosts", "diagnosis-1.json")):
        schema = json.loads((schemas / name).read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[kind] = jsonschema.Draft202012Validator(closed(schema))
    number, failed = 0, False
    cases = sorted(path for path in folder.iterdir() if path.is_dir())
    for case in cases:
        text, status = run(program, render, case, *(["-v"] if case.name.startswith("hosts-") else []))
        report, _ = run(program, render, case, "--json")
        said = {"report.txt": text, "report.json": report, "status": f"{status}\n"}
        for name, actual in said.items():
            expected_file = case / name
            if update:
                expected_file.write_text(actual, "utf-8")
                continue
            expected = expected_file.read_text("utf-8") if expected_file.exists() else ""
            reasons = list(difflib.unified_diff(expected.splitlines(), actual.splitlines(), "expected", "said",
                                                lineterm=""))
            if name == "report.json":
                validator = validators[case.name.partition("-")[0]]
                reasons += [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(
                        actual))]
                if case.name.startswith("hosts-"):
                    joined, _ = run(program, render, case, "--json", joined=True)
                    reasons += difflib.unified_diff(without_files(actual), without_files(joined), "several files",
                                                    "one file", lineterm="")
            number += 1
            failed |= bool(reasons)
            print(f"{'not ok' if reasons else 'ok'} {number} - {case.name}: {name}")
            for reason in reasons:
                print(f"# {reason}")
    if update:
        return 0
    print(f"1..{number}")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
