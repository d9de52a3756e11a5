#!/usr/bin/python3
"""Compares docs/schema/snapshot-1.json with what `tcpwhy capture` writes.

    snapshot_schema.py SCHEMA RENDER CASES…

Every line of every case must be valid, and have no member that the schema does not name. Every member of the schema
must be in some line. Damaged lines show that the schema is strict.
"""

import copy
import json
import pathlib
import subprocess
import sys

import jsonschema

from golden import cases
from schema import closed

# What a line must not be: its type, a member, what is put there (… : taken away).
DAMAGES = [
    ("snapshot", "schema", "tcpwhy.snapshot/2"),
    ("snapshot", "taken_at_ms", "today"),
    ("netns", "name", ...),
    ("netns", "counters", {"TcpExt.ListenDrops": "12"}),
    ("process", "pid", -1),
    ("process", "fds_limit", "many"),
    ("process", "state", "sleeping"),
    ("connection", "state", "ESTAB"),
    ("connection", "local", "localhost"),
    ("connection", "remote", ...),
    ("connection", "local_port", 65536),
    ("connection", "timer", "late"),
    ("connection", "send_q_bytes", ...),
    ("connection", "holders", [{"fd": 3}]),
    ("gap", "text", ...),
    ("end", "connections", None),
    ("end", "type", "last"),
]
# Members that no case has.
NEVER = {"is_earlier", "confirms", "hosts", "redacted", "origin", "counters_at_ms", "user_unit", "pid"}


def members(value, prefix=""):
    """Names of all members, as paths."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield prefix + key
            if key not in ("settings", "counters"):
                yield from members(item, f"{prefix}{key}.")
    elif isinstance(value, list):
        for item in value:
            yield from members(item, prefix)


def known_members(schema, prefix=""):
    """Names of all members in a schema, as paths."""
    for key, item in schema.get("properties", {}).items():
        yield prefix + key
        yield from known_members(item, f"{prefix}{key}.")
        yield from known_members(item.get("items", {}), f"{prefix}{key}.")


def main():
    schema_file, program, *folders = sys.argv[1:]
    schema = json.loads(pathlib.Path(schema_file).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    as_published = jsonschema.Draft202012Validator(schema)
    # Each line is compared with its own part of the schema. Then the error names the fault, which "oneOf" cannot.
    by_type = {name: jsonschema.Draft202012Validator({**closed(part), "$defs": closed(schema["$defs"])})
               for name, part in schema["$defs"].items()}
    number, failed, samples, seen = 0, False, {}, {name: set() for name in by_type}

    def result(good, name, reasons=()):
        nonlocal number, failed
        number += 1
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        for reason in reasons:
            print(f"# {reason}")

    for fixture in cases(folders):
        output = subprocess.run([program, "snapshot", "80", fixture], capture_output=True, check=True).stdout
        errors, checked = set(), 0
        for line in map(json.loads, output.decode("utf-8").splitlines()):
            if next(iter(line)) != "type":
                errors.add("type is not the first member")
            seen[line["type"]].update(members(line))
            samples.setdefault(line["type"], line)
            if len(line) > len(samples[line["type"]]):
                samples[line["type"]] = line
            if checked < 500 or line["type"] != "connection":
                errors.update(f"{line['type']}: {error.json_path}: {error.message}"
                              for error in by_type[line["type"]].iter_errors(line))
                checked += 1
        result(not errors, f"{fixture.name} is as the schema says", sorted(errors)[:10])

    for name, part in schema["$defs"].items():
        unused = set(known_members(part)) - seen[name] - NEVER
        result(not unused, f"some {name} has every member that the schema knows", sorted(unused))
        result(name in samples and as_published.is_valid(samples[name]), f"a {name} is one line of the schema")
    for kind, member, value in DAMAGES:
        line = copy.deepcopy(samples[kind])
        if value is ...:
            line.pop(member)
        else:
            line[member] = value
        result(not as_published.is_valid(line), f"damage is seen: {kind} with {member} = {value!r}")
    result(as_published.is_valid({**samples["process"], "later": 1}), "a member that a later version adds is taken")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
