#!/usr/bin/python3
"""A redacted snapshot gives the same findings as the original, and contains none of its names.

    redacted.py RENDER CASES…
"""

import json
import re
import subprocess
import sys

from golden import cases

# The facts of a finding. Words with names, and the order of equal elements, may differ.
PARTS = ["id", "severity", "confidence", "fault", "count", "age_s", "give_up_s", "peers_total"]
OWNER = ["pid", "inferred", "fds_open", "fds_limit", "state", "threads", "tcp_sockets", "running_s"]


def render(program, form, fixture, *options):
    done = subprocess.run([program, *options, form, "80", fixture], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape")


def essence(report):
    """The findings without their texts."""
    found = []
    for finding in report["findings"]:
        owner = finding["owner"]
        found.append({
            **{part: finding[part] for part in PARTS},
            "owner": owner and {part: owner[part] for part in OWNER},
            "ports": [finding[end] and finding[end]["port"] for end in ("local", "remote")],
            "any": [finding[end] and finding[end]["address"] == "*" for end in ("local", "remote")],
            "peers": [peer["count"] for peer in finding["peers"]],
            "lines": [len(finding[part]) for part in ("evidence", "ruled_out", "will_not_help")],
        })
    return [report["verdict"], report["totals"], [gap["id"] for gap in report["gaps"]],
            sorted(found, key=lambda finding: json.dumps(finding, sort_keys=True))]


def secrets(fixture):
    """Names and addresses in a snapshot of the fixture, except common ones."""
    common = {"root", "systemd", "host", "none", "*", "?", "/"}
    for line in map(json.loads, fixture.splitlines()):
        for key in ("host", "name", "command", "user", "unit", "container", "path", "text"):
            if isinstance(line.get(key), str) and line[key] not in common and not line[key].startswith("net:["):
                yield line[key]
        for end in ("local", "remote"):
            if end in line and line[end] not in ("0.0.0.0", "::", "::1") and not line[end].startswith("127."):
                yield line[end]


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def left_over(plain, redacted):
    """Secrets that are words in the redacted snapshot."""
    words = {word for line in map(json.loads, redacted.splitlines()) for text in strings(line)
             for word in [text, *re.split(r"[\s\"\[\]]+|:(?=\d+$)", text)]}
    return sorted(set(secrets(plain)) & words)


def main():
    program, *folders = sys.argv[1:]
    number, failed = 0, False
    for fixture in cases(folders):
        if fixture.with_suffix(".conf").exists():  # a configuration selects by names
            continue
        plain, redacted = (json.loads(render(program, "json", fixture, *options)) for options in ([], ["--redacted"]))
        same = essence(plain) == essence(redacted)
        left = left_over(render(program, "snapshot", fixture), render(program, "snapshot", fixture, "--redacted"))
        failed |= not same or bool(left)
        for good, what in ((same, "the same findings"), (not left, "no name left")):
            number += 1
            print(f"{'ok' if good else 'not ok'} {number} - {fixture.name}: {what}")
        for name in left:
            print(f"# still there: {name!r}")
        if not same:
            print(f"# {json.dumps(essence(plain))}\n# {json.dumps(essence(redacted))}")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
