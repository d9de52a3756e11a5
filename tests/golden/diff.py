#!/usr/bin/python3
"""Golden tests of `tcpwhy diff`: what it says of looks that are written down in fixtures.

    diff.py check PROGRAM RENDER SCHEMA CASES     compares, as TAP; the JSON also with its schema
    diff.py update PROGRAM RENDER SCHEMA CASES    writes what is said now: read the difference before you commit it

A case is a folder CASES/NAME with 1.fixture, 2.fixture … in order of time. Beside them stand report.txt, report.json and
status, the exit status.
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


def compare(program, render, case, *options):
    """(what tcpwhy prints, its exit status)"""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for fixture in sorted(case.glob("*.fixture")):
            names.append(f"{fixture.stem}.snap")
            saved = subprocess.run([render, "snapshot", "80", fixture], capture_output=True, check=True).stdout
            (pathlib.Path(folder) / names[-1]).write_bytes(saved)
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80", "NO_COLOR": "1"}
        done = subprocess.run([program, "diff", *options, *names], cwd=folder, capture_output=True, check=False,
                              env=environment)
        if done.stderr:
            raise SystemExit(f"Bail out! {done.stderr.decode('utf-8', 'replace').strip()}")
        text = re.sub(r'tcpwhy \d+\.\d+\.\d+|(?<="version": ")[^"]*', "tcpwhy 0.0.0-golden", done.stdout.decode("utf-8"))
        return text, done.returncode


def main():
    if len(sys.argv) != 6 or sys.argv[1] not in ("check", "update"):
        raise SystemExit(__doc__)
    update = sys.argv[1] == "update"
    program, render, schema_file, folder = (pathlib.Path(word).resolve() for word in sys.argv[2:])
    schema = json.loads(schema_file.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(closed(schema))
    number, failed = 0, False
    cases = sorted(path for path in folder.iterdir() if path.is_dir())
    for case in cases:
        text, status = compare(program, render, case)
        report, _ = compare(program, render, case, "--json")
        said = {"report.txt": text, "report.json": report, "status": f"{status}\n"}
        for name, actual in said.items():
            expected_file = case / name
            if update:
                expected_file.write_text(actual, "utf-8")
                continue
            expected = expected_file.read_text("utf-8") if expected_file.exists() else ""
            reasons = list(difflib.unified_diff(expected.splitlines(), actual.splitlines(), "expected", "said", lineterm=""))
            if name == "report.json":
                reasons += [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(actual))]
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
