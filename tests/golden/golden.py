#!/usr/bin/python3
"""Golden tests: what the reports say of a host that is written down in a fixture, or of a capture.

    golden.py check RENDER CASES…     compares, as TAP
    golden.py update RENDER CASES…    writes what is rendered now: read the difference before you commit it

A case is CASES/NAME.fixture or CASES/NAME.capture (with NAME.tasks, where there is one). Beside it stand its
renderings: NAME.80.txt, NAME.60.txt (all of each finding) and NAME.json for every case, and NAME.80.colour.txt,
NAME.80.ascii.txt, NAME.80.all.txt where the fixture has a line "# also: colour ascii all".
"""

import difflib
import pathlib
import re
import subprocess
import sys


CASES = (".fixture", ".capture")
INPUTS = (*CASES, ".tasks", ".md", ".conf")


def renderings(fixture):
    """(path of the expected text, form, width) for each rendering of the case."""
    is_fixture = fixture.suffix == ".fixture"
    found = re.search(r"^# also:(.*)$", fixture.read_text("utf-8"), re.MULTILINE) if is_fixture else None
    stem = fixture.with_suffix("")
    yield stem.with_name(stem.name + ".80.txt"), "text", 80
    yield stem.with_name(stem.name + ".60.txt"), "whole", 60
    yield stem.with_name(stem.name + ".json"), "json", 80
    for form in found.group(1).split() if found else []:
        yield stem.with_name(f"{stem.name}.80.{form}.txt"), form, 80


def render(program, form, width, fixture, *options):
    done = subprocess.run([pathlib.Path(program).resolve(), *options, form, str(width), fixture.name],
                          capture_output=True, check=False, cwd=fixture.parent)
    if done.returncode != 0:
        raise SystemExit(f"Bail out! {fixture.name} {form} {width}: status {done.returncode} "
                         f"{done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


def too_long(text, width):
    """Lines over the width that are neither a command nor one long word."""
    for line in re.sub("\x1b\\[[0-9;]*m", "", text).splitlines():
        words = line.split()
        if len(line) > width and words[0] != "$" and len(words) > 1:
            yield line


def check_one(expected_file, form, width, actual):
    """Reasons why the rendering is not as it should be."""
    text = actual.decode("utf-8")
    if not expected_file.exists():
        yield f"{expected_file.name} is missing: run golden.py update"
        return
    expected = expected_file.read_text("utf-8")
    if text != expected:
        yield from difflib.unified_diff(expected.splitlines(), text.splitlines(), "expected", "rendered", lineterm="")
    if form != "json":
        yield from (f"longer than {width}: {line}" for line in too_long(text, width))


def cases(folders):
    """Fixtures and captures, in order."""
    return sorted(path for folder in folders for path in pathlib.Path(folder).iterdir() if path.suffix in CASES)


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("check", "update"):
        raise SystemExit(__doc__)
    update, program, folders = sys.argv[1] == "update", sys.argv[2], [pathlib.Path(name) for name in sys.argv[3:]]
    wanted, number, failed = set(), 0, False
    fixtures = cases(folders)
    for fixture in fixtures:
        for expected_file, form, width in renderings(fixture):
            wanted.add(expected_file)
            actual = render(program, form, width, fixture)
            if update:
                expected_file.write_bytes(actual)
                continue
            reasons = list(check_one(expected_file, form, width, actual))
            if render(program, form, width, fixture, "--saved") != actual:
                reasons.append("differs when the snapshot is saved and read back: render --saved")
            number += 1
            failed |= bool(reasons)
            print(f"{'not ok' if reasons else 'ok'} {number} - {expected_file.name}")
            for reason in reasons:
                print(f"# {reason}")
    strays = sorted(path for folder in folders for path in folder.iterdir()
                    if path.suffix not in INPUTS and path not in wanted)
    if update:
        for path in strays:
            path.unlink()
        return 0
    print(f"{'not ok' if strays or not fixtures else 'ok'} {number + 1} - every rendering has its fixture")
    for path in strays:
        print(f"# no fixture asks for {path.name}")
    print(f"1..{number + 1}")
    return 1 if failed or strays or not fixtures else 0


if __name__ == "__main__":
    sys.exit(main())
